"""Who is told of a change of a ticket, and of what."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from uuid import UUID

from sqlalchemy import func, or_, select, union, update
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.catalogue import ASKED_AGAIN, Stage, TaskState
from core.domain.ids import TicketId
from core.domain.notification import IN_QUEUE, Notice, Turn, mentions
from core.domain.ticket import CATEGORY, StatusCategory, TicketStatus
from core.services.case import Case
from core.services.delivery.reopening import SIDE_LOST
from core.services.notifications.colleagues import leads_of
from core.services.notifications.leaving import Told, leave, wishes_of_agents
from core.services.reactions.reactor import TicketChange
from core.services.satisfaction.answering import UNSATISFIED
from core.services.satisfaction.rules import survey_rules
from core.services.sla.clocks import BREACH, WARNING
from core.services.teams.escalation import STUCK
from core.services.tickets.due_dates import DUE_SOON
from core.storage.beforehand import Beforehand
from core.storage.tables import (
    AgentRow,
    ApprovalAsk,
    ItemRequest,
    Message,
    Notification,
    RequestTask,
    Team,
    TeamMember,
    Ticket,
    TicketWatcher,
)

_SAID = frozenset({Notice.ANSWERED, Notice.WATCHED})
"""One line is enough for a ticket in which much is said."""

_OWNERS_ARE_TOLD = frozenset({"assignee", "message", WARNING, BREACH, SIDE_LOST})


class NoticesOfTickets:
    """Leaves a notice for every agent whom a change concerns, but for whoever made it."""

    name = "notifications"

    def __init__(self) -> None:
        self._watchers = Beforehand(_watchers)
        self._unread = Beforehand(_unread)
        self._queued = Beforehand(_queued)

    async def prepare(
        self, session: AsyncSession, changes: Sequence[tuple[Case, TicketChange]]
    ) -> None:
        """Read who watches tickets and what they have not read, and what owners wish for."""
        await self._watchers.read(session, _tickets(changes, _is_watched))
        await self._unread.read(session, _tickets(changes, _is_said))
        await self._queued.read(session, _tickets(changes, _ends_waiting))
        owners = (
            case.ticket.assignee_id for case, change in changes if change.field in _OWNERS_ARE_TOLD
        )
        await wishes_of_agents(session, [owner for owner in owners if owner is not None])

    async def react(self, case: Case, change: TicketChange) -> None:
        """Find out whom `change` concerns."""
        watching: Iterable[UUID] = ()
        if _is_watched(case, change):
            watching = await self._watchers.take(case.session, TicketId(case.ticket.id))
        told = await _concerned(case, change, watching)
        doer = change.actor.removeprefix("agent:")
        told = {agent: why for agent, why in told.items() if str(agent) != doer}
        await _forget_old_score(case, change)
        left = await self._leave(case, change, told) if told else 0
        if left + await self._take_back(case, change):
            case.changed()

    async def _leave(self, case: Case, change: TicketChange, told: Mapping[UUID, Notice]) -> int:
        ticket = TicketId(case.ticket.id)
        unread: Collection[UUID] = ()
        if not _SAID.isdisjoint(told.values()):
            unread = await self._unread.take(case.session, ticket)
        notices = [
            Told(agent=agent, ticket=ticket, notice=notice, by=change.actor, detail=_detail(change))
            for agent, notice in told.items()
            if notice not in _SAID or agent not in unread
        ]
        return await leave(case.session, notices, case.ledger.now)

    async def _take_back(self, case: Case, change: TicketChange) -> int:
        """Count as read that the ticket waits in a queue, where it does so no more."""
        if not _ends_waiting(case, change):
            return 0
        over = await self._queued.take(case.session, TicketId(case.ticket.id))
        if over:
            await case.session.execute(
                update(Notification)
                .where(Notification.id.in_(over))
                .values(read_at=case.ledger.now, mail_at=None, chat_at=None)
            )
        return len(over)


async def _forget_old_score(case: Case, change: TicketChange) -> None:
    """Count as read that the requester was not content, where they have changed their answer."""
    if change.field != "satisfaction" or change.old is None:
        return
    await case.session.execute(
        update(Notification)
        .where(
            Notification.ticket_id == case.ticket.id,
            Notification.notice == Notice.LOW_SCORE,
            Notification.read_at.is_(None),
        )
        .values(read_at=case.ledger.now, mail_at=None, chat_at=None)
    )
    case.changed()


def _tickets(
    changes: Sequence[tuple[Case, TicketChange]], which: Callable[[Case, TicketChange], bool]
) -> Collection[TicketId]:
    return {TicketId(case.ticket.id) for case, change in changes if which(case, change)}


def _is_said(_: Case, change: TicketChange) -> bool:
    return change.field == "message"


def _is_watched(_: Case, change: TicketChange) -> bool:
    """Say whether whoever watches the ticket is told of a change."""
    return change.field == "message" or _turn(change) is not None


def _ends_waiting(case: Case, change: TicketChange) -> bool:
    """Say whether somebody has the ticket by a change, or nobody has to."""
    if change.field not in {"assignee", "status"}:
        return False
    return case.ticket.assignee_id is not None or case.is_done


async def _concerned(
    case: Case, change: TicketChange, watchers: Iterable[UUID]
) -> Mapping[UUID, Notice]:
    """Return whom to tell, each with the most telling reason."""
    session, ticket = case.session, case.ticket
    owner = [ticket.assignee_id] if ticket.assignee_id is not None else []
    match change.field:
        case "assignee":
            told = dict.fromkeys(watchers, Notice.CHANGED)
            if change.old is not None:
                told[UUID(change.old)] = Notice.CHANGED
            if change.new is not None and str(ticket.assignee_id) == change.new:
                told |= dict.fromkeys(owner, Notice.ASSIGNED)
            return told
        case "status" if _turn(change) is not None:
            # What the requester or the clock did, its holder hears of otherwise or expects.
            by_agent, by_platform = change.actor.startswith("agent:"), change.actor == "platform"
            is_told = by_agent or by_platform or change.reason == UNSATISFIED
            others = owner if is_told else []
            return dict.fromkeys([*watchers, *others], Notice.CHANGED)
        case field if field == SIDE_LOST:
            return dict.fromkeys([*watchers, *owner], Notice.CHANGED)
        case "message" if change.reason == "customer":
            watching = dict.fromkeys(watchers, Notice.WATCHED)
            return watching | dict.fromkeys(owner, Notice.ANSWERED)
        case "message" if change.reason == "note" and change.new is not None:
            words = await session.scalar(select(Message.text).where(Message.id == UUID(change.new)))
            watching = dict.fromkeys(watchers, Notice.WATCHED)
            named = await _named(session, mentions(words or ""))
            return watching | dict.fromkeys(named, Notice.MENTIONED)
        case "message":
            return dict.fromkeys(watchers, Notice.WATCHED)
        case field if field in {WARNING, BREACH}:
            notice = Notice.AT_RISK if field == WARNING else Notice.BROKEN
            leads = await leads_of(session, ticket.team_id) if field == BREACH or not owner else []
            return dict.fromkeys([*leads, *owner], notice)
        case field if field == DUE_SOON:
            leads = [] if owner else await leads_of(session, ticket.team_id)
            return dict.fromkeys([*leads, *owner], Notice.DUE)
        case "satisfaction" if change.new is not None:
            if int(change.new) > (await survey_rules(session)).low_score:
                return {}
            return dict.fromkeys(await leads_of(session, ticket.team_id), Notice.LOW_SCORE)
        case field if field == STUCK:
            return dict.fromkeys(await leads_of(session, ticket.team_id), Notice.STUCK)
        case "request" | "approval" if change.new in {Stage.APPROVAL, ASKED_AGAIN}:
            return dict.fromkeys(await _deciding(case), Notice.APPROVAL)
        case "task" if change.new == TaskState.OPEN:
            return dict.fromkeys(await _doing(case), Notice.TASK)
        case _:
            return {}


def _turn(change: TicketChange) -> Turn | None:
    """Return what became of a ticket, where that is worth a word to whoever watches it."""
    if change.field == "assignee" and change.old is not None:
        return Turn.RELEASED if change.new is None else Turn.REASSIGNED
    if change.field == SIDE_LOST:
        return Turn.SIDE_LOST
    if change.field != "status" or change.old is None or change.new is None:
        return None
    if change.new == TicketStatus.SOLVED:
        return Turn.SOLVED
    was_done = CATEGORY[TicketStatus(change.old)] == StatusCategory.DONE
    is_done = CATEGORY[TicketStatus(change.new)] == StatusCategory.DONE
    if is_done:
        return None if was_done else Turn.CLOSED
    return Turn.REOPENED if was_done else None


def _detail(change: TicketChange) -> str:
    if change.field == "message":
        return ""
    return _turn(change) or (change.new or "")[:200]


async def _watchers(
    session: AsyncSession, tickets: Collection[TicketId]
) -> Mapping[TicketId, Sequence[UUID]]:
    rows = await session.execute(
        select(TicketWatcher.ticket_id, TicketWatcher.agent_id).where(
            TicketWatcher.ticket_id.in_(tickets)
        )
    )
    found: dict[TicketId, list[UUID]] = {ticket: [] for ticket in tickets}
    for ticket, agent in rows:
        found[TicketId(ticket)].append(agent)
    return found


async def _unread(
    session: AsyncSession, tickets: Collection[TicketId]
) -> Mapping[TicketId, Collection[UUID]]:
    """Return of each ticket which owner and watchers have not read that something was said."""
    told = union(
        select(TicketWatcher.ticket_id, TicketWatcher.agent_id).where(
            TicketWatcher.ticket_id.in_(tickets)
        ),
        select(Ticket.id, Ticket.assignee_id).where(Ticket.id.in_(tickets)),
    ).subquery()
    rows = await session.execute(
        select(Notification.ticket_id, Notification.agent_id)
        .join(
            told,
            (told.c.agent_id == Notification.agent_id)
            & (told.c.ticket_id == Notification.ticket_id),
        )
        .where(Notification.notice.in_(_SAID), Notification.read_at.is_(None))
    )
    found: dict[TicketId, set[UUID]] = {ticket: set() for ticket in tickets}
    for ticket, agent in rows:
        found[TicketId(ticket)].add(agent)
    return found


async def _queued(
    session: AsyncSession, tickets: Collection[TicketId]
) -> Mapping[TicketId, Sequence[UUID]]:
    """Return of each ticket the unread notices that it waits in a queue."""
    rows = await session.execute(
        select(Notification.ticket_id, Notification.id).where(
            Notification.ticket_id.in_(tickets),
            Notification.notice.in_(IN_QUEUE),
            Notification.read_at.is_(None),
        )
    )
    found: dict[TicketId, list[UUID]] = {ticket: [] for ticket in tickets}
    for ticket, notice in rows:
        found[TicketId(ticket)].append(notice)
    return found


async def _named(session: AsyncSession, names: Iterable[str]) -> Iterable[UUID]:
    """Return the agents that are called so, and the members of teams that are.

    An agent by address, its first part, first name or name without spaces; a team by its name
    without spaces, unless an agent is called so.
    """
    wanted = set(names)
    if not wanted:
        return []
    whole = func.replace(func.lower(AgentRow.name), " ", "")
    first = func.split_part(func.lower(AgentRow.name), " ", 1)
    local = func.split_part(AgentRow.email, "@", 1)
    rows = (
        await session.execute(
            select(AgentRow.id, AgentRow.email, local, whole, first).where(
                AgentRow.disabled_at.is_(None),
                or_(
                    AgentRow.email.in_(wanted),
                    local.in_(wanted),
                    whole.in_(wanted),
                    first.in_(wanted),
                ),
            )
        )
    ).all()
    taken = {name for _, *names in rows for name in names}
    return [row.id for row in rows] + await _members(session, wanted - taken)


async def _members(session: AsyncSession, names: Collection[str]) -> list[UUID]:
    """Return the members of the teams that are called so."""
    if not names:
        return []
    found = await session.scalars(
        select(TeamMember.agent_id)
        .join(Team, Team.id == TeamMember.team_id)
        .join(AgentRow, AgentRow.id == TeamMember.agent_id)
        .where(
            func.replace(func.lower(Team.name), " ", "").in_(names),
            Team.archived_at.is_(None),
            AgentRow.disabled_at.is_(None),
        )
    )
    return list(found)


async def _deciding(case: Case) -> Iterable[UUID]:
    """Return the agents who were asked to approve what the ticket asks for."""
    found = await case.session.scalars(
        select(ApprovalAsk.agent_id)
        .join(ItemRequest, ItemRequest.id == ApprovalAsk.request_id)
        .where(ItemRequest.ticket_id == case.ticket.id, ApprovalAsk.agent_id.is_not(None))
    )
    return [agent for agent in found if agent is not None]


async def _doing(case: Case) -> Iterable[UUID]:
    """Return the agent whose task is open; a team's goes to whoever gets the ticket."""
    found = await case.session.scalars(
        select(RequestTask.agent_id)
        .join(ItemRequest, ItemRequest.id == RequestTask.request_id)
        .where(ItemRequest.ticket_id == case.ticket.id, RequestTask.state == TaskState.OPEN)
    )
    return [agent for agent in found if agent is not None]
