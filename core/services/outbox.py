"""The outbox: what must be sent, one message at a time per conversation, and what came of it."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.channel import DeliveryState, Outbound, Receipt, UncertainPolicy
from core.domain.content import Body, Choice, Intent
from core.domain.conversation import Responder, Speaker
from core.domain.errors import (
    DeliveryError,
    Rejected,
    Throttled,
    ThrottleScope,
    Unavailable,
    Uncertain,
)
from core.domain.ids import (
    AccountId,
    ChoiceId,
    ConversationId,
    DeliveryId,
    MessageId,
    ThreadKey,
)
from core.services.ledger import Accounts, Ledger
from core.services.turns import locked
from core.storage.engine import Sessions, storage_errors
from core.storage.feed import FeedKind
from core.storage.tables import Account, ChoiceRow, Conversation, Delivery, Message

_UNDER_WAY = (DeliveryState.WAITING, DeliveryState.SENDING)
_FIRST_PAUSE_SECONDS = 2.0
_LONGEST_PAUSE_SECONDS = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SendPlan:
    """A message that this worker sends. `attempt` proves it, as for turns."""

    delivery: DeliveryId
    conversation: ConversationId
    attempt: int
    message: Outbound
    may_have_left: bool  # an earlier attempt ended without a word: verify first


class Outbox:
    """The `deliveries` lane of every conversation."""

    def __init__(
        self,
        sessions: Sessions,
        accounts: Accounts,
        max_age: timedelta = timedelta(hours=24),
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._sessions = sessions
        self._accounts = accounts
        self._max_age = max_age
        self._now = now

    async def plan(self, conversation_id: ConversationId) -> SendPlan | None:
        """Begin the next due delivery of a conversation; None where nothing is due."""
        async with storage_errors(), self._sessions.begin() as session:
            conversation = await locked(session, conversation_id)
            ledger = Ledger(self._accounts, self._now())
            plan = None
            for delivery in await _under_way(session, conversation_id):
                message = await session.get_one(Message, delivery.message_id)
                if _is_late_word(message, conversation):
                    # A human took over: the assistant must not speak after that.
                    _finish(delivery, message, DeliveryState.DROPPED, ledger, conversation)
                    continue
                if delivery.available_at <= ledger.now and not await _is_paused(
                    session, delivery, ledger.now
                ):
                    plan = await _begin(session, delivery, message, conversation)
                break
            await ledger.write(session)
            return plan

    async def settle(self, plan: SendPlan, outcome: Receipt | DeliveryError) -> None:
        """Write what came of an attempt."""
        async with storage_errors(), self._sessions.begin() as session:
            conversation = await locked(session, plan.conversation)
            delivery = await session.get_one(Delivery, plan.delivery)
            if delivery.status != DeliveryState.SENDING or delivery.attempts != plan.attempt:
                return
            message = await session.get_one(Message, delivery.message_id)
            ledger = Ledger(self._accounts, self._now())
            if isinstance(outcome, Receipt):
                ledger.name_remotely(conversation, MessageId(message.id), outcome.remote_ids)
                _finish(delivery, message, DeliveryState.SENT, ledger, conversation)
            else:
                delivery.error = str(outcome) or type(outcome).__name__
                message.delivery_detail = delivery.error
                await self._fail(session, delivery, message, outcome, ledger, conversation)
            await ledger.write(session)

    async def _fail(
        self,
        session: AsyncSession,
        delivery: Delivery,
        message: Message,
        error: DeliveryError,
        ledger: Ledger,
        conversation: Conversation,
    ) -> None:
        match error:
            case Rejected():
                _finish(delivery, message, DeliveryState.FAILED, ledger, conversation)
            case Throttled():
                delivery.attempts -= 1
                until = ledger.now + timedelta(seconds=error.retry_after)
                _wait(delivery, message, until)
                if error.scope == ThrottleScope.ACCOUNT:
                    await _pause(session, delivery.account_id, until, delivery.error)
            case Uncertain():
                policy = self._accounts[AccountId(delivery.account_id)].when_uncertain
                if policy == UncertainPolicy.PARK:
                    _finish(delivery, message, DeliveryState.PARKED, ledger, conversation)
                else:
                    self._retry(delivery, message, ledger, conversation)
            case Unavailable() | _:
                self._retry(delivery, message, ledger, conversation)

    def _retry(
        self, delivery: Delivery, message: Message, ledger: Ledger, conversation: Conversation
    ) -> None:
        if ledger.now - delivery.created_at > self._max_age:
            _finish(delivery, message, DeliveryState.FAILED, ledger, conversation)
        else:
            _wait(delivery, message, ledger.now + pause_after(delivery.attempts))

    async def unpark(self, message_id: MessageId, *, resend: bool) -> None:
        """Settle a parked message as the agent decided: send it again or count it as sent."""
        async with storage_errors(), self._sessions.begin() as session:
            delivery = await session.scalar(
                select(Delivery).where(
                    Delivery.message_id == message_id, Delivery.status == DeliveryState.PARKED
                )
            )
            if delivery is None:
                return
            conversation = await locked(session, ConversationId(delivery.conversation_id))
            message = await session.get_one(Message, message_id)
            ledger = Ledger(self._accounts, self._now())
            if resend:
                _wait(delivery, message, ledger.now)
                delivery.finished_at = None
            else:
                _finish(delivery, message, DeliveryState.SENT, ledger, conversation)
            await ledger.write(session)


def pause_after(attempts: int) -> timedelta:
    """Return how long to wait after `attempts` failed ones: doubling, with jitter."""
    longest = min(_FIRST_PAUSE_SECONDS * 2 ** max(attempts - 1, 0), _LONGEST_PAUSE_SECONDS)
    return timedelta(seconds=longest * random.uniform(0.5, 1.0))  # noqa: S311


async def _under_way(session: AsyncSession, conversation: ConversationId) -> Sequence[Delivery]:
    rows = await session.scalars(
        select(Delivery)
        .where(Delivery.conversation_id == conversation, Delivery.status.in_(_UNDER_WAY))
        .order_by(Delivery.id)
    )
    return rows.all()


def _is_late_word(message: Message, conversation: Conversation) -> bool:
    return message.speaker == Speaker.BOT and conversation.responder == Responder.HUMAN


async def _is_paused(session: AsyncSession, delivery: Delivery, now: datetime) -> bool:
    account = await session.get(Account, delivery.account_id)
    return account is not None and account.paused_until is not None and account.paused_until > now


async def _begin(
    session: AsyncSession, delivery: Delivery, message: Message, conversation: Conversation
) -> SendPlan:
    may_have_left = delivery.status == DeliveryState.SENDING
    delivery.status = message.delivery = DeliveryState.SENDING
    delivery.attempts += 1
    choices = await session.scalars(select(ChoiceRow).where(ChoiceRow.message_id == message.id))
    return SendPlan(
        delivery=DeliveryId(delivery.id),
        conversation=ConversationId(conversation.id),
        attempt=delivery.attempts,
        may_have_left=may_have_left,
        message=Outbound(
            message=MessageId(message.id),
            account=AccountId(delivery.account_id),
            conversation=ConversationId(conversation.id),
            thread=ThreadKey(conversation.thread),
            speaker=Speaker(message.speaker),
            body=Body(text=message.text, html=message.html),
            choices=_in_shown_order(message, {choice.id: choice for choice in choices}),
            language=message.language or "en",
        ),
    )


def _in_shown_order(message: Message, rows: dict[UUID, ChoiceRow]) -> tuple[Choice, ...]:
    shown = [rows[UUID(choice["id"])] for choice in message.choices]
    return tuple(
        Choice(
            id=ChoiceId(row.id),
            label=row.label,
            intent=Intent(name=row.intent, entities=row.entities),
        )
        for row in shown
    )


def _finish(
    delivery: Delivery,
    message: Message,
    state: DeliveryState,
    ledger: Ledger,
    conversation: Conversation,
) -> None:
    delivery.status = message.delivery = state
    delivery.finished_at = ledger.now
    ledger.changed(conversation, FeedKind.MESSAGE)


def _wait(delivery: Delivery, message: Message, until: datetime) -> None:
    delivery.status = message.delivery = DeliveryState.WAITING
    delivery.available_at = until


async def _pause(session: AsyncSession, account: str, until: datetime, reason: str | None) -> None:
    await session.execute(
        update(Account)
        .where(
            Account.id == account,
            or_(Account.paused_until.is_(None), Account.paused_until < until),
        )
        .values(paused_until=until, pause_reason=reason)
    )
