"""How many machine-made messages one person gets, so that two machines fall silent.

On a channel where a program may answer programs (`Capabilities.answers_per_hour`), a person gets
so many messages of the assistant and of the desk itself at once. Each further one needs a pause
since the one before: an hour, then two, then four. What was sent a day ago no longer counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.channel import Capabilities, DeliveryState
from core.domain.conversation import Speaker
from core.storage.tables import Conversation, Message

_WINDOW = timedelta(hours=24)
_FIRST_PAUSE = timedelta(hours=1)
_MACHINES = (Speaker.BOT, Speaker.SYSTEM)
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
    *,
    before: Message | None = None,
) -> bool:
    """Say whether a machine may write to the person of `conversation` now.

    Where the message is written already, it is `before`: what came later does not count.
    """
    if capabilities is None or capabilities.answers_per_hour is None:
        return True
    said = (
        select(Message.at)
        .join(Conversation, Conversation.id == Message.conversation_id)
        .where(
            Conversation.contact_id == conversation.contact_id,
            Conversation.account_id == conversation.account_id,
            Message.speaker.in_(_MACHINES),
            Message.is_internal.is_(False),
            Message.delivery.in_(_COUNTED),
            Message.at > now - _WINDOW,
        )
        .order_by(Message.at)
    )
    if before is not None:
        said = said.where(Message.id < before.id)
    times = (await session.scalars(said)).all()
    return is_within(times, capabilities.answers_per_hour, now)


def is_within(times: Sequence[datetime], answers_per_hour: int, now: datetime) -> bool:
    """Say whether one more message is allowed after those of `times`, the latest last."""
    if len(times) < answers_per_hour:
        return True
    pause: timedelta = _FIRST_PAUSE * 2 ** (len(times) - answers_per_hour)
    return now - times[-1] >= pause
