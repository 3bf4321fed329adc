"""Writes down what the assistant understood and did, and what came of it, by the turn's commit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.assistant import (
    Answer,
    Feedback,
    Handoff,
    HandoffReason,
    LookUp,
    Offer,
    TurnReply,
    TurnRequest,
    Understanding,
)
from core.domain.conversation import Speaker
from core.domain.learning import (
    Deed,
    Upshot,
    belongs_to_matter,
    deed_of,
    is_missed,
    question_of,
)
from core.storage.tables import Conversation, Message, Turn, TurnRecord

_LOOKED_BACK = 10  # turns of one matter
_MOST_CHARS = 4_000


async def log_turn(
    session: AsyncSession,
    conversation: Conversation,
    request: TurnRequest,
    reply: TurnReply,
    now: datetime,
    *,
    was_faster: bool = False,
    handed_off: HandoffReason | None = None,
) -> None:
    """Keep the record of a turn that has its reply.

    `was_faster` says that a human had taken over meanwhile, `handed_off` that the desk queued the
    conversation by itself. What the reply tells of earlier turns goes to their records.
    """
    told = reply.understanding
    deed = Deed.DROPPED if was_faster else deed_of(reply.steps, told)
    reason = next((step.reason for step in reply.steps if isinstance(step, Handoff)), None)
    if handed_off is not None and not was_faster:
        deed, reason = Deed.HANDED_OFF, handed_off
    escalates = deed in {Deed.HANDED_OFF, Deed.FILED}
    if not was_faster:
        if told.feedback is not None:
            await _settle_matter(session, conversation, _UPSHOTS[told.feedback])
        elif escalates:
            await _settle_matter(session, conversation, Upshot.ESCALATED)
        if deed == Deed.ANSWERED and (shown := list(_articles(reply))):
            await _take_offer(session, conversation, shown)
    upshot = Upshot.ESCALATED if escalates else None
    is_in_words = request.intent is None
    session.add(
        TurnRecord(
            turn_id=request.turn,
            conversation_id=conversation.id,
            episode=conversation.episode,
            at=now,
            language=request.language,
            text=request.text[:_MOST_CHARS],
            question=question_of(request.text, told),
            is_in_words=is_in_words,
            intent=reply.intent,
            confidence=reply.confidence,
            model=reply.model,
            guesses=[
                {"intent": guess.intent, "confidence": round(guess.confidence, 4)}
                for guess in told.guesses
            ],
            mentions=[{"kind": one.kind, "value": one.value} for one in told.mentions],
            look_ups=[_look_up_in_json(one) for one in told.look_ups],
            deed=deed,
            reason=reason,
            articles=list(_articles(reply)),
            upshot=upshot,
            is_missed=is_missed(
                deed, upshot, reason, is_in_words=is_in_words, has_search=bool(told.look_ups)
            ),
        )
    )


def _look_up_in_json(one: LookUp) -> dict[str, Any]:
    return {
        "question": one.question,
        "outcome": one.finding.outcome,
        "hits": [
            {"article": hit.article, "title": hit.title, "score": round(hit.score, 4)}
            for hit in one.finding.hits
        ],
    }


async def log_failure(
    session: AsyncSession, conversation: Conversation, turn: Turn, default_language: str
) -> None:
    """Keep the record of a turn that the assistant gave no reply to, for the error it has."""
    first = turn.first_seq or max(conversation.turned_seq + 1, conversation.episode_first_seq)
    last = turn.last_seq or conversation.last_seq
    said = await session.scalars(
        select(Message.text)
        .where(
            Message.conversation_id == conversation.id,
            Message.speaker == Speaker.CUSTOMER,
            Message.removed_at.is_(None),
            Message.seq.between(first, last),
        )
        .order_by(Message.position, Message.seq)
    )
    text = "\n".join(filter(None, said))[:_MOST_CHARS]
    session.add(
        TurnRecord(
            turn_id=turn.id,
            conversation_id=conversation.id,
            episode=turn.episode,
            at=turn.finished_at,
            language=conversation.language or default_language,
            text=text,
            question=question_of(text, Understanding()),
            is_in_words=True,
            deed=Deed.FAILED,
            reason=turn.error,
            upshot=Upshot.ESCALATED,
        )
    )


_UPSHOTS = {Feedback.HELPED: Upshot.HELPED, Feedback.NOT_HELPED: Upshot.NOT_HELPED}


async def _take_offer(
    session: AsyncSession, conversation: Conversation, articles: Sequence[str]
) -> None:
    """Note that an offer which was taken for passed over was taken after all.

    What comes of it is told later, as of an offer that was taken at once.
    """
    offer = await session.scalar(
        select(TurnRecord)
        .where(
            TurnRecord.conversation_id == conversation.id,
            TurnRecord.episode == conversation.episode,
            TurnRecord.deed == Deed.OFFERED,
            TurnRecord.upshot == Upshot.IGNORED,
            TurnRecord.articles.contains(articles),
        )
        .order_by(TurnRecord.at.desc(), TurnRecord.turn_id.desc())
        .limit(1)
    )
    if offer is not None:
        offer.upshot, offer.is_missed = None, False


async def _settle_matter(session: AsyncSession, conversation: Conversation, upshot: Upshot) -> None:
    """Note what came of the question that was answered last, and of what led to its answer."""
    rows = await session.scalars(
        select(TurnRecord)
        .where(
            TurnRecord.conversation_id == conversation.id,
            TurnRecord.episode == conversation.episode,
        )
        .order_by(TurnRecord.at.desc(), TurnRecord.turn_id.desc())
        .limit(_LOOKED_BACK)
    )
    has_answer = False
    for row in rows:
        deed = Deed(row.deed)
        if not belongs_to_matter(deed):
            if has_answer:
                return
            continue  # thanks, or a question of the assistant's own
        if row.upshot is not None or (has_answer and deed == Deed.ANSWERED):
            return
        has_answer = True
        row.upshot = upshot
        row.is_missed = is_missed(
            deed,
            upshot,
            row.reason,
            is_in_words=row.is_in_words,
            has_search=bool(row.look_ups),
        )


def _articles(reply: TurnReply) -> Iterable[str]:
    for step in reply.steps:
        if isinstance(step, Answer):
            yield step.article
        elif isinstance(step, Offer):
            yield from step.articles
