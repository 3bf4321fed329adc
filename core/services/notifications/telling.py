"""Who is told of a change of a ticket, and of what."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, or_, select, union
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.actor import Role
from core.domain.catalogue import ASKED_AGAIN, Stage, TaskState
from core.domain.ids import TicketId, new_id
from core.domain.notification import (
    NOT_MAILED,
    UNREAD_FOR,
    UNREAD_FOR_CHAT,
    URGENT,
    Notice,
    QuietHours,
    Wish,
    mentions,
)
from core.services.case import Case
from core.services.reactions.reactor import TicketChange
from core.services.satisfaction.rules import survey_rules
from core.services.sla.clocks import BREACH, WARNING
from core.storage.beforehand import Beforehand
from core.storage.tables import (
    AgentRow,
    ApprovalAsk,
    ItemRequest,
    Message,
    Notification,
    NotificationWish,
    RequestTask,
    TeamMember,
    Ticket,
    TicketWatcher,
)

_TOLD_ONCE = frozenset({Notice.ANSWERED, Notice.WATCHED})
"""One line is enough for a ticket in which much is said."""

_OWNERS_ARE_TOLD = frozenset({"assignee", "message", WARNING, BREACH})


class NoticesOfTickets:
    """Leaves a notice for every agent whom a change concerns, but for whoever made it."""

    name = "notifications"

    def __init__(self) -> None:
        self._watchers = Beforehand(_watchers)
        self._unread = Beforehand(_unread)

    async def prepare(
        self, session: AsyncSession, changes: Sequence[tuple[Case, TicketChange]]
    ) -> None:
        """Read who is to be told of what was said in tickets, and what their owners wish for."""
        written = {
            TicketId(case.ticket.id) for case, change in changes if change.field == "message"
        }
        await self._watchers.read(session, written)
        await self._unread.read(session, written)
        owners = (
            case.ticket.assignee_id for case, change in changes if change.field in _OWNERS_ARE_TOLD
        )
        await _wishes(session, [owner for owner in owners if owner is not None])

    async def react(self, case: Case, change: TicketChange) -> None:
        """Find out whom `change` concerns."""
        watching: Iterable[UUID] = ()
        if change.field == "message":
            watching = await self._watchers.take(case.session, TicketId(case.ticket.id))
        told = await _concerned(case, change, watching)
        doer = change.actor.removeprefix("agent:")
        told = {agent: why for agent, why in told.items() if str(agent) != doer}
        if told:
            await self._leave(case, change, told)

    async def _leave(self, case: Case, change: TicketChange, told: Mapping[UUID, Notice]) -> None:
        wishes = await _wishes(case.session, told)
        unread: Collection[UUID] = ()
        if not _TOLD_ONCE.isdisjoint(told.values()):
            unread = await self._unread.take(case.session, TicketId(case.ticket.id))
        for agent, notice in told.items():
            if notice in _TOLD_ONCE and agent in unread:
                continue
            case.session.add(
                Notification(
                    id=new_id(),
                    agent_id=agent,
                    ticket_id=case.ticket.id,
                    notice=notice,
                    by=change.actor,
                    detail=(change.new or "")[:200] if change.field != "message" else "",
                    created_at=case.ledger.now,
                    mail_at=_mail_at(notice, wishes.get(agent), case.ledger.now),
                    chat_at=_chat_at(notice, wishes.get(agent), case.ledger.now),
                )
            )
        case.changed()


async def _concerned(
    case: Case, change: TicketChange, watchers: Iterable[UUID]
) -> Mapping[UUID, Notice]:
    """Return whom to tell, each with the most telling reason."""
    watching = dict.fromkeys(watchers, Notice.WATCHED)
    session, ticket = case.session, case.ticket
    owner = [ticket.assignee_id] if ticket.assignee_id is not None else []
    match change.field:
        case "assignee" if change.new is not None and str(ticket.assignee_id) == change.new:
            return dict.fromkeys(owner, Notice.ASSIGNED)
        case "message" if change.reason == "customer":
            return watching | dict.fromkeys(owner, Notice.ANSWERED)
        case "message" if change.reason == "note" and change.new is not None:
            words = await session.scalar(select(Message.text).where(Message.id == UUID(change.new)))
            named = await _named(session, mentions(words or ""))
            return watching | dict.fromkeys(named, Notice.MENTIONED)
        case "message":
            return watching
        case field if field in {WARNING, BREACH}:
            notice = Notice.AT_RISK if field == WARNING else Notice.BROKEN
            leads = await _leads(case) if field == BREACH or not owner else []
            return dict.fromkeys([*leads, *owner], notice)
        case "satisfaction" if change.new is not None:
            if int(change.new) > (await survey_rules(session)).low_score:
                return {}
            return dict.fromkeys(await _leads(case), Notice.LOW_SCORE)
        case "request" | "approval" if change.new in {Stage.APPROVAL, ASKED_AGAIN}:
            return dict.fromkeys(await _deciding(case), Notice.APPROVAL)
        case "task" if change.new == TaskState.OPEN:
            return dict.fromkeys(await _doing(case), Notice.TASK)
        case "level" if change.new is not None:
            return dict.fromkeys(await _of_level(case, int(change.new)), Notice.ESCALATED)
        case _:
            return {}


def _mail_at(notice: Notice, wish: NotificationWish | None, now: datetime) -> datetime | None:
    if notice in NOT_MAILED:
        return None
    mail = Wish.UNREAD if wish is None else Wish(wish.mail)
    return _when(notice, mail, wish, now + UNREAD_FOR)


def _chat_at(notice: Notice, wish: NotificationWish | None, now: datetime) -> datetime | None:
    if wish is None or wish.chat_address is None:
        return None
    return _when(notice, Wish(wish.chat), wish, now + UNREAD_FOR_CHAT)


def _when(
    notice: Notice, wanted: Wish, wish: NotificationWish | None, at: datetime
) -> datetime | None:
    """Return when an agent is told outside the console, quiet hours observed; None: not at all."""
    if wanted is Wish.NEVER or (wanted is Wish.URGENT and notice not in URGENT):
        return None
    if wish is None or wish.quiet_from is None or wish.quiet_until is None:
        return at
    zone = ZoneInfo(wish.time_zone or "UTC")
    return QuietHours(starts=wish.quiet_from, ends=wish.quiet_until, zone=zone).after(at)


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
        .where(Notification.notice.in_(_TOLD_ONCE), Notification.read_at.is_(None))
    )
    found: dict[TicketId, set[UUID]] = {ticket: set() for ticket in tickets}
    for ticket, agent in rows:
        found[TicketId(ticket)].add(agent)
    return found


async def _wishes(
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


async def _named(session: AsyncSession, names: Iterable[str]) -> Iterable[UUID]:
    """Return the agents that are called so: by address, its first part, or name without spaces."""
    wanted = set(names)
    if not wanted:
        return []
    found = await session.scalars(
        select(AgentRow.id).where(
            AgentRow.disabled_at.is_(None),
            or_(
                AgentRow.email.in_(wanted),
                func.split_part(AgentRow.email, "@", 1).in_(wanted),
                func.replace(func.lower(AgentRow.name), " ", "").in_(wanted),
                func.split_part(func.lower(AgentRow.name), " ", 1).in_(wanted),
            ),
        )
    )
    return found.all()


async def _leads(case: Case) -> Iterable[UUID]:
    """Return the leads of the ticket's team; where it has none, whoever leads or administers."""
    leads: list[UUID] = []
    if case.ticket.team_id is not None:
        found = await case.session.scalars(
            select(TeamMember.agent_id)
            .join(AgentRow, AgentRow.id == TeamMember.agent_id)
            .where(
                TeamMember.team_id == case.ticket.team_id,
                TeamMember.is_lead,
                AgentRow.disabled_at.is_(None),
            )
        )
        leads = list(found)
    for role in (Role.LEAD, Role.ADMIN):
        if leads:
            break
        others = await case.session.scalars(
            select(AgentRow.id).where(AgentRow.role == role, AgentRow.disabled_at.is_(None))
        )
        leads = list(others)
    return leads


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


async def _of_level(case: Case, level: int) -> Iterable[UUID]:
    if case.ticket.team_id is None:
        return []
    found = await case.session.scalars(
        select(TeamMember.agent_id).where(
            TeamMember.team_id == case.ticket.team_id, TeamMember.level == level
        )
    )
    return found.all()
