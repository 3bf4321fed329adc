"""Reads tickets as agents see them: with people, filters and history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Select, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Bundle, InstrumentedAttribute, aliased

from core.domain.errors import NotFound
from core.domain.ids import ConversationId, TicketId
from core.domain.search import as_number
from core.domain.ticket import CameBy, ClosedAs, Priority, TicketStatus
from core.storage.queries.tickets.filter import TicketFilter, conditions
from core.storage.tables import (
    Account,
    AgentRow,
    Asset,
    AutomationRule,
    Category,
    Contact,
    Conversation,
    IncomingHook,
    Organisation,
    Team,
    Ticket,
    TicketEvent,
)

_Follows = aliased(Ticket)
_Follower = aliased(Ticket)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A requester or an agent, as far as they are shown."""

    id: UUID
    name: str | None
    email: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A team, a category or an organisation, as far as it is shown."""

    id: UUID
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketView:
    """A ticket with the people it concerns."""

    id: TicketId
    number: int
    kind: str
    status: TicketStatus
    priority: Priority
    reason: str
    subject: str
    summary: str
    language: str
    confidence: float | None
    conversation: ConversationId
    channel: str | None  # the kind of its account
    requester: Person
    assignee: Person | None
    team: Named | None
    level: int  # of support, 1 to 3
    category: Named | None
    organisation: Named | None
    impact: str | None
    urgency: str | None
    is_priority_set: bool  # by hand; impact and urgency leave it alone
    fields: Mapping[str, Any]  # by key; what the category asks for
    tags: Sequence[str]
    came_by: CameBy | None  # where an agent registered it for somebody
    due_at: datetime | None
    asset: UUID | None
    sla_due_at: datetime | None  # of the running clock that is due first
    sla_due_kind: str | None
    sla_breached_at: datetime | None  # of the first of its running clocks that ran out
    follows: int | None  # the number of the closed ticket this one goes on from
    followed_by: Sequence[int]  # numbers of those that go on from this one, once it is closed
    created_at: datetime
    updated_at: datetime
    first_response_at: datetime | None
    solved_at: datetime | None
    closed_at: datetime | None
    closed_as: ClosedAs | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One entry of a ticket's history."""

    id: int  # grows with time
    field: str
    old: str | None
    new: str | None
    actor: str
    actor_name: str | None  # of an agent, a rule or an incoming webhook
    by_program: bool  # with an API token
    old_name: str | None  # of an agent, a team or a category, where the field is one
    new_name: str | None
    reason: str | None
    at: datetime


async def list_tickets(
    session: AsyncSession,
    wanted: TicketFilter,
    *,
    before: TicketId | None = None,
    limit: int = 50,
) -> Sequence[TicketView]:
    """Return the tickets that fit, newest first, from those older than `before`."""
    query = ticket_rows().where(*conditions(wanted))
    if before is not None:
        query = query.where(Ticket.id < before)
    rows = await session.execute(query.order_by(Ticket.id.desc()).limit(limit))
    return [view_of(row) for row in rows]


async def ticket_view(session: AsyncSession, ticket: TicketId) -> TicketView:
    """Return one ticket.

    Raises:
        NotFound: there is none.
    """
    row = (await session.execute(ticket_rows().where(Ticket.id == ticket))).one_or_none()
    if row is None:
        raise NotFound("there is no such ticket")
    return view_of(row)


async def ticket_named(session: AsyncSession, name: str) -> TicketId:
    """Return the ticket that `name`, an id or a number, means.

    Raises:
        NotFound: there is none.
    """
    if (number := as_number(name)) is not None:
        found = await session.scalar(select(Ticket.id).where(Ticket.number == number))
    else:
        try:
            found = await session.scalar(select(Ticket.id).where(Ticket.id == UUID(name)))
        except ValueError:
            found = None
    if found is None:
        raise NotFound("there is no such ticket")
    return TicketId(found)


async def ticket_of_conversation(
    session: AsyncSession, conversation: ConversationId
) -> TicketId | None:
    """Return the newest ticket of a conversation."""
    found = await session.scalar(
        select(Ticket.id)
        .where(Ticket.conversation_id == conversation)
        .order_by(Ticket.id.desc())
        .limit(1)
    )
    return None if found is None else TicketId(found)


async def history(session: AsyncSession, ticket: TicketId, *, after: int = 0) -> Sequence[Change]:
    """Return what changed in a ticket since entry `after`, in order, with agents by name.

    No messages are among it.
    """
    query = _events_of(ticket).where(TicketEvent.id > after)
    return await _changes(session, query.order_by(TicketEvent.id))


async def changes_before(
    session: AsyncSession, ticket: TicketId, *, before: int | None, limit: int
) -> Sequence[Change]:
    """Return what changed in a ticket, the latest first, from before a change; no messages."""
    query = _events_of(ticket).order_by(TicketEvent.id.desc()).limit(limit)
    if before is not None:
        query = query.where(TicketEvent.id < before)
    return await _changes(session, query)


def _events_of(ticket: TicketId) -> Select[TicketEvent]:
    return select(TicketEvent).where(
        TicketEvent.ticket_id == ticket, TicketEvent.field != "message"
    )


async def _changes(session: AsyncSession, query: Select[TicketEvent]) -> Sequence[Change]:
    events = (await session.scalars(query)).all()
    names = await _names_in(session, events)
    return [
        Change(
            id=event.id,
            field=event.field,
            old=event.old,
            new=event.new,
            actor=event.actor,
            actor_name=names.get(_id_in(event.actor.partition(":")[2])),
            by_program=event.by_program,
            old_name=names.get(_id_in(event.old)),
            new_name=names.get(_id_in(event.new)),
            reason=event.reason,
            at=event.at,
        )
        for event in events
    ]


_Table = (
    type[AgentRow]
    | type[Team]
    | type[Category]
    | type[Asset]
    | type[AutomationRule]
    | type[IncomingHook]
)

_ACTORS: Mapping[str, _Table] = {
    "agent": AgentRow,
    "rule": AutomationRule,
    "hook": IncomingHook,
}
"""Which actors have names, by what stands before the colon."""

_NAMED_BY: Mapping[str, _Table] = {
    "assignee": AgentRow,
    "watcher": AgentRow,
    "team": Team,
    "category": Category,
    "asset": Asset,
}
"""What the ids in a ticket's history are of, by field."""


async def _names_in(
    session: AsyncSession, events: Sequence[TicketEvent]
) -> Mapping[UUID | None, str]:
    """Return the names of whom and what events mention by id."""
    wanted: dict[_Table, set[UUID]] = {}
    for event in events:
        kind, _, actor = event.actor.partition(":")
        mentioned: list[tuple[_Table, UUID | None]] = []
        if (acting := _ACTORS.get(kind)) is not None:
            mentioned.append((acting, _id_in(actor)))
        if (table := _NAMED_BY.get(event.field)) is not None:
            mentioned += [(table, _id_in(event.old)), (table, _id_in(event.new))]
        for table, one in mentioned:
            if one is not None:
                wanted.setdefault(table, set()).add(one)
    names: dict[UUID | None, str] = {}
    for table, ids in wanted.items():
        label: InstrumentedAttribute[str] = getattr(table, "tag" if table is Asset else "name")
        rows = await session.execute(
            select(table.id, label.label("label")).where(table.id.in_(ids))
        )
        names.update({row.id: row.label for row in rows})
    return names


def _id_in(words: str | None) -> UUID | None:
    try:
        return UUID(words) if words else None
    except ValueError:
        return None


def ticket_rows() -> Any:
    """Return the statement for tickets with all that `view_of` shows of them."""
    followers = (
        select(_Follower.number)
        .where(_Follower.follows_id == Ticket.id)
        .order_by(_Follower.number)
        .correlate(Ticket)
        .scalar_subquery()
    )
    return (
        select(
            Ticket,
            # Not whole rows: a page shows a hundred tickets.
            Bundle("contact", Contact.id, Contact.name, Contact.email),
            Bundle("assignee", AgentRow.id, AgentRow.name, AgentRow.email),
            _Follows.number,
            func.array(followers, type_=ARRAY(BigInteger)),
            Account.channel,
            Bundle("team", Team.id, Team.name),
            Bundle("category", Category.id, Category.name),
            Bundle("organisation", Organisation.id, Organisation.name),
            Conversation.address,
        )
        .join(Contact, Contact.id == Ticket.contact_id)
        .join(Conversation, Conversation.id == Ticket.conversation_id)
        .outerjoin(Account, Account.id == Conversation.account_id)
        .outerjoin(AgentRow, AgentRow.id == Ticket.assignee_id)
        .outerjoin(_Follows, _Follows.id == Ticket.follows_id)
        .outerjoin(Team, Team.id == Ticket.team_id)
        .outerjoin(Category, Category.id == Ticket.category_id)
        .outerjoin(Organisation, Organisation.id == Ticket.organisation_id)
    )


def requester_of(contact: Contact | Any, address: str | None) -> Person:
    """Return a requester as they are shown; one without a name by the `address` they write from.

    Only where that says something: other platforms name people by numbers.
    """
    readable = address if address is not None and "@" in address else None
    return Person(id=contact.id, name=contact.name or readable, email=contact.email)


def view_of(row: Any) -> TicketView:
    """Return a row of `ticket_rows` as it is shown."""
    ticket, contact, assignee, follows, followers, channel, team, category, *others = row
    organisation, address = others
    return TicketView(
        id=TicketId(ticket.id),
        number=ticket.number,
        kind=ticket.kind,
        status=TicketStatus(ticket.status),
        priority=Priority(ticket.priority),
        reason=ticket.reason,
        subject=ticket.subject,
        summary=ticket.summary,
        language=ticket.language,
        confidence=ticket.confidence,
        conversation=ConversationId(ticket.conversation_id),
        channel=channel,
        requester=requester_of(contact, address),
        assignee=None
        if assignee.id is None
        else Person(id=assignee.id, name=assignee.name, email=assignee.email),
        team=_named(team),
        level=ticket.level,
        category=_named(category),
        organisation=_named(organisation),
        impact=ticket.impact,
        urgency=ticket.urgency,
        is_priority_set=ticket.is_priority_set,
        fields=ticket.fields,
        tags=ticket.tags,
        came_by=None if ticket.came_by is None else CameBy(ticket.came_by),
        due_at=ticket.due_at,
        asset=ticket.asset_id,
        sla_due_at=ticket.sla_due_at,
        sla_due_kind=ticket.sla_due_kind,
        sla_breached_at=ticket.sla_breached_at,
        follows=follows,
        followed_by=followers,
        created_at=ticket.created_at,
        updated_at=ticket.updated_at,
        first_response_at=ticket.first_response_at,
        solved_at=ticket.solved_at,
        closed_at=ticket.closed_at,
        closed_as=None if ticket.closed_as is None else ClosedAs(ticket.closed_as),
    )


def _named(row: Any) -> Named | None:
    return None if row.id is None else Named(id=row.id, name=row.name)
