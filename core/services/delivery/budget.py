"""How many machine-made messages one person gets, so that two machines fall silent.

On a channel where a program may answer programs (`Capabilities.answers_per_hour`), a person gets
so many messages of the assistant and of the desk itself at once. Each further one needs a pause
since the one before: an hour, then two, then four. What was sent a day ago no longer counts, nor
what was sent before an agent or an approver last did something about a ticket of theirs: where a
person is, no two machines are alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from core.domain.channel import Capabilities, DeliveryState
from core.domain.conversation import Speaker
from core.domain.ticket import TicketStatus
from core.storage.tables import Conversation, Message, Ticket, TicketEvent

_WINDOW = timedelta(hours=24)
_FIRST_PAUSE = timedelta(hours=1)
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
    theirs = (Conversation.contact_id == conversation.contact_id) & (
        Conversation.account_id == conversation.account_id
    )
    deed = await session.scalar(
        select(func.max(TicketEvent.at))
        .join(Ticket, Ticket.id == TicketEvent.ticket_id)
        .join(Conversation, Conversation.id == Ticket.conversation_id)
        .where(
            theirs,
            TicketEvent.at > since,
            or_(*(TicketEvent.actor.startswith(kind) for kind in _PEOPLE)),
        )
    )
    said = (
        select(Message.at)
        .join(Conversation, Conversation.id == Message.conversation_id)
        .where(
            theirs,
            Message.speaker.in_(_MACHINES),
            Message.is_internal.is_(False),
            Message.delivery.in_(_COUNTED),
            Message.at > since,
            Message.at >= (deed or since),
        )
        .order_by(Message.at)
    )
    if before is not None:
        said = said.where(Message.id < before.id)
    times = (await session.scalars(said)).all()
    return next_moment(times, capabilities.answers_per_hour, now)


def next_moment(times: Sequence[datetime], answers_per_hour: int, now: datetime) -> datetime:
    """Return when one more message is allowed after those of `times`, the latest last."""
    if len(times) < answers_per_hour:
        return now
    pause: timedelta = _FIRST_PAUSE * 2 ** (len(times) - answers_per_hour)
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
        Ticket.created_at == message.at,  # it was opened with these words
        Ticket.status.in_((TicketStatus.SOLVED, TicketStatus.CLOSED)) | answered_since,
    )
    return bool(await session.scalar(select(is_over)))
