"""Which of the requester's messages a turn of the assistant answers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

from sqlalchemy import Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.content import Caution
from core.domain.conversation import Speaker
from core.services.ledger import Ledger
from core.storage.tables import Conversation, Message, Turn


async def fix_messages(
    session: AsyncSession, ledger: Ledger, conversation: Conversation, turn: Turn
) -> Sequence[Message]:
    """Return the messages `turn` answers, in the platform's order; decided when it first runs.

    What came after them is left for the next turn.
    """
    if turn.first_seq is not None:
        return await messages_of(session, conversation, turn)
    fresh = await _fresh(session, conversation)
    if not fresh:
        return []
    taken = _first_turn(fresh)
    turn.first_seq, turn.last_seq = taken[0].seq, taken[-1].seq
    turn.status = "running"
    conversation.turned_seq = turn.last_seq
    if len(taken) < len(fresh):
        ledger.want_turn(conversation)
    return sorted(taken, key=_platform_order)


async def messages_of(
    session: AsyncSession, conversation: Conversation, turn: Turn
) -> Sequence[Message]:
    """Return the messages that `turn` answers, or would if it ran now.

    Quick successions are one turn, each person's their own. A pressed button or a command stands
    alone, since it is an intent and not words. What was taken back, what machines sent, what the
    desk answers itself and what nobody vouches for is not for the assistant.
    """
    if turn.first_seq is None:
        return sorted(_first_turn(await _fresh(session, conversation)), key=_platform_order)
    fixed = await session.scalars(
        _said_in(conversation).where(Message.seq.between(turn.first_seq, turn.last_seq))
    )
    return sorted(fixed, key=_platform_order)


async def _fresh(session: AsyncSession, conversation: Conversation) -> Sequence[Message]:
    """Return what no turn has answered yet, by arrival."""
    since = max(conversation.turned_seq + 1, conversation.episode_first_seq)
    fresh = await session.scalars(
        _said_in(conversation).where(Message.seq >= since).order_by(Message.seq)
    )
    return fresh.all()


def _said_in(conversation: Conversation) -> Select[Message]:
    return select(Message).where(
        Message.conversation_id == conversation.id,
        Message.speaker == Speaker.CUSTOMER,
        Message.removed_at.is_(None),
        Message.is_automatic.is_(False),
        func.coalesce(Message.intent["name"].astext, "").not_like("desk.%"),
        or_(Message.caution.is_(None), Message.caution == Caution.UNVERIFIED),
    )


def _first_turn(fresh: Sequence[Message]) -> Sequence[Message]:
    if not fresh:
        return []
    first = fresh[0]
    if first.intent is not None:
        return [first]
    return list(takewhile(lambda one: one.intent is None and one.author == first.author, fresh))


def words_of(conversation: Conversation, messages: Sequence[Message]) -> str:
    """Return what the assistant reads of `messages`.

    The subject of the letter that began the conversation belongs to it, unless its text says the
    same; those of later ones only repeat it.
    """
    words = [message.text for message in messages]
    first = messages[0]
    subject = ((first.envelope or {}).get("subject") or "").strip()
    begins = first.seq == conversation.first_seq
    if begins and subject and subject.casefold() not in first.text.casefold():
        words.insert(0, subject)
    return "\n".join(word for word in words if word)


def _platform_order(message: Message) -> tuple[float, int]:
    return message.position, message.seq
