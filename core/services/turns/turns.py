"""The assistant's turns: what it is asked, and what becomes of its reply."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.assistant import (
    HandoffReason,
    SetLanguage,
    TurnReply,
    TurnRequest,
)
from core.domain.conversation import Responder, Speaker
from core.domain.ids import (
    AccountId,
    ArticleId,
    ContactId,
    ConversationId,
    ThreadKey,
    TurnId,
)
from core.domain.knowledge import Article
from core.domain.languages import spoken
from core.ports import Channel, LanguageDetector
from core.services.delivery.budget import may_speak, was_told_of_limit
from core.services.json_forms import intent_from_json
from core.services.learning.turn_log import log_failure, log_turn
from core.services.ledger import Accounts, Ledger
from core.services.locks import all_locked, locked
from core.services.people.language import choose_language, learn_language
from core.services.tickets.handoff import hand_off
from core.services.turns.authors import acting_in, tickets_of
from core.services.turns.commands import obey, tickets_to_add_to
from core.services.turns.composing import Composed
from core.services.turns.messages import fix_messages, messages_of, words_of
from core.services.turns.plan import TurnPlan, TurnRules, Wait
from core.services.turns.speech import articles_in, joined, utterances
from core.storage.engine import Sessions, storage_errors
from core.storage.queries.knowledge.articles import articles_by_id
from core.storage.queries.knowledge.knowledge import Reader, visible
from core.storage.queries.knowledge.readers import organisation_of
from core.storage.tables import Conversation, Message, Turn
from core.storage.wakeups import Lane, LaneKind, wake

MAX_ATTEMPTS = 2
_MOST_BEGINNINGS = 10
_PAUSE = timedelta(seconds=1)
_UNDER_WAY = ("waiting", "running")


class Turns:
    """The `turns` lane of every conversation."""

    def __init__(
        self,
        sessions: Sessions,
        accounts: Accounts,
        rules: TurnRules,
        channels: Mapping[AccountId, Channel],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        *,
        detector: LanguageDetector | None = None,
    ) -> None:
        """Without a `detector`, what no assistant has read tells no language."""
        self._sessions = sessions
        self._accounts = accounts
        self._rules = rules
        self._channels = channels
        self._now = now
        self._detector = detector

    async def plan(self, conversation_id: ConversationId) -> TurnPlan | None:
        """Begin the next due turn of a conversation; None where nothing is due."""
        found = await self.plan_or_wait(conversation_id)
        return found if isinstance(found, TurnPlan) else None

    async def plan_or_wait(self, conversation_id: ConversationId) -> TurnPlan | Wait | None:
        """Begin the next turn of a conversation, or say when it is due; None where there is none.

        One worker at a time plans for a conversation: a turn that is found running was left by
        a worker that died, and is run again as the same turn.
        """
        async with storage_errors(), self._sessions.begin() as session:
            conversation = await locked(session, conversation_id)
            ledger = Ledger(self._accounts, self._now())
            plan: TurnPlan | Wait | None = None
            # Two statements on purpose, the lock first: an item added by a transaction that held
            # the lock until now would be missing from a snapshot taken before the lock.
            turns = await _under_way(session, conversation_id)
            # Nothing below asks about what it changes, which is written once, at the end.
            with session.no_autoflush:
                for turn in turns:
                    if _is_stale(turn, conversation):
                        _finish(turn, "dropped", ledger.now)
                    elif turn.available_at > ledger.now:
                        plan = Wait(seconds=(turn.available_at - ledger.now).total_seconds())
                        break
                    elif begun := await self._begin(session, ledger, conversation, turn):
                        plan = replace(begun, is_last=turn is turns[-1])
                        break
            await ledger.write(session)
            return plan

    async def _begin(
        self, session: AsyncSession, ledger: Ledger, conversation: Conversation, turn: Turn
    ) -> TurnPlan | None:
        messages = await fix_messages(session, ledger, conversation, turn)
        if not messages:
            _finish(turn, "dropped", ledger.now)
            return None
        acting = await acting_in(session, self._channels, conversation, messages)
        if await self._is_for_a_human(session, ledger, conversation, turn, messages, acting.id):
            return None
        capabilities = ledger.can(conversation.account_id)
        turn.status = "running"
        turn.attempts += 1
        turn.first_tried_at = turn.first_tried_at or ledger.now
        contact = acting.contact
        request = TurnRequest(
            turn=TurnId(turn.id),
            sender=acting.sender(conversation),
            text=words_of(conversation, messages),
            intent=intent_from_json(messages[-1].intent),
            # A platform's language that an older release kept with the conversation is no error.
            language=spoken(conversation.language, default=self._rules.default_language),
            tickets=await tickets_of(session, conversation, acting),
            is_shared=acting.is_shared,
            summary=None if contact is None else conversation.episode_summary,
            requester_name=None if contact is None else contact.name,
            is_vip=contact is not None and contact.is_vip,
            channel=conversation.account_id,
            is_by_letter=capabilities is not None and capabilities.joins_turn,
        )
        return TurnPlan(
            turn=request.turn,
            conversation=ConversationId(conversation.id),
            account=AccountId(conversation.account_id),
            thread=ThreadKey(conversation.thread),
            attempt=turn.attempts,
            waiting_since=turn.created_at,
            request=request,
            requester=acting.id,
            known_language=None if contact is None else contact.language,
            language_is_open=not conversation.language_is_chosen and request.intent is None,
        )

    async def _is_for_a_human(
        self,
        session: AsyncSession,
        ledger: Ledger,
        conversation: Conversation,
        turn: Turn,
        messages: Sequence[Message],
        requester: ContactId | None,
    ) -> bool:
        """Hand the conversation off where there are to be no more turns; say whether that is so."""
        is_silent = False
        if await _turns_taken(session, conversation) > self._most_turns(conversation):
            reason = HandoffReason.LOOP
            _finish(turn, "dropped", ledger.now)
        elif not await may_speak(
            session, conversation, ledger.can(conversation.account_id), ledger.now
        ):
            # Perhaps a machine: the notice waits until it may leave, and there is one a day.
            reason = HandoffReason.ANSWER_LIMIT
            is_silent = await was_told_of_limit(session, conversation, ledger.now)
            _finish(turn, "dropped", ledger.now)
        elif turn.attempts >= _MOST_BEGINNINGS:
            # Workers keep dying of it, or its reply can never be written down: a human can help.
            reason = HandoffReason.ASSISTANT_UNAVAILABLE
            turn.error = f"begun {turn.attempts} times without an end"
            _finish(turn, "failed", ledger.now)
            await log_failure(session, conversation, turn, self._rules.default_language)
        else:
            return False
        self._hear_language(conversation, messages)
        await hand_off(
            session, ledger, conversation, reason=reason, silent=is_silent, requester=requester
        )
        return True

    def _hear_language(self, conversation: Conversation, messages: Sequence[Message]) -> None:
        """Let a conversation that no assistant reads have the language of its words."""
        words = [message for message in messages if message.intent is None]
        if self._detector is None or conversation.language_is_chosen or not words:
            return
        told = self._detector.detect(words_of(conversation, words))
        if told is not None:
            conversation.language = told

    def _most_turns(self, conversation: Conversation) -> int:
        capabilities = self._accounts.get(AccountId(conversation.account_id))
        most = None if capabilities is None else capabilities.max_turns
        return self._rules.turn_cap if most is None else min(most, self._rules.turn_cap)

    async def settle(
        self, plan: TurnPlan, reply: TurnReply, composed: Composed | None = None
    ) -> bool:
        """Write the reply to `plan`; False where a human took over or the turn is not ours now.

        `composed` is said in place of the article that it answers with.
        """
        async with storage_errors(), self._sessions.begin() as session:
            await _remember_language(session, plan, reply)
            known = frozenset(ticket.number for ticket in plan.request.tickets)
            addressed = await tickets_to_add_to(session, reply.steps, known)
            held = await all_locked(session, {plan.conversation, *addressed.values()})
            conversation = held[plan.conversation]
            turn = await session.get_one(Turn, plan.turn)
            ledger = Ledger(self._accounts, self._now())
            if turn.status != "running" or turn.attempts != plan.attempt:
                return False
            turn.intent, turn.confidence, turn.model = reply.intent, reply.confidence, reply.model
            turn.ignored = list(reply.ignored)
            if _is_stale(turn, conversation):
                _finish(turn, "dropped", ledger.now)
                await log_turn(
                    session, conversation, plan.request, reply, ledger.now, was_faster=True
                )
                return False
            conversation.language = plan.request.language
            for step in reply.steps:
                if isinstance(step, SetLanguage):
                    conversation.language, conversation.language_is_chosen = step.language, True
            with session.no_autoflush:  # it asks about articles alone
                said = await self._speak(session, ledger, conversation, plan, reply, composed)
            _finish(turn, "done", ledger.now)
            await obey(session, ledger, conversation, reply, addressed, plan.requester)
            left_alone = not said and conversation.responder == Responder.BOT
            reason = HandoffReason.KNOWLEDGE_UNAVAILABLE if left_alone else None
            if reason is not None:
                # Never neither a reply nor a human: say, when the answering article is gone.
                await hand_off(
                    session, ledger, conversation, reason=reason, requester=plan.requester
                )
            await log_turn(
                session, conversation, plan.request, reply, ledger.now, handed_off=reason
            )
            await ledger.write(session)
            return True

    async def _speak(
        self,
        session: AsyncSession,
        ledger: Ledger,
        conversation: Conversation,
        plan: TurnPlan,
        reply: TurnReply,
        composed: Composed | None,
    ) -> int:
        """Say what `reply` says; return how many messages that was."""
        named = articles_in(reply.steps) | set(composed.sources if composed else ())
        articles = await _readable_articles(session, conversation, named)
        language = conversation.language or self._rules.default_language
        said = utterances(reply.steps, articles, language, self._rules.base_url, composed)
        capabilities = self._accounts.get(AccountId(conversation.account_id))
        if capabilities is not None and capabilities.joins_turn:
            said = joined(said)
        for message in said:
            ledger.say(
                conversation, Speaker.BOT, message.text, choices=message.choices, turn=plan.turn
            )
        return len(said)

    async def wake(self, conversation_id: ConversationId) -> None:
        """Have a worker look at a conversation's turns."""
        async with storage_errors(), self._sessions.begin() as session:
            await wake(session, [Lane(LaneKind.TURNS, conversation_id)])

    async def put_back(self, plan: TurnPlan, error: str, *, counts: bool) -> None:
        """Let `plan` be tried again shortly; `counts` says whether this was an attempt."""
        async with storage_errors(), self._sessions.begin() as session:
            await locked(session, plan.conversation)
            turn = await session.get_one(Turn, plan.turn)
            if turn.status == "running" and turn.attempts == plan.attempt:
                turn.status = "waiting"
                turn.error = error
                turn.available_at = self._now() + _PAUSE
                if not counts:
                    turn.attempts -= 1

    async def give_up(self, conversation_id: ConversationId, error: str) -> bool:
        """Queue a conversation for a human because the assistant does not answer.

        False where nothing waits for the assistant any more.
        """
        async with storage_errors(), self._sessions.begin() as session:
            conversation = await locked(session, conversation_id)
            turns = await _under_way(session, conversation_id)
            if conversation.responder != Responder.BOT or not turns:
                return False
            ledger = Ledger(self._accounts, self._now())
            waiting = await messages_of(session, conversation, turns[0])
            self._hear_language(conversation, waiting)
            acting = (
                await acting_in(session, self._channels, conversation, waiting) if waiting else None
            )
            for turn in turns:
                turn.error = error
                _finish(turn, "failed", ledger.now)
                await log_failure(session, conversation, turn, self._rules.default_language)
            await hand_off(
                session,
                ledger,
                conversation,
                reason=HandoffReason.ASSISTANT_UNAVAILABLE,
                requester=None if acting is None else acting.id,
            )
            await ledger.write(session)
            return True

    async def overdue(
        self, limit: int = 100, is_free: Callable[[Any], ColumnElement[bool]] = lambda _: true()
    ) -> list[ConversationId]:
        """Return conversations whose requester has waited for the assistant too long."""
        async with storage_errors(), self._sessions() as session:
            rows = await session.scalars(
                select(Turn.conversation_id)
                .where(
                    is_free(Turn.conversation_id),
                    Turn.status.in_(_UNDER_WAY),
                    Turn.created_at < self._now() - self._rules.deadline,
                )
                .distinct()
                .limit(limit)
            )
            return [ConversationId(row) for row in rows]


async def _remember_language(session: AsyncSession, plan: TurnPlan, reply: TurnReply) -> None:
    """Keep what is learned of who wrote; contacts are changed before conversations are locked."""
    if plan.requester is None:
        return
    chosen = [step.language for step in reply.steps if isinstance(step, SetLanguage)]
    if chosen:
        await choose_language(session, plan.requester, chosen[-1])
    elif plan.told_language is not None:
        await learn_language(session, plan.requester, plan.told_language)


async def _readable_articles(
    session: AsyncSession, conversation: Conversation, named: Collection[ArticleId]
) -> dict[ArticleId, Article]:
    """Return the articles of `named` the requester may read, whatever the assistant thinks."""
    if not named:
        return {}
    reader = Reader(organisation=await organisation_of(session, ConversationId(conversation.id)))
    readable = await visible(session, set(named), reader=reader)
    return await articles_by_id(session, {ArticleId(name) for name in readable})


async def _under_way(session: AsyncSession, conversation: ConversationId) -> Sequence[Turn]:
    rows = await session.scalars(
        select(Turn)
        .where(Turn.conversation_id == conversation, Turn.status.in_(_UNDER_WAY))
        .order_by(Turn.id)
    )
    return rows.all()


def _is_stale(turn: Turn, conversation: Conversation) -> bool:
    return conversation.responder != Responder.BOT or turn.episode != conversation.episode


def _finish(turn: Turn, status: str, now: datetime) -> None:
    turn.status, turn.finished_at = status, now


async def _turns_taken(session: AsyncSession, conversation: Conversation) -> int:
    taken = await session.scalar(
        select(func.count())
        .select_from(Turn)
        .where(Turn.conversation_id == conversation.id, Turn.episode == conversation.episode)
    )
    return taken or 0
