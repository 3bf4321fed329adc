"""Agents are told of what lets somebody in under their name: at once, whatever they wish for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.access import AccessChange
from core.domain.ids import AgentId, new_id
from core.domain.setbacks import Chore
from core.services import audit
from core.services.setbacks import Setbacks
from core.storage.engine import Sessions, storage_errors
from core.storage.feed import publish_notices
from core.storage.tables import AccessNotice, AgentRow

_BATCH = 20
_LEASE = timedelta(minutes=5)
_MOST_SHOWN = 20
_KEPT = timedelta(days=90)
_MAILED_WITHIN = timedelta(days=1)
_MAILED_THOUGH_READ_WITHIN = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessNoticeView:
    """One change, as its agent is told of it."""

    id: UUID
    change: AccessChange
    by: str  # the name of whoever did it; "?" where none is known
    is_yourself: bool  # the agent did it themselves
    is_command: bool  # it was done at the desk's own terminal
    remote: str | None  # the address it was done from
    detail: str  # a token's name; a new e-mail address
    at: datetime
    is_read: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessLetter:
    """A change as it is to be mailed."""

    notice: AccessNoticeView
    email: str
    language: str


async def tell(
    session: AsyncSession, agent: AgentRow, change: AccessChange, detail: str = ""
) -> None:
    """Leave a notice for `agent`, which is told if and when `session`'s transaction commits.

    Open pages hear of it with the commit.

    Who did it, and from where, is as for the audit log. Whoever has no password yet comes by what
    is made for them: there is nobody to warn.
    """
    if agent.password_hash is None:
        return
    by, remote = audit.doer()
    session.add(
        AccessNotice(
            id=new_id(),
            agent_id=agent.id,
            change=str(change),
            by=by,
            remote=remote,
            detail=detail,
            email=agent.email,
            mail_at=func.now(),
        )
    )
    await publish_notices(session)


async def access_notices_of(session: AsyncSession, agent: AgentId) -> Sequence[AccessNoticeView]:
    """Return the latest changes that an agent is told of, those they have not read first."""
    rows = await session.scalars(
        select(AccessNotice)
        .where(AccessNotice.agent_id == agent)
        .order_by(AccessNotice.read_at.is_not(None), AccessNotice.id.desc())
        .limit(_MOST_SHOWN)
    )
    return await _views(session, rows.all())


async def count_unread_access(session: AsyncSession, agent: AgentId) -> int:
    """Return how many changes an agent was told of and has not read."""
    found = await session.scalar(
        select(func.count())
        .select_from(AccessNotice)
        .where(AccessNotice.agent_id == agent, AccessNotice.read_at.is_(None))
    )
    return int(found or 0)


async def _views(session: AsyncSession, rows: Sequence[AccessNotice]) -> Sequence[AccessNoticeView]:
    found = await session.execute(
        select(AgentRow.id, AgentRow.name).where(
            func.concat("agent:", AgentRow.id).in_({row.by for row in rows})
        )
    )
    names = {f"agent:{agent}": name for agent, name in found}
    return [
        AccessNoticeView(
            id=row.id,
            change=AccessChange(row.change),
            by=names.get(row.by, "?"),
            is_yourself=row.by == f"agent:{row.agent_id}",
            is_command=row.by == audit.COMMAND,
            remote=row.remote,
            detail=row.detail,
            at=row.created_at,
            is_read=row.read_at is not None,
        )
        for row in rows
    ]


def _is_mailed_no_more(now: datetime) -> ColumnElement[bool]:
    """Return the condition that nobody needs a letter about a change any more.

    A letter to an agent's former address goes whatever happens in the console: nobody who reads
    there need have that address.
    """
    # Not at once: somebody who uses the desk in the agent's name could read it away.
    was_read = and_(
        AccessNotice.read_at.is_not(None),
        AccessNotice.created_at < now - _MAILED_THOUGH_READ_WITHIN,
    )
    is_disabled = exists().where(
        AgentRow.id == AccessNotice.agent_id, AgentRow.disabled_at.is_not(None)
    )
    return or_(
        AccessNotice.created_at < now - _MAILED_WITHIN,
        and_(AccessNotice.change != AccessChange.ADDRESS, or_(was_read, is_disabled)),
    )


class AccessNotices:
    """The notices that are to be mailed, read and forgotten."""

    def __init__(
        self, sessions: Sessions, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._sessions = sessions
        self._now = now
        self.setbacks = Setbacks(sessions, Chore.ACCESS_MAILS, now)

    async def read_all(self, agent: AgentId) -> None:
        """Count all of an agent's as read; what is due to be mailed still is, for an hour."""
        async with storage_errors(), self._sessions.begin() as session:
            await session.execute(
                update(AccessNotice)
                .where(AccessNotice.agent_id == agent, AccessNotice.read_at.is_(None))
                .values(read_at=self._now())
            )

    async def due(self) -> Sequence[UUID]:
        """Take notices that are to be mailed; nobody else takes them for five minutes.

        What is to be mailed no more is let go.
        """
        now = self._now()
        async with storage_errors(), self._sessions.begin() as session:
            await session.execute(
                update(AccessNotice)
                .where(AccessNotice.mail_at <= now, _is_mailed_no_more(now))
                .values(mail_at=None)
            )
            rows = (
                await session.scalars(
                    select(AccessNotice)
                    .where(AccessNotice.mail_at <= now, self.setbacks.is_free(AccessNotice.id))
                    .order_by(AccessNotice.mail_at)
                    .limit(_BATCH)
                    .with_for_update(skip_locked=True)
                )
            ).all()
            for row in rows:
                row.mail_at = now + _LEASE
            return [row.id for row in rows]

    async def letter(self, notice: UUID) -> AccessLetter | None:
        """Return what is to be mailed; None where it was meanwhile."""
        async with storage_errors(), self._sessions() as session:
            row = await session.get(AccessNotice, notice)
            if row is None or row.mail_at is None:
                return None
            agent = await session.get_one(AgentRow, row.agent_id)
            (view,) = await _views(session, [row])
            return AccessLetter(notice=view, email=row.email, language=agent.language)

    async def mailed(self, notice: UUID) -> None:
        """Keep that a notice was mailed, or never will be."""
        async with storage_errors(), self._sessions.begin() as session:
            await session.execute(
                update(AccessNotice).where(AccessNotice.id == notice).values(mail_at=None)
            )

    async def forget_old(self) -> None:
        """Delete what was told three months ago; the audit log keeps it."""
        async with storage_errors(), self._sessions.begin() as session:
            await session.execute(
                delete(AccessNotice).where(AccessNotice.created_at < self._now() - _KEPT)
            )
