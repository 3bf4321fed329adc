"""How many machine-made messages one person gets, so that two machines fall silent.

On a channel where a program may answer programs (`Capabilities.answers_per_hour`), a person gets
so many messages of the assistant and of the desk itself at once. Each further one needs a pause
since the one before left: an hour, then two, then four. What left a day ago no longer counts, nor
what was written before an agent last answered in a ticket of theirs or gave it a status, an
approver decided, or they rated how they were helped: where a person is, no two machines are alone.
What a program does with an agent's token is no person's deed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from core.domain.assistant import HandoffReason
from core.domain.channel import Capabilities, DeliveryAction, DeliveryState
from core.domain.conversation import Speaker
from core.domain.ticket import TicketStatus
from core.storage.tables import Conversation, Delivery, Message, Ticket, TicketEvent

_WINDOW = timedelta(hours=24)
_FIRST_PAUSE = timedelta(hours=1)
_MOST_DOUBLINGS = 5  # that is more than `_WINDOW`
_LONGEST_WAIT = timedelta(days=3)  # between when something is written and when it leaves
_MACHINES = (Speaker.BOT, Speaker.SYSTEM)
_PEOPLE = ("agent:", "approver:")
_COUNTED = (
    DeliveryState.WAITING,
    DeliveryState.SENDING,
    DeliveryState.SENT,
    DeliveryState.PARKED,
)


async def may_speak(
    session: AsyncSession,
    conversation: Conversation,
    capabilities: Capabilities | None,
    now: datetime,
) -> bool:
    """Say whether a machine may write to the person of `conversation` now."""
    return await may_speak_at(session, conversation, capabilities, now) <= now


async def may_speak_at(
    session: AsyncSession,
    conversation: Conversation,
    capabilities: Capabilities | None,
    now: datetime,
    *,
    before: Message | None = None,
) -> datetime:
    """Return when a machine may write to the person of `conversation`: `now`, or later.

    Where the message is written already, it is `before`: what came later does not count.
    """
    if capabilities is None or capabilities.answers_per_hour is None:
        return now
    since = now - _WINDOW
    deed = await _last_deed(session, conversation, since)
    leaves_at = func.greatest(
        Message.at,
        select(func.max(func.coalesce(Delivery.finished_at, Delivery.available_at)))
        .where(Delivery.message_id == Message.id, Delivery.action == DeliveryAction.SEND)
        .scalar_subquery(),
    )
    said = (
        select(leaves_at)
        .join(Conversation, Conversation.id == Message.conversation_id)
        .where(
            _theirs(conversation),
            Message.speaker.in_(_MACHINES),
            Message.is_internal.is_(False),
            Message.delivery.in_(_COUNTED),
            leaves_at > since,
            Message.at >= (deed or since - _LONGEST_WAIT),
        )
        .order_by(leaves_at)
    )
    if before is not None:
        said = said.where(Message.id < before.id)
    times = (await session.scalars(said)).all()
    return next_moment(times, capabilities.answers_per_hour, now)


async def was_told_of_limit(
    session: AsyncSession, conversation: Conversation, now: datetime
) -> bool:
    """Say whether the person of `conversation` was handed to humans for this within a day.

    Where it was a machine that wrote, it would answer each ticket's number with a letter more.
    """
    since = now - _WINDOW
    deed = await _last_deed(session, conversation, since)
    handed_off = (
        select(TicketEvent.id)
        .join(Ticket, Ticket.id == TicketEvent.ticket_id)
        .join(Conversation, Conversation.id == Ticket.conversation_id)
        .where(
            _theirs(conversation),
            TicketEvent.at > (deed or since),
            or_(
                TicketEvent.reason == HandoffReason.ANSWER_LIMIT,
                (TicketEvent.field == "reason") & (TicketEvent.new == HandoffReason.ANSWER_LIMIT),
            ),
        )
    )
    return bool(await session.scalar(select(handed_off.exists())))


async def _last_deed(
    session: AsyncSession, conversation: Conversation, since: datetime
) -> datetime | None:
    """Return when a person last answered, decided or rated something about a ticket of theirs."""
    found: datetime | None = await session.scalar(
        select(func.max(TicketEvent.at))
        .join(Ticket, Ticket.id == TicketEvent.ticket_id)
        .join(Conversation, Conversation.id == Ticket.conversation_id)
        .where(
            _theirs(conversation),
            TicketEvent.at > since,
            or_(
                or_(*(TicketEvent.actor.startswith(kind) for kind in _PEOPLE))
                & TicketEvent.by_program.is_(False)
                & (
                    TicketEvent.field.in_(("status", "request"))
                    | ((TicketEvent.field == "message") & (TicketEvent.reason == "agent"))
                ),
                # A program that answers every mail does not answer with a score alone.
                TicketEvent.field == "satisfaction",
            ),
        )
    )
    return found


def _theirs(conversation: Conversation) -> ColumnElement[bool]:
    """Return what holds of all conversations with the same person."""
    return (Conversation.contact_id == conversation.contact_id) & (
        Conversation.account_id == conversation.account_id
    )


def next_moment(times: Sequence[datetime], answers_per_hour: int, now: datetime) -> datetime:
    """Return when one more message is allowed after those of `times`, the latest last."""
    if len(times) < answers_per_hour:
        return now
    doublings = min(len(times) - answers_per_hour, _MOST_DOUBLINGS)
    pause: timedelta = _FIRST_PAUSE * 2**doublings
    return max(now, times[-1] + min(pause, _WINDOW))


async def is_overtaken(session: AsyncSession, message: Message) -> bool:
    """Say whether `message` announces that somebody will answer, and they have, or all is done."""
    answer = aliased(Message)
    answered_since = exists().where(
        answer.conversation_id == message.conversation_id,
        answer.seq > message.seq,
        answer.speaker == Speaker.AGENT,
        answer.is_internal.is_(False),
    )
    is_over = exists().where(
        Ticket.conversation_id == message.conversation_id,
        or_(  # it was opened, or handed to humans again, with these words
            Ticket.created_at == message.at,
            exists().where(
                TicketEvent.ticket_id == Ticket.id,
                TicketEvent.field == "reason",
                TicketEvent.at == message.at,
            ),
        ),
        Ticket.status.in_((TicketStatus.SOLVED, TicketStatus.CLOSED)) | answered_since,
    )
    return bool(await session.scalar(select(is_over)))
