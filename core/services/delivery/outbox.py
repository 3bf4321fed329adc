"""The outbox: what must be sent, one message at a time per conversation, and what came of it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.account import AccountState, Health
from core.domain.channel import (
    DeliveryAction,
    DeliveryState,
    HeldBack,
    Outbound,
    Receipt,
    UncertainPolicy,
    Verdict,
)
from core.domain.conversation import Speaker
from core.domain.errors import (
    BadCredentials,
    CannotSay,
    Conflict,
    DeliveryError,
    Moved,
    NotWanted,
    Rejected,
    SentInPart,
    StorageUnavailable,
    Throttled,
    ThrottleScope,
    Unavailable,
    Uncertain,
)
from core.domain.ids import AccountId, Address, ConversationId, DeliveryId, MessageId
from core.services.delivery.actions import Item, held_while_settling
from core.services.delivery.backing_off import pause_after
from core.services.delivery.budget import is_overtaken, may_speak_at
from core.services.delivery.moved_threads import follow, living_with
from core.services.delivery.outbound import outbound
from core.services.delivery.pauses import PROBED_EVERY, Gate, gate_of, pause, resume
from core.services.delivery.rest import forget, note, rest_of
from core.services.ledger import Accounts, Ledger
from core.services.locks import all_locked, locked
from core.storage.engine import Sessions, storage_errors
from core.storage.feed import FeedKind
from core.storage.queries.accounts.accounts import write_health
from core.storage.tables import Conversation, Delivery, Message
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
    is_sent_again: bool = False  # an agent wants it, who was asked whether it arrived
    is_wanted: bool = True  # else it is only found out whether it has left
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
            item = Item(
                session=session,
                ledger=ledger,
                conversation=conversation,
                delivery=delivery,
                message=await session.get_one(Message, delivery.message_id),
            )
            subject = await item.action.subject(item)
            is_wanted = not item.action.is_pointless(item, subject)
            is_open = delivery.action == DeliveryAction.SEND and _may_have_left(delivery)
            if not is_wanted and not is_open:
                forget(item.message, delivery)
                _drop(item, _why_unwanted(item))
                continue
            is_held = self._is_held(item)
            if delivery.available_at > ledger.now and not is_held:
                if item.action.holds_up:
                    return None
                continue
            may_leave_at = await _may_leave_at(item)  # perhaps sooner than when it was held
            if may_leave_at > ledger.now:
                self._hold(item, may_leave_at)
                continue
            if is_held and await is_overtaken(session, item.message):
                _drop(item, HeldBack.OVERTAKEN)
                continue
            gate = await gate_of(session, delivery.account_id, ledger.now)
            if gate is Gate.CLOSED:
                return None
            begun = await self._begin(item, subject, gate)
            return replace(begun, is_last=delivery is deliveries[-1], is_wanted=is_wanted)
        return None

    async def _begin(self, item: Item, subject: Receipt, gate: Gate) -> SendPlan:
        session, conversation, delivery = item.session, item.conversation, item.delivery
        may_have_left = _may_have_left(delivery)
        _set(item, DeliveryState.SENDING)
        delivery.attempts += 1
        capabilities = self._accounts.get(AccountId(delivery.account_id))
        return SendPlan(
            delivery=DeliveryId(delivery.id),
            conversation=ConversationId(conversation.id),
            attempt=delivery.attempts,
            action=DeliveryAction(delivery.action),
            message=replace(
                await outbound(session, conversation, item.message, capabilities, self._base_url),
                only_to=tuple(map(Address, delivery.only_to or ())),
            ),
            receipt=subject,
            is_probe=gate is Gate.PROBE,
            may_have_left=may_have_left,
            is_sent_again=delivery.finished_at is not None and not may_have_left,
        )

    def _is_held(self, item: Item) -> bool:
        """Say whether what waits does so because its person had so many of the desk's words.

        What others say does not wait for that, but for an attempt that failed: `_hold` forgets
        the error of one that was made before.
        """
        can = self._accounts.get(AccountId(item.delivery.account_id))
        has_budget = can is not None and can.answers_per_hour is not None
        is_desks = item.message.speaker == Speaker.SYSTEM
        waits_for_attempt = _may_have_left(item.delivery) or item.delivery.error is not None
        return has_budget and is_desks and not waits_for_attempt

    def _hold(self, item: Item, until: datetime) -> None:
        """Keep back what its person has had enough of for now; `until` then, a day at most."""
        last_moment = _begun_at(item.delivery) + self._max_age
        if item.ledger.now >= last_moment:
            _drop(item, HeldBack.TOO_MANY)
            return
        item.delivery.error = item.message.delivery_detail = None
        _wait(item, min(until, last_moment))

    async def settle(self, plan: SendPlan, outcome: Receipt | DeliveryError) -> None:
        """Write what came of an attempt."""
        async with storage_errors(), self._sessions.begin() as session:
            held = await held_while_settling(session, plan.action, plan.conversation, outcome)
            why = outcome.cause if isinstance(outcome, CannotSay) else outcome
            if isinstance(why, Moved):
                held |= await living_with(session, plan.conversation)
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
            held = await held_while_settling(session, plan.action, plan.conversation, receipt)
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
        item = Item(
            session=session,
            ledger=ledger,
            conversation=conversation,
            delivery=delivery,
            message=message,
        )
        if plan.is_probe and not isinstance(outcome, BadCredentials):
            # Where it was throttled again, `_fail` pauses anew, for as long as is asked now.
            await resume(session, AccountId(delivery.account_id), outcome, ledger.now)
        if isinstance(outcome, Receipt):
            begun_at = _begun_at(delivery)
            await item.action.name(item, outcome)
            delivery.error = outcome.detail or None
            _finish(item, DeliveryState.SENT)
            if outcome.put_off:
                session.add(rest_of(delivery, outcome.put_off, begun_at, ledger.now))
        else:
            delivery.error = str(outcome) or type(outcome).__name__
            await self._fail(item, outcome)
        note(message, delivery, outcome)
        await item.action.conclude(item, plan.message)

    async def _fail(self, item: Item, error: DeliveryError, *, is_in_doubt: bool = False) -> None:
        session, ledger, delivery = item.session, item.ledger, item.delivery
        account = AccountId(delivery.account_id)
        match error:
            case CannotSay():
                await self._fail(item, error.cause, is_in_doubt=True)
            case NotWanted():
                delivery.error = _why_unwanted(item)
                _finish(item, DeliveryState.DROPPED)
            case Rejected():
                _finish(item, DeliveryState.FAILED)
            case BadCredentials():
                delivery.attempts -= 1
                until = ledger.now + PROBED_EVERY
                await pause(session, account, until, delivery.error)
                health = Health(
                    state=AccountState.BAD_CREDENTIALS, reason=str(error), remedy=error.remedy
                )
                await write_health(session, account, health, ledger.now)
                self._wait_or_fail(item, until, is_in_doubt=is_in_doubt)
            case Moved():
                await follow(session, item.conversation, error.new_thread)
                ledger.changed(item.conversation, FeedKind.CONVERSATION)
                if delivery.attempts > _MOST_MOVES:
                    self._retry(item, is_in_doubt=is_in_doubt)
                else:
                    _wait(item, ledger.now, is_in_doubt=is_in_doubt)
            case Throttled():
                delivery.attempts -= 1
                until = ledger.now + timedelta(seconds=error.retry_after)
                patience = _PATIENCE * self._max_age
                self._wait_or_fail(item, until, patience, is_in_doubt=is_in_doubt)
                if error.scope == ThrottleScope.ACCOUNT:
                    await pause(session, account, until, delivery.error)
            case Uncertain() if not is_in_doubt:
                await self._fail_in_doubt(item, error)
            case Unavailable() | _:
                self._retry(item, is_in_doubt=is_in_doubt)

    async def _fail_in_doubt(self, item: Item, error: Uncertain) -> None:
        """Leave to an agent, or to another attempt, what the platform cannot be asked about."""
        in_doubt = item.action.in_doubt
        parks = in_doubt == DeliveryState.PARKED
        is_unwanted = parks and item.action.is_pointless(item, await item.action.subject(item))
        is_left = is_unwanted or isinstance(error, SentInPart)
        if in_doubt is not None and (is_left or self._parks(AccountId(item.delivery.account_id))):
            _finish(item, in_doubt)
        else:
            self._retry(item, is_in_doubt=parks)

    def _parks(self, account: AccountId) -> bool:
        """Say whether what may have been sent is not sent again by itself."""
        capabilities = self._accounts.get(account)
        return capabilities is None or capabilities.when_uncertain == UncertainPolicy.PARK

    def _retry(self, item: Item, *, is_in_doubt: bool = False) -> None:
        until = item.ledger.now + pause_after(item.delivery.attempts)
        self._wait_or_fail(item, until, is_in_doubt=is_in_doubt)

    def _wait_or_fail(
        self,
        item: Item,
        until: datetime,
        max_age: timedelta | None = None,
        *,
        is_in_doubt: bool = False,
    ) -> None:
        if item.ledger.now - _begun_at(item.delivery) <= (max_age or self._max_age):
            _wait(item, until, is_in_doubt=is_in_doubt)
        elif is_in_doubt:  # whatever the policy: it has been sent again for as long as that
            _finish(item, item.action.in_doubt or DeliveryState.FAILED)
        else:
            _finish(item, DeliveryState.FAILED)

    async def unpark(self, message_id: MessageId, verdict: Verdict) -> None:
        """Settle a parked message as an agent decided.

        Raises:
            Conflict: it was taken back, so it is not sent again.
        """
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
            ledger = Ledger(self._accounts, self._now())
            item = Item(
                session=session,
                ledger=ledger,
                conversation=conversation,
                delivery=delivery,
                message=await session.get_one(Message, message_id),
            )
            match verdict:
                case Verdict.RESEND if item.message.removed_at is not None:
                    raise Conflict("this message was taken back: it is not sent again")
                case Verdict.RESEND:
                    _wait(item, ledger.now)
                    delivery.finished_at = ledger.now
                    ledger.wake(LaneKind.DELIVERIES, conversation)
                    ledger.changed(conversation, FeedKind.MESSAGE)
                case Verdict.NEVER:
                    _drop(item, None)
                case Verdict.ARRIVED:
                    _finish(item, DeliveryState.SENT)
            await ledger.write(session)


def _may_have_left(delivery: Delivery) -> bool:
    """Say whether an attempt was begun whose end nobody wrote down."""
    return delivery.status == DeliveryState.SENDING


def _begun_at(delivery: Delivery) -> datetime:
    """Return since when `delivery` is under way: an agent may have had it sent again."""
    return delivery.finished_at or delivery.created_at


async def _under_way(session: AsyncSession, conversation: ConversationId) -> Sequence[Delivery]:
    rows = await session.scalars(
        select(Delivery)
        .where(Delivery.conversation_id == conversation, Delivery.status.in_(_UNDER_WAY))
        .order_by(Delivery.id)
    )
    return rows.all()


async def _may_leave_at(item: Item) -> datetime:
    """Return when the desk's own words may go out; people's always may."""
    ledger, conversation, message = item.ledger, item.conversation, item.message
    if message.speaker != Speaker.SYSTEM or not item.action.is_counted:
        return ledger.now  # the assistant was asked before it spoke
    if _may_have_left(item.delivery):
        return ledger.now  # it was let out already, and what comes after it waits for the end
    can = ledger.can(conversation.account_id)
    return await may_speak_at(item.session, conversation, can, ledger.now, before=message)


def _set(item: Item, state: DeliveryState) -> None:
    item.delivery.status = state
    item.action.show(item.message, state)


def _finish(item: Item, state: DeliveryState) -> None:
    _set(item, state)
    item.delivery.finished_at = item.ledger.now
    item.ledger.changed(item.conversation, FeedKind.MESSAGE)


def _drop(item: Item, why: HeldBack | None) -> None:
    """Never send it; why so stands at the message whose sending it is."""
    _finish(item, DeliveryState.DROPPED)
    if item.message.delivery == DeliveryState.DROPPED:
        item.message.delivery_detail = why


def _why_unwanted(item: Item) -> HeldBack | None:
    """Return why a message that an agent did not take back is not sent any more."""
    return None if item.message.removed_at is not None else HeldBack.TAKEN_OVER


def _wait(item: Item, until: datetime, *, is_in_doubt: bool = False) -> None:
    """Leave it for later; in doubt, it counts as under way, so that it is verified first."""
    _set(item, DeliveryState.SENDING if is_in_doubt else DeliveryState.WAITING)
    item.delivery.available_at = until
