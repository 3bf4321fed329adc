"""Tells agents of tickets that wait in their queue and that nobody has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.ids import AccountId, ConversationId, ThreadKey, TicketId
from core.domain.notification import IN_QUEUE, Notice
from core.domain.setbacks import Chore
from core.domain.teams import Strategy
from core.services.notifications.colleagues import leads_of, queue_agents
from core.services.notifications.leaving import Told, leave
from core.services.setbacks import Setbacks
from core.storage.engine import Sessions, storage_errors
from core.storage.feed import Change, FeedKind, publish
from core.storage.queries.notifications import Untold, untold_tickets
from core.storage.tables import Notification, Ticket

TO_FIND_SOMEBODY = timedelta(minutes=1)
"""How long a team that shares its tickets out has for one before its agents are told."""

_AT_ONCE = 200


class QueueNotices:
    """A duty: looks at tickets that came to a queue, and tells those who may take them.

    A ticket of a team that takes by hand is told of at once, one of a team that shares out only
    where nobody who is there had room for it. It is over when somebody takes it.
    """

    def __init__(
        self, sessions: Sessions, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._sessions = sessions
        self._now = now
        self._setbacks = Setbacks(sessions, Chore.QUEUE_NOTICES, now)

    async def tell_due(self) -> int:
        """Tell of all that is due; return of how many tickets somebody was told."""
        told = 0
        is_more = True

        async def tell(at_once: int, drawn: list[UUID]) -> int:
            nonlocal is_more, told
            async with storage_errors(), self._sessions.begin() as session:
                patience, free = self._now() - TO_FIND_SOMEBODY, self._setbacks.is_free(Ticket.id)
                due = await untold_tickets(session, patience, at_once, free)
                is_more = len(due) == _AT_ONCE
                drawn += [found.ticket for found in due]
                count = await self._tell(session, due)
            told += count
            return count

        while is_more:
            await self._setbacks.drawn(tell, _AT_ONCE)
        return told

    async def _tell(self, session: AsyncSession, due: Sequence[Untold]) -> int:
        if not due:
            return 0
        agents = await queue_agents(session, {(found.team, found.level) for found in due})
        known = await _known(session, due)
        notices: list[Told] = []
        for found in due:
            notice = _notice(found)
            concerned = list(agents[found.team, found.level])
            if notice is Notice.NO_ROOM or not concerned:
                concerned += await leads_of(session, found.team)
            notices += (
                Told(agent=agent, ticket=found.ticket, notice=notice, by=found.by)
                for agent in dict.fromkeys(concerned)
                if found.by != f"agent:{agent}" and (agent, found.ticket) not in known
            )
            found.row.untold_since = None
        await leave(session, notices, self._now())
        about = {notice.ticket for notice in notices}
        await publish(
            session,
            [
                Change(
                    kind=FeedKind.TICKET,
                    account=AccountId(found.account),
                    thread=ThreadKey(found.thread),
                    conversation=ConversationId(found.conversation),
                    ticket=found.ticket,
                )
                for found in due
                if found.ticket in about
            ],
        )
        return len(about)


def _notice(found: Untold) -> Notice:
    if found.team is not None and found.strategy != Strategy.MANUAL:
        return Notice.NO_ROOM
    if "escalated" in found.fields:
        return Notice.ESCALATED
    if "team" in found.fields and found.by.startswith("agent:"):
        return Notice.PASSED
    return Notice.QUEUED


async def _known(session: AsyncSession, due: Sequence[Untold]) -> set[tuple[UUID, TicketId]]:
    """Return who has an unread notice already that one of these tickets waits."""
    rows = await session.execute(
        select(Notification.agent_id, Notification.ticket_id).where(
            Notification.ticket_id.in_([found.ticket for found in due]),
            Notification.notice.in_(IN_QUEUE),
            Notification.read_at.is_(None),
        )
    )
    return {(agent, TicketId(ticket)) for agent, ticket in rows}
