"""Reads tickets as agents see them: with people, filters and history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    UnaryExpression,
    case,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, aliased

from core.domain.account import Origin
from core.domain.conversation import Speaker
from core.domain.errors import NotFound
from core.domain.ids import (
    AgentId,
    CategoryId,
    ContactId,
    ConversationId,
    OrganisationId,
    TeamId,
    TicketId,
)
from core.domain.ticket import RANK, ClosedAs, Priority, TicketStatus
from core.storage.queries.sight import Sight
from core.storage.tables import (
    Account,
    AgentRow,
    Asset,
    Category,
    Contact,
    Conversation,
    Message,
    Organisation,
    Team,
    Ticket,
    TicketEvent,
)

_MAX_SEARCH_WORDS = 6
_MAX_NUMBER = 2**63 - 1
_Follows = aliased(Ticket)
_IS_SAID = (
    Message.speaker.in_((Speaker.CUSTOMER, Speaker.AGENT)),
    Message.is_internal.is_(False),
    Message.removed_at.is_(None),
)


class Unassigned(StrEnum):
    """Stands where an agent's id would, for tickets that nobody has."""

    NONE = "none"


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
    due_at: datetime | None
    asset: UUID | None
    sla_due_at: datetime | None  # of the running clock that is due first
    sla_due_kind: str | None
    sla_breached_at: datetime | None  # of the first of its running clocks that ran out
    follows: int | None  # the number of the closed ticket this one goes on from
    created_at: datetime
    updated_at: datetime
    first_response_at: datetime | None
    solved_at: datetime | None
    closed_at: datetime | None
    closed_as: ClosedAs | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketFilter:
    """Which tickets are wanted; an empty filter wants all."""

    statuses: Sequence[TicketStatus] = ()
    assignee: AgentId | Unassigned | None = None
    requester: ContactId | None = None
    team: TeamId | None = None
    category: CategoryId | None = None
    organisation: OrganisationId | None = None
    tag: str | None = None
    is_spam: bool = False  # spam alone, or none of it
    sight: Sight | None = None  # of the one who asks; none: they see all
    words: str = ""  # a number, or words of subject, requester or messages


class QueueOrder(StrEnum):
    """How agents look through tickets."""

    LONGEST_WAITING = "longest_waiting"  # the most urgent first, then what is due first
    LATEST_CHANGE = "latest_change"  # the most urgent first, then what is due first
    NEWEST = "newest"


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueRow:
    """A ticket in a queue, with the last thing that a person said in it."""

    ticket: TicketView
    last_words: str
    is_unanswered: bool  # the requester spoke last
    last_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One entry of a ticket's history."""

    field: str
    old: str | None
    new: str | None
    actor: str
    actor_name: str | None  # of an agent
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
    query = _views().where(*_conditions(wanted))
    if before is not None:
        query = query.where(Ticket.id < before)
    rows = await session.execute(query.order_by(Ticket.id.desc()).limit(limit))
    return [_view(row) for row in rows]


async def queue(
    session: AsyncSession, wanted: TicketFilter, order: QueueOrder, limit: int = 100
) -> Sequence[QueueRow]:
    """Return the tickets that fit, for an agent to choose from."""
    rank = case(
        {priority.value: value for priority, value in RANK.items()}, value=Ticket.priority, else_=0
    )
    orders: dict[QueueOrder, tuple[UnaryExpression[Any], ...]] = {
        QueueOrder.LONGEST_WAITING: (
            rank.desc(),
            Ticket.sla_due_at.asc().nulls_last(),
            Ticket.created_at.asc(),
        ),
        QueueOrder.LATEST_CHANGE: (
            rank.desc(),
            Ticket.sla_due_at.asc().nulls_last(),
            Ticket.updated_at.desc(),
        ),
        QueueOrder.NEWEST: (Ticket.id.desc(),),
    }
    last = (
        select(Message.text, Message.speaker, Message.created_at)
        .where(Message.conversation_id == Ticket.conversation_id, *_IS_SAID)
        .order_by(Message.position.desc(), Message.seq.desc())
        .limit(1)
        .lateral("last")
    )
    rows = await session.execute(
        _views()
        .add_columns(last.c.text, last.c.speaker, last.c.created_at)
        .outerjoin(last, literal(value=True))
        .where(*_conditions(wanted))
        .order_by(*orders[order], Ticket.id)
        .limit(limit)
    )
    found = [
        QueueRow(
            ticket=_view(view),
            last_words=words or "",
            is_unanswered=speaker == Speaker.CUSTOMER,
            last_at=at,
        )
        for *view, words, speaker, at in rows
    ]
    return await _with_merged(session, found)


async def _with_merged(session: AsyncSession, found: Sequence[QueueRow]) -> Sequence[QueueRow]:
    """Return rows with the last words of merged tickets' conversations, where those are later."""
    said = (
        select(Message.text, Message.speaker, Message.created_at)
        .where(Message.conversation_id == Conversation.id, *_IS_SAID)
        .order_by(Message.position.desc(), Message.seq.desc())
        .limit(1)
        .lateral("said")
    )
    rows = await session.execute(
        select(Conversation.merged_into, said.c.text, said.c.speaker, said.c.created_at)
        .join(said, literal(value=True))
        .where(Conversation.merged_into.in_([row.ticket.conversation for row in found]))
        .order_by(said.c.created_at)
    )
    last = {into: (words, speaker, at) for into, words, speaker, at in rows}
    together = []
    for row in found:
        words, speaker, at = last.get(row.ticket.conversation, (None, None, None))
        if at is not None and (row.last_at is None or at > row.last_at):
            is_unanswered = speaker == Speaker.CUSTOMER
            row = replace(row, last_words=words, is_unanswered=is_unanswered, last_at=at)
        together.append(row)
    return together


async def count_tickets(session: AsyncSession, wanted: TicketFilter) -> int:
    """Return how many tickets fit."""
    counted = await session.scalar(
        select(func.count())
        .select_from(Ticket)
        .join(Contact, Contact.id == Ticket.contact_id)
        .where(*_conditions(wanted))
    )
    return counted or 0


async def ticket_view(session: AsyncSession, ticket: TicketId) -> TicketView:
    """Return one ticket.

    Raises:
        NotFound: there is none.
    """
    row = (await session.execute(_views().where(Ticket.id == ticket))).one_or_none()
    if row is None:
        raise NotFound("there is no such ticket")
    return _view(row)


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


async def history(session: AsyncSession, ticket: TicketId) -> Sequence[Change]:
    """Return everything that changed in a ticket, in order, with agents by name; no messages."""
    events = (
        await session.scalars(
            select(TicketEvent)
            .where(TicketEvent.ticket_id == ticket, TicketEvent.field != "message")
            .order_by(TicketEvent.id)
        )
    ).all()
    names = await _names_in(session, events)
    return [
        Change(
            field=event.field,
            old=event.old,
            new=event.new,
            actor=event.actor,
            actor_name=names.get(_id_in(event.actor.removeprefix("agent:"))),
            old_name=names.get(_id_in(event.old)),
            new_name=names.get(_id_in(event.new)),
            reason=event.reason,
            at=event.at,
        )
        for event in events
    ]


def as_number(words: str) -> int | None:
    """Return the ticket number that `words` name, such as "1007" or "#1007"."""
    digits = words.strip().removeprefix("#")
    if not (digits.isascii() and digits.isdigit()) or len(digits) > len(str(_MAX_NUMBER)):
        return None
    number = int(digits)
    return number if number <= _MAX_NUMBER else None


_Table = type[AgentRow] | type[Team] | type[Category] | type[Asset]

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
        actor = _id_in(event.actor.removeprefix("agent:"))
        mentioned: list[tuple[_Table, UUID | None]] = [(AgentRow, actor)]
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


def _views() -> Select[Ticket, Contact, AgentRow, int, str, Team, Category, Organisation]:
    return (
        select(
            Ticket,
            Contact,
            AgentRow,
            _Follows.number,
            Account.channel,
            Team,
            Category,
            Organisation,
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


def _view(row: Any) -> TicketView:
    ticket, contact, assignee, follows, channel, team, category, organisation = row
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
        requester=Person(id=contact.id, name=contact.name, email=contact.email),
        assignee=None
        if assignee is None
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
        due_at=ticket.due_at,
        asset=ticket.asset_id,
        sla_due_at=ticket.sla_due_at,
        sla_due_kind=ticket.sla_due_kind,
        sla_breached_at=ticket.sla_breached_at,
        follows=follows,
        created_at=ticket.created_at,
        updated_at=ticket.updated_at,
        first_response_at=ticket.first_response_at,
        solved_at=ticket.solved_at,
        closed_at=ticket.closed_at,
        closed_as=None if ticket.closed_as is None else ClosedAs(ticket.closed_as),
    )


def _named(row: Team | Category | Organisation | None) -> Named | None:
    return None if row is None else Named(id=row.id, name=row.name)


def _conditions(wanted: TicketFilter) -> list[ColumnElement[bool]]:
    rehearsed = (
        select(Conversation.id)
        .join(Account, Account.id == Conversation.account_id)
        .where(Account.origin == Origin.REHEARSAL)
    )
    # Nobody waits for an answer in a rehearsal: agents are not to see its tickets.
    conditions: list[ColumnElement[bool]] = [Ticket.conversation_id.not_in(rehearsed)]
    conditions.append(
        Ticket.closed_as == ClosedAs.SPAM
        if wanted.is_spam
        else Ticket.closed_as.is_distinct_from(ClosedAs.SPAM)
    )
    if wanted.statuses:
        conditions.append(Ticket.status.in_(wanted.statuses))
    if wanted.assignee is Unassigned.NONE:
        conditions.append(Ticket.assignee_id.is_(None))
    elif wanted.assignee is not None:
        conditions.append(Ticket.assignee_id == wanted.assignee)
    if wanted.sight is not None:
        conditions.append(wanted.sight.holds())
    if wanted.requester is not None:
        conditions.append(Ticket.contact_id == wanted.requester)
    for column, value in (
        (Ticket.team_id, wanted.team),
        (Ticket.category_id, wanted.category),
        (Ticket.organisation_id, wanted.organisation),
    ):
        if value is not None:
            conditions.append(column == value)
    if wanted.tag is not None:
        conditions.append(Ticket.tags.contains([wanted.tag]))
    if (number := as_number(wanted.words)) is not None:
        conditions.append(Ticket.number == number)
    else:
        conditions.extend(_says(word) for word in wanted.words.split()[:_MAX_SEARCH_WORDS])
    return conditions


def _says(word: str) -> ColumnElement[bool]:
    """Return the condition that a ticket has `word` in its subject, requester or messages."""
    said = select(Message.conversation_id).where(Message.text.icontains(word, autoescape=True))
    return or_(
        Ticket.subject.icontains(word, autoescape=True),
        Contact.name.icontains(word, autoescape=True),
        Contact.email.icontains(word, autoescape=True),
        Ticket.conversation_id.in_(said),
    )
