"""Agents' notices: read, counted, and mailed where nobody looked."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.errors import InvalidInput
from core.domain.ids import AgentId, TicketId
from core.domain.notification import (
    UNREAD_FOR,
    UNREAD_FOR_CHAT,
    Notice,
    QuietHours,
    Reach,
    Wish,
)
from core.domain.setbacks import Chore
from core.services.notifications.bundles import Bundle, besides
from core.services.notifications.leaving import mail_at, reaches
from core.services.revisions import check_content
from core.services.setbacks import Setbacks
from core.storage.engine import Sessions, storage_errors
from core.storage.queries.access.sight import is_hidden_from
from core.storage.tables import AgentRow, Notification, NotificationWish, Ticket

_MOST_IN_A_MAIL = 50
_AGENTS_AT_ONCE = 20
_LEASE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeView:
    """One notice, as it is shown."""

    id: UUID
    notice: Notice
    ticket: TicketId
    number: int
    subject: str
    by: str
    by_name: str | None
    detail: str
    at: datetime
    is_read: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """How an agent wants to be told."""

    mail: Wish = Wish.UNREAD
    chat: Wish = Wish.NEVER
    quiet_from: time | None = None
    quiet_until: time | None = None
    time_zone: str = "UTC"
    kinds: Mapping[Notice, Reach] = field(default_factory=dict)  # others go everywhere

    def __post_init__(self) -> None:
        try:
            zone = ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise InvalidInput("there is no such time zone") from None
        if (self.quiet_from is None) != (self.quiet_until is None):
            raise InvalidInput("quiet hours have a beginning and an end")
        if self.quiet_from is not None and self.quiet_until is not None:
            QuietHours(starts=self.quiet_from, ends=self.quiet_until, zone=zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """Notices of one agent that were taken, to be sent together."""

    agent: AgentId
    notices: Sequence[UUID]


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """What is to be mailed to one agent."""

    agent: AgentId
    email: str
    name: str
    language: str
    zone: ZoneInfo  # whose clock the agent reads
    notices: Sequence[NoticeView]


async def notices_of(
    session: AsyncSession,
    agent: AgentId,
    *,
    only_unread: bool = False,
    before: UUID | None = None,
    bundles: Sequence[Bundle] = (),
    limit: int = 50,
) -> Sequence[NoticeView]:
    """Return an agent's latest notices, of those `before` one where it is named.

    Those that are in one of `bundles` are left out.
    """
    which = (Notification.agent_id == agent) & besides(bundles)
    if only_unread:
        which &= Notification.read_at.is_(None)
    if before is not None:
        which &= Notification.id < before
    return await views_of_notices(session, which, limit)


async def count_unread(session: AsyncSession, agent: AgentId) -> int:
    """Return how many notices an agent has not read."""
    found = await session.scalar(
        select(func.count())
        .select_from(Notification)
        .join(Ticket, Ticket.id == Notification.ticket_id)
        .where(
            Notification.agent_id == agent,
            Notification.read_at.is_(None),
            ~is_hidden_from(Notification.agent_id),
        )
    )
    return found or 0


async def wishes_of(session: AsyncSession, agent: AgentId) -> Wishes:
    """Return how an agent wants to be told."""
    row = await session.get(NotificationWish, agent)
    if row is None:
        return Wishes()
    return Wishes(
        mail=Wish(row.mail),
        chat=Wish(row.chat),
        quiet_from=row.quiet_from,
        quiet_until=row.quiet_until,
        time_zone=row.time_zone or "UTC",
        kinds=reaches(row.kinds),
    )


def zone_of(wish: NotificationWish | None) -> ZoneInfo:
    """Return the time zone that an agent chose; UTC where they chose none."""
    return ZoneInfo((wish and wish.time_zone) or "UTC")


class Notices:
    """What agents do with their notices, and which of them are due to be mailed."""

    def __init__(
        self, sessions: Sessions, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._sessions = sessions
        self._now = now
        self.setbacks = Setbacks(sessions, Chore.NOTICE_MAILS, now)

    async def read_all(self, agent: AgentId) -> None:
        """Count all notices of an agent as read."""
        await self._read(Notification.agent_id == agent)

    async def read_some(self, agent: AgentId, notices: Collection[UUID]) -> None:
        """Count those of `notices` that are the agent's as read."""
        await self._read((Notification.agent_id == agent) & Notification.id.in_(notices))

    async def read_of(self, agent: AgentId, ticket: TicketId) -> None:
        """Count an agent's notices about `ticket` as read: they are looking at it."""
        await self._read((Notification.agent_id == agent) & (Notification.ticket_id == ticket))

    async def wish(self, agent: AgentId, wishes: Wishes, *, revision: int | None = None) -> None:
        """Keep how an agent wants to be told from now on, also of what waits to be told.

        Raises:
            Outdated: what they want does not have the version `revision` any more.
        """
        values = {
            "mail": wishes.mail,
            "chat": wishes.chat,
            "quiet_from": wishes.quiet_from,
            "quiet_until": wishes.quiet_until,
            "time_zone": wishes.time_zone,
            "kinds": {
                notice: reach
                for notice, reach in wishes.kinds.items()
                if reach is not Reach.EVERYWHERE
            },
        }
        async with storage_errors(), self._sessions.begin() as session:
            await session.get_one(AgentRow, agent, with_for_update=True)  # one at a time
            check_content(await wishes_of(session, agent), revision)
            await session.execute(
                upsert(NotificationWish)
                .values(agent_id=agent, **values)
                .on_conflict_do_update(index_elements=["agent_id"], set_=values)
            )
            # What waits for the end of quiet hours is looked at anew; not what is being sent.
            for column, wait in (
                (Notification.mail_at, UNREAD_FOR),
                (Notification.chat_at, UNREAD_FOR_CHAT),
            ):
                soon = func.greatest(Notification.created_at + wait, self._now())
                await session.execute(
                    update(Notification)
                    .where(
                        Notification.agent_id == agent,
                        Notification.read_at.is_(None),
                        column > self._now() + _LEASE,
                    )
                    .values({column: soon})
                )

    async def due(self) -> Sequence[Taken]:
        """Take the notices that are due to be mailed; nobody else takes them for five minutes."""
        now = self._now()
        by_agent: dict[UUID, list[UUID]] = {}
        async with storage_errors(), self._sessions.begin() as session:
            rows = await session.scalars(
                select(Notification)
                .where(
                    Notification.mail_at <= now,
                    Notification.read_at.is_(None),
                    self.setbacks.is_free(Notification.agent_id),
                )
                .order_by(Notification.mail_at)
                .limit(_MOST_IN_A_MAIL * _AGENTS_AT_ONCE)
                .with_for_update(skip_locked=True)
            )
            for row in rows:
                by_agent.setdefault(row.agent_id, []).append(row.id)
                row.mail_at = now + _LEASE
        return [Taken(agent=AgentId(agent), notices=notices) for agent, notices in by_agent.items()]

    async def digest(self, taken: Taken) -> Digest | None:
        """Return what is to be mailed of what was taken; None where that is nothing any more.

        What is not to be mailed, because its agent is disabled, has read it, may not see its
        ticket or wants no such mail by now, is not due again. In quiet hours, which may have begun
        since it was due, it waits for their end.
        """
        async with storage_errors(), self._sessions.begin() as session:
            who = await session.get_one(AgentRow, taken.agent)
            if who.disabled_at is not None:
                await _mail_at(session, taken.notices, None)
                return None
            chosen = taken.notices[:_MOST_IN_A_MAIL]
            seen = await views_of_notices(
                session,
                Notification.id.in_(chosen) & Notification.read_at.is_(None),
                len(chosen),
            )
            wish, now = await session.get(NotificationWish, taken.agent), self._now()
            times = {notice.id: mail_at(notice.notice, wish, now) for notice in seen}
            for later in {at for at in times.values() if at is not None and at > now}:
                await _mail_at(session, [one for one, at in times.items() if at == later], later)
            wanted = {one for one, at in times.items() if at is not None}
            await _mail_at(session, set(chosen) - wanted, None)
            seen = [notice for notice in seen if times[notice.id] == now]
            if not seen:
                return None
            return Digest(
                agent=taken.agent,
                email=who.email,
                name=who.name,
                language=who.language,
                zone=zone_of(wish),
                notices=seen,
            )

    async def mailed(self, digest: Digest) -> None:
        """Keep that a digest has left; it is not mailed again."""
        async with storage_errors(), self._sessions.begin() as session:
            await session.execute(
                update(Notification)
                .where(Notification.id.in_([notice.id for notice in digest.notices]))
                .values(mail_at=None, mailed_at=self._now())
            )

    async def forget_old(self, age: timedelta = timedelta(days=90)) -> None:
        """Delete notices that are long past."""
        async with storage_errors(), self._sessions.begin() as session:
            await session.execute(
                delete(Notification).where(Notification.created_at < self._now() - age)
            )

    async def _read(self, which: ColumnElement[bool]) -> None:
        async with storage_errors(), self._sessions.begin() as session:
            await session.execute(
                update(Notification)
                .where(which, Notification.read_at.is_(None))
                .values(read_at=self._now(), mail_at=None, chat_at=None)
            )


async def _mail_at(session: AsyncSession, notices: Collection[UUID], at: datetime | None) -> None:
    await session.execute(
        update(Notification).where(Notification.id.in_(notices)).values(mail_at=at)
    )


async def views_of_notices(
    session: AsyncSession, which: ColumnElement[bool], limit: int
) -> Sequence[NoticeView]:
    """Return the notices that `which` chooses, latest first.

    Those of tickets that went out of their agents' sight since are left out.
    """
    doer = AgentRow.name.label("doer")
    rows = await session.execute(
        select(Notification, Ticket.number, Ticket.subject, doer)
        .join(Ticket, Ticket.id == Notification.ticket_id)
        .outerjoin(AgentRow, Notification.by == func.concat("agent:", AgentRow.id))
        .where(which, ~is_hidden_from(Notification.agent_id))
        .order_by(Notification.id.desc())
        .limit(limit)
    )
    return [
        NoticeView(
            id=row.id,
            notice=Notice(row.notice),
            ticket=TicketId(row.ticket_id),
            number=number,
            subject=subject,
            by=row.by,
            by_name=name,
            detail=row.detail,
            at=row.created_at,
            is_read=row.read_at is not None,
        )
        for row, number, subject, name in rows
    ]
