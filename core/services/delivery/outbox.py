"""The outbox: what must be sent, one message at a time per conversation, and what came of it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import bindparam, delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.account import AccountState, Health
from core.domain.channel import DeliveryAction, DeliveryState, Outbound, Receipt, UncertainPolicy
from core.domain.conversation import Responder, Speaker
from core.domain.errors import (
    BadCredentials,
    DeliveryError,
    Moved,
    Rejected,
    StorageUnavailable,
    Throttled,
    ThrottleScope,
    Unavailable,
    Uncertain,
)
from core.domain.ids import AccountId, Address, ConversationId, DeliveryId, MessageId
from core.services.delivery.backing_off import pause_after
from core.services.delivery.budget import is_overtaken, may_speak_at
from core.services.delivery.moved_threads import follow, living_with
from core.services.delivery.outbound import outbound, receipt_of
from core.services.delivery.pauses import PROBED_EVERY, Gate, gate_of, pause, resume
from core.services.delivery.reopening import home_of, reopen_ticket_of
from core.services.delivery.rest import forget, lost, note, rest_of
from core.services.ledger import Accounts, Ledger
from core.services.locks import all_locked, locked
from core.storage.engine import Sessions, storage_errors
from core.storage.feed import FeedKind
from core.storage.queries.accounts.accounts import write_health
from core.storage.tables import Conversation, Delivery, Message, RemoteMessage
from core.storage.wakeups import LaneKind

_LOGGER = logging.getLogger(__name__)
_UNDER_WAY = (DeliveryState.WAITING, DeliveryState.SENDING)
_MOST_MOVES = 3
_PATIENCE = 3  # times the longest age, for what a platform asks to wait with: it is let in by turns
_WITH_MESSAGE = (
    select(Delivery, Message)
    .join(Message, Message.id == Delivery.message_id)
    .where(Delivery.id == bindparam("delivery"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SendPlan:
    """A message that this worker sends. `attempt` proves it, as for turns."""

    delivery: DeliveryId
    conversation: ConversationId
    attempt: int
    action: DeliveryAction
    message: Outbound
    receipt: Receipt  # what is to be changed or taken back; empty for a message to be sent
    is_probe: bool  # of an account that was paused: the others wait for what comes of it
    may_have_left: bool  # an earlier attempt ended without a word: verify first
    is_last: bool = False  # no other is under way; one that comes later wakes the lane itself


class Outbox:
    """The `deliveries` lane of every conversation."""

    def __init__(
        self,
        sessions: Sessions,
        accounts: Accounts,
        max_age: timedelta = timedelta(hours=24),
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        base_url: str = "",
    ) -> None:
        """Send for `accounts`; `base_url` is where people reach the desk."""
        self._sessions = sessions
        self._accounts = accounts
        self._max_age = max_age
        self._base_url = base_url
        self._now = now

    async def plan(self, conversation_id: ConversationId) -> SendPlan | None:
        """Begin the next due delivery of a conversation; None where nothing is due."""
        async with storage_errors(), self._sessions.begin() as session:
            conversation = await locked(session, conversation_id)
            ledger = Ledger(self._accounts, self._now())
            plan = await self._next(session, conversation, ledger)
            await ledger.write(session)
            return plan

    async def _next(
        self, session: AsyncSession, conversation: Conversation, ledger: Ledger
    ) -> SendPlan | None:
        deliveries = await _under_way(session, ConversationId(conversation.id))
        for delivery in deliveries:
            message = await session.get_one(Message, delivery.message_id)
            receipt = await _changed_by(session, delivery, message)
            if _is_pointless(delivery, message, conversation, receipt):
                forget(message, delivery)
                _finish(delivery, message, DeliveryState.DROPPED, ledger, conversation)
                continue
            if delivery.available_at > ledger.now:
                if delivery.action == DeliveryAction.REST or self._is_held(delivery, message):
                    continue  # what is for others, or said by people, does not wait for those
                return None
            may_leave_at = await self._may_leave_at(
                session, delivery, message, conversation, ledger
            )
            if may_leave_at > ledger.now:
                if ledger.now - delivery.created_at > self._max_age:
                    _finish(delivery, message, DeliveryState.DROPPED, ledger, conversation)
                else:
                    _wait(delivery, message, may_leave_at)
                continue
            if self._is_held(delivery, message) and await is_overtaken(session, message):
                _finish(delivery, message, DeliveryState.DROPPED, ledger, conversation)
                continue
            gate = await gate_of(session, delivery.account_id, ledger.now)
            if gate is Gate.CLOSED:
                return None
            begun = await self._begin(session, delivery, message, conversation, receipt, gate)
            return replace(begun, is_last=delivery is deliveries[-1])
        return None

    async def _begin(
        self,
        session: AsyncSession,
        delivery: Delivery,
        message: Message,
        conversation: Conversation,
        receipt: Receipt,
        gate: Gate,
    ) -> SendPlan:
        may_have_left = delivery.status == DeliveryState.SENDING
        _set(delivery, message, DeliveryState.SENDING)
        delivery.attempts += 1
        capabilities = self._accounts.get(AccountId(delivery.account_id))
        return SendPlan(
            delivery=DeliveryId(delivery.id),
            conversation=ConversationId(conversation.id),
            attempt=delivery.attempts,
            action=DeliveryAction(delivery.action),
            message=replace(
                await outbound(session, conversation, message, capabilities, self._base_url),
                only_to=tuple(map(Address, delivery.only_to or ())),
            ),
            receipt=receipt,
            is_probe=gate is Gate.PROBE,
            may_have_left=may_have_left,
        )

    async def _may_leave_at(
        self,
        session: AsyncSession,
        delivery: Delivery,
        message: Message,
        conversation: Conversation,
        ledger: Ledger,
    ) -> datetime:
        """Return when the desk's own words may go out; people's always may."""
        if message.speaker != Speaker.SYSTEM:
            return ledger.now  # the assistant was asked before it spoke
        if delivery.action == DeliveryAction.REST:
            return ledger.now  # it counted when the others got it
        can = ledger.can(conversation.account_id)
        return await may_speak_at(session, conversation, can, ledger.now, before=message)

    def _is_held(self, delivery: Delivery, message: Message) -> bool:
        """Say whether what waits does so because its person had so many of the desk's words."""
        can = self._accounts.get(AccountId(delivery.account_id))
        has_budget = can is not None and can.answers_per_hour is not None
        return has_budget and message.speaker == Speaker.SYSTEM and delivery.attempts == 0

    async def settle(self, plan: SendPlan, outcome: Receipt | DeliveryError) -> None:
        """Write what came of an attempt."""
        async with storage_errors(), self._sessions.begin() as session:
            held = {plan.conversation}
            if isinstance(outcome, Moved):
                held |= await living_with(session, plan.conversation)
            if plan.action == DeliveryAction.REST or not isinstance(outcome, Receipt):
                held |= await home_of(session, plan.conversation)
            conversation = (await all_locked(session, held))[plan.conversation]
            ledger = Ledger(self._accounts, self._now())
            await self._settle(session, conversation, ledger, plan, outcome)
            await ledger.write(session)

    async def settle_and_plan(self, plan: SendPlan, receipt: Receipt) -> SendPlan | None:
        """Write that a message was sent and begin the next due delivery of its conversation.

        In one transaction: each holds the conversation and waits for the disk. Where that raises,
        what was sent is written all the same, before what comes next is tried by itself.
        """
        try:
            return await self._settle_and_plan(plan, receipt)
        except StorageUnavailable:
            raise
        except Exception as error:  # noqa: BLE001  # `plan` raises it again
            _LOGGER.warning("message %s is settled by itself: %r", plan.message.message, error)
        await self.settle(plan, receipt)
        return await self.plan(plan.conversation)

    async def _settle_and_plan(self, plan: SendPlan, receipt: Receipt) -> SendPlan | None:
        async with storage_errors(), self._sessions.begin() as session:
            held = {plan.conversation}
            if plan.action == DeliveryAction.REST:
                held |= await home_of(session, plan.conversation)
            conversation = (await all_locked(session, held))[plan.conversation]
            ledger = Ledger(self._accounts, self._now())
            await self._settle(session, conversation, ledger, plan, receipt)
            await ledger.write(session)  # what comes next may refer to what was sent
            following = await self._next(session, conversation, ledger)
            await ledger.write(session)
            return following

    async def _settle(
        self,
        session: AsyncSession,
        conversation: Conversation,
        ledger: Ledger,
        plan: SendPlan,
        outcome: Receipt | DeliveryError,
    ) -> None:
        row = await session.execute(_WITH_MESSAGE, {"delivery": plan.delivery})
        delivery, message = row.one()
        if delivery.status != DeliveryState.SENDING or delivery.attempts != plan.attempt:
            return
        if plan.is_probe and not isinstance(outcome, BadCredentials):
            # Where it was throttled again, `_fail` pauses anew, for as long as is asked now.
            await resume(session, AccountId(delivery.account_id), outcome, ledger.now)
        if isinstance(outcome, Receipt):
            await _name(session, ledger, conversation, plan, outcome)
            delivery.error = outcome.detail or None
            _finish(delivery, message, DeliveryState.SENT, ledger, conversation)
            if outcome.put_off:
                session.add(rest_of(delivery, outcome.put_off, ledger.now))
        else:
            delivery.error = str(outcome) or type(outcome).__name__
            await self._fail(session, delivery, message, outcome, ledger, conversation)
        note(message, delivery, outcome)
        if plan.action != DeliveryAction.REST:
            message.delivery_detail = delivery.error
            if plan.action == DeliveryAction.SEND and delivery.status == DeliveryState.FAILED:
                await reopen_ticket_of(session, conversation, message, ledger)
        elif reason := lost(plan.message, message):
            if message.delivery != DeliveryState.FAILED:  # else it came back, for another reason
                message.delivery, message.delivery_detail = DeliveryState.FAILED, reason
            await reopen_ticket_of(session, conversation, message, ledger)

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
            case BadCredentials():
                account = AccountId(delivery.account_id)
                delivery.attempts -= 1
                until = ledger.now + PROBED_EVERY
                await pause(session, account, until, delivery.error)
                health = Health(
                    state=AccountState.BAD_CREDENTIALS, reason=str(error), remedy=error.remedy
                )
                await write_health(session, account, health, ledger.now)
                self._wait_or_fail(delivery, message, until, ledger, conversation)
            case Moved():
                await follow(session, conversation, error.new_thread)
                ledger.changed(conversation, FeedKind.CONVERSATION)
                if delivery.attempts > _MOST_MOVES:
                    self._retry(delivery, message, ledger, conversation)
                else:
                    _wait(delivery, message, ledger.now)
            case Throttled():
                delivery.attempts -= 1
                until = ledger.now + timedelta(seconds=error.retry_after)
                self._wait_or_fail(
                    delivery, message, until, ledger, conversation, _PATIENCE * self._max_age
                )
                if error.scope == ThrottleScope.ACCOUNT:
                    await pause(session, delivery.account_id, until, delivery.error)
            case Uncertain():
                capabilities = self._accounts.get(AccountId(delivery.account_id))
                is_parked = capabilities is None or (
                    capabilities.when_uncertain == UncertainPolicy.PARK
                )
                if is_parked and delivery.action == DeliveryAction.SEND:
                    _finish(delivery, message, DeliveryState.PARKED, ledger, conversation)
                elif is_parked and delivery.action == DeliveryAction.REST:
                    _finish(delivery, message, DeliveryState.FAILED, ledger, conversation)
                else:
                    self._retry(delivery, message, ledger, conversation)
            case Unavailable() | _:
                self._retry(delivery, message, ledger, conversation)

    def _retry(
        self, delivery: Delivery, message: Message, ledger: Ledger, conversation: Conversation
    ) -> None:
        until = ledger.now + pause_after(delivery.attempts)
        self._wait_or_fail(delivery, message, until, ledger, conversation)

    def _wait_or_fail(
        self,
        delivery: Delivery,
        message: Message,
        until: datetime,
        ledger: Ledger,
        conversation: Conversation,
        max_age: timedelta | None = None,
    ) -> None:
        if ledger.now - delivery.created_at > (max_age or self._max_age):
            _finish(delivery, message, DeliveryState.FAILED, ledger, conversation)
        else:
            _wait(delivery, message, until)

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
            await session.refresh(delivery)
            if delivery.status != DeliveryState.PARKED:
                return  # another agent was first
            message = await session.get_one(Message, message_id)
            ledger = Ledger(self._accounts, self._now())
            if resend:
                _wait(delivery, message, ledger.now)
                delivery.finished_at = None
                ledger.wake(LaneKind.DELIVERIES, conversation)
                ledger.changed(conversation, FeedKind.MESSAGE)
            else:
                _finish(delivery, message, DeliveryState.SENT, ledger, conversation)
            await ledger.write(session)


async def _under_way(session: AsyncSession, conversation: ConversationId) -> Sequence[Delivery]:
    rows = await session.scalars(
        select(Delivery)
        .where(Delivery.conversation_id == conversation, Delivery.status.in_(_UNDER_WAY))
        .order_by(Delivery.id)
    )
    return rows.all()


async def _changed_by(session: AsyncSession, delivery: Delivery, message: Message) -> Receipt:
    """Return what a correction or a withdrawal is about."""
    if delivery.action == DeliveryAction.SEND:
        return Receipt(remote_ids=())
    return await receipt_of(session, message)


def _is_pointless(
    delivery: Delivery, message: Message, conversation: Conversation, receipt: Receipt
) -> bool:
    if delivery.action == DeliveryAction.SEND:
        # A human took over: the assistant must not speak after that.
        return message.speaker == Speaker.BOT and conversation.responder == Responder.HUMAN
    is_gone = delivery.action != DeliveryAction.REMOVE and message.removed_at is not None
    return is_gone or not receipt.remote_ids


async def _name(
    session: AsyncSession,
    ledger: Ledger,
    conversation: Conversation,
    plan: SendPlan,
    receipt: Receipt,
) -> None:
    """Remember what the platform calls the message now."""
    if plan.action in (DeliveryAction.REMOVE, DeliveryAction.REST):
        return
    if plan.action == DeliveryAction.EDIT:
        await session.execute(
            delete(RemoteMessage).where(RemoteMessage.message_id == plan.message.message)
        )
    ledger.name_remotely(conversation, plan.message.message, receipt.remote_ids)


def _set(delivery: Delivery, message: Message, state: DeliveryState) -> None:
    """Let `delivery` be in `state`; a message whose correction is under way was sent before."""
    delivery.status = state
    if delivery.action == DeliveryAction.SEND:
        message.delivery = state


def _finish(
    delivery: Delivery,
    message: Message,
    state: DeliveryState,
    ledger: Ledger,
    conversation: Conversation,
) -> None:
    _set(delivery, message, state)
    delivery.finished_at = ledger.now
    ledger.changed(conversation, FeedKind.MESSAGE)


def _wait(delivery: Delivery, message: Message, until: datetime) -> None:
    _set(delivery, message, DeliveryState.WAITING)
    delivery.available_at = until
