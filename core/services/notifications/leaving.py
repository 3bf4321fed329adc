"""Leaves notices for agents, each as far as they want to hear of such."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.ids import TicketId, new_id
from core.domain.notification import (
    NOT_MAILED,
    UNREAD_FOR,
    UNREAD_FOR_CHAT,
    URGENT,
    Notice,
    QuietHours,
    Reach,
    Wish,
)
from core.storage.queries.access.sight import hidden_from
from core.storage.tables import Notification, NotificationWish


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What one agent is told of one ticket."""

    agent: UUID
    ticket: TicketId
    notice: Notice
    by: str  # the actor
    detail: str = ""


async def leave(session: AsyncSession, told: Sequence[Told], now: datetime) -> int:
    """Leave notices; return how many were left.

    Left out are those that their agents do not want, and what they do not see of closed teams.
    """
    hidden = await hidden_from(session, {(each.agent, each.ticket) for each in told})
    told = [each for each in told if (each.agent, each.ticket) not in hidden]
    wishes = await wishes_of_agents(session, {each.agent for each in told})
    left = [
        Notification(
            id=new_id(),
            agent_id=each.agent,
            ticket_id=each.ticket,
            notice=each.notice,
            by=each.by,
            detail=each.detail,
            created_at=now,
            mail_at=mail_at(each.notice, wishes.get(each.agent), now + UNREAD_FOR),
            chat_at=chat_at(each.notice, wishes.get(each.agent), now + UNREAD_FOR_CHAT),
        )
        for each in told
        if _reach(each.notice, wishes.get(each.agent)) is not Reach.NOWHERE
    ]
    session.add_all(left)
    return len(left)


async def wishes_of_agents(
    session: AsyncSession, agents: Iterable[UUID]
) -> Mapping[UUID, NotificationWish | None]:
    """Return how agents wish to be told; of each it is read once in a session."""
    known: dict[UUID, NotificationWish | None] = session.info.setdefault(NotificationWish, {})
    missing = set(agents) - known.keys()
    if missing:
        known.update(dict.fromkeys(missing))
        rows = await session.scalars(
            select(NotificationWish).where(NotificationWish.agent_id.in_(missing))
        )
        known.update((row.agent_id, row) for row in rows)
    return known


def reaches(kinds: Mapping[str, str]) -> Mapping[Notice, Reach]:
    """Return how far each kind of notice goes to somebody whose wishes are kept as `kinds`."""
    return {notice: Reach(kinds.get(notice, Reach.EVERYWHERE)) for notice in Notice}


def _reach(notice: Notice, wish: NotificationWish | None) -> Reach:
    return Reach.EVERYWHERE if wish is None else reaches(wish.kinds)[notice]


def mail_at(notice: Notice, wish: NotificationWish | None, at: datetime) -> datetime | None:
    """Return when, from `at` on, a notice may be mailed to who wishes so; None: never."""
    if notice in NOT_MAILED:
        return None
    mail = Wish.UNREAD if wish is None else Wish(wish.mail)
    return _when(notice, mail, wish, at)


def chat_at(notice: Notice, wish: NotificationWish | None, at: datetime) -> datetime | None:
    """Return when, from `at` on, a notice may be written in chat; None: never."""
    if wish is None or wish.chat_address is None:
        return None
    return _when(notice, Wish(wish.chat), wish, at)


def _when(
    notice: Notice, wanted: Wish, wish: NotificationWish | None, at: datetime
) -> datetime | None:
    """Return when an agent is told outside the console, quiet hours observed; None: not at all."""
    if wanted is Wish.NEVER or (wanted is Wish.URGENT and notice not in URGENT):
        return None
    if _reach(notice, wish) is not Reach.EVERYWHERE:
        return None
    if wish is None or wish.quiet_from is None or wish.quiet_until is None:
        return at
    zone = ZoneInfo(wish.time_zone or "UTC")
    return QuietHours(starts=wish.quiet_from, ends=wish.quiet_until, zone=zone).after(at)
