"""Finds tickets, conversations and people by words, by index however many there are.

Each way to find something looks at a bounded number of what fits, the latest first: among very many
that fit, what is old is not looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Numeric,
    Select,
    and_,
    bindparam,
    cast,
    exists,
    func,
    literal,
    null,
    or_,
    select,
    text,
    union,
    union_all,
)
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, aliased

from core.domain.account import Origin
from core.domain.ids import ContactId, ConversationId, MessageId, TicketId
from core.storage.queries.access.sight import Sight, main_ticket
from core.storage.queries.search.in_fields import Held, held_in_fields, holds, latest_held
from core.storage.queries.search.latest import (
    Usage,
    all_of,
    latest,
    usage_in_messages,
    usage_in_tickets,
)
from core.storage.queries.search.terms import Term, any_of, read_terms
from core.storage.queries.tickets.filter import TicketFilter, conditions
from core.storage.tables import (
    Account,
    Contact,
    ContactAddress,
    Conversation,
    Message,
    Organisation,
    Ticket,
    TicketField,
)

_LOOKED_AT = 200  # of each way to find something
HALF_LIFE = timedelta(days=120)
"""How much later something must have been said to count as much as what fits twice as well."""
LEAST_RANK = 1e-3  # on top of each rank: its logarithm is taken
_PEOPLE_LOOKED_AT = 100  # and of their tickets
_BY_PERSON_RANK = 0.03  # of a ticket whose requester is called so; words weigh more


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A place where words were found."""

    conversation: ConversationId  # the requester's
    ticket: TicketId | None
    message: MessageId | None
    rank: float
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Only:
    """What is not to be looked at: it must not take the place of what is found."""

    sight: Sight | None
    within: TicketFilter | None

    def tickets(self, query: Select[Any]) -> Select[Any]:
        """Narrow a statement about `Ticket`."""
        if self.sight is not None:
            query = query.where(self.sight.holds())
        return query if self.within is None else query.where(*conditions(self.within))

    def conversations(self, query: Select[Any], name: Any) -> Select[Any]:
        """Narrow a statement about what belongs to the conversation of this name."""
        if self.sight is not None:
            place = exists().where(Conversation.id == name, self.sight.holds_conversation())
            query = query.where(place.correlate_except(Conversation))
        return self._of_tickets(query, name)

    def own_conversations(self, query: Select[Any]) -> Select[Any]:
        """Narrow a statement about `Conversation`."""
        if self.sight is not None:
            query = query.where(self.sight.holds_conversation())
        return self._of_tickets(query, Conversation.id)

    def _of_tickets(self, query: Select[Any], name: Any) -> Select[Any]:
        if self.within is None:
            return query
        ticket = exists().where(Ticket.conversation_id == name, *conditions(self.within))
        return query.where(ticket)


async def hits(
    session: AsyncSession,
    terms: Sequence[Term],
    sight: Sight | None,
    within: TicketFilter | None = None,
    *,
    most: int | None = None,
) -> Sequence[Hit]:
    """Return where all of `terms` are found: in a message, a ticket, its fields, its requester.

    They may be spread over all that belongs to a conversation. With `within`, what belongs to no
    such ticket is passed over; with `most`, only so many that score best are looked up.
    """
    only = _Only(sight=sight, within=within)
    # A plan for any words would be a bad one for most: how often they occur decides.
    await session.execute(text("SET LOCAL plan_cache_mode = force_custom_plan"))
    telling = sorted((term for term in terms if term.query), key=lambda term: term.uses)
    ways: list[Select[Any]] = [
        _said(terms, only, await usage_in_messages(session, telling)),
        _described(terms, only, await usage_in_tickets(session, Ticket.document, telling)),
        _of_people(terms, only),
    ]
    held = await held_in_fields(session, telling)
    if telling and len(held) == len(telling):
        ways.append(_filled(terms, only, min(held.values())))
    if len(telling) > 1:
        usage = await usage_in_messages(session, telling[:1])
        ways.append(_spread(telling[0], telling[1:], only, usage, held))
    found = union_all(*ways).cte("found")
    if most is not None:
        score = func.log(2, cast(found.c.rank + LEAST_RANK, Numeric)) + (
            func.extract("epoch", found.c.at) / HALF_LIFE.total_seconds()
        )
        found = select(found).order_by(score.desc()).limit(most).cte("best")
    home = aliased(Ticket)
    query = (
        select(
            func.coalesce(home.conversation_id, Conversation.side_of, Conversation.id),
            Ticket.id,
            found.c.message_id,
            found.c.rank,
            found.c.at,
        )
        .select_from(found)
        .join(Conversation, Conversation.id == found.c.conversation_id)
        .outerjoin(Account, Account.id == Conversation.account_id)
        .outerjoin(home, home.id == main_ticket())
        .outerjoin(Ticket, Ticket.id == func.coalesce(found.c.ticket_id, home.id))
        .where(Account.origin.is_distinct_from(Origin.REHEARSAL), Conversation.is_spam.is_(False))
    )
    if sight is not None:
        query = query.where(or_(Ticket.id.is_(None), sight.holds()))
    rows = await session.execute(query)
    return [
        Hit(
            conversation=ConversationId(conversation),
            ticket=None if ticket is None else TicketId(ticket),
            message=None if message is None else MessageId(message),
            rank=rank,
            at=at,
        )
        for conversation, ticket, message, rank, at in rows
    ]


async def people_found(
    session: AsyncSession, terms: Sequence[Term], address: str | None, limit: int
) -> Sequence[ContactId]:
    """Return requesters whose name or address has all of `terms`, met last first.

    Whoever's address is exactly `address` comes before all others.
    """
    exact: list[UUID] = []
    if address is not None:
        exact = list(await session.scalars(_at_address(address).limit(limit)))
    rest = await session.scalars(_called(terms, limit))
    return [ContactId(one) for one in dict.fromkeys([*exact, *rest])][:limit]


async def named_by(session: AsyncSession, word: str) -> ColumnElement[bool]:
    """Return the condition that `word` names a contact: by name, address or organisation."""
    ((_, beginnings),) = await read_terms(session, [word])
    theirs = await session.scalars(
        select(Organisation.id)
        .where(Organisation.name.icontains(word, autoescape=True))
        .limit(_PEOPLE_LOOKED_AT)
    )
    at_address = await session.scalars(_at_address(word.lower()).limit(_PEOPLE_LOOKED_AT))
    return or_(
        _has(Contact.document, beginnings),
        Contact.organisation_id.in_(theirs.all()),
        Contact.id.in_(at_address.all()),
    )


def _at_address(address: str) -> CompoundSelect[UUID]:
    person = aliased(Contact)
    return union(
        select(person.id).where(func.lower(person.email) == address),
        select(ContactAddress.contact_id).where(func.lower(ContactAddress.address) == address),
        select(ContactAddress.contact_id).where(ContactAddress.verified_email == address),
    )


def _has(document: InstrumentedAttribute[str | None], query: str) -> ColumnElement[bool]:
    return document.bool_op("@@")(_query(query))


def _query(words: str) -> ColumnElement[Any]:
    return cast(bindparam(None, words, unique=True), TSQUERY)


def _rank(document: ColumnElement[Any], terms: Sequence[Term]) -> Any:
    return func.ts_rank(document, _query(any_of([term.query for term in terms])))


def _named(terms: Sequence[Term]) -> Sequence[ColumnElement[bool]]:
    """Return the condition that a contact's name or address has all of `terms`."""
    queries = [term.beginnings for term in terms]
    return [_has(Contact.document, all_of(queries))] if all(queries) else [literal(value=False)]


def _called(terms: Sequence[Term], limit: int) -> Select[Any]:
    """Return the contacts met last whose name or address has all of `terms`."""
    query = select(Contact.id).where(*_named(terms))
    return latest(query, Contact.id, Usage(), limit=limit)


def _said(terms: Sequence[Term], only: _Only, usage: Usage) -> Select[Any]:
    """Return messages that have all of `terms`."""
    query: Any = (
        select(Message.conversation_id, Message.id, Message.document, Message.created_at)
        .where(_has(Message.document, all_of([term.query for term in terms])))
        .where(Message.removed_at.is_(None))
    )
    query = only.conversations(query, Message.conversation_id)
    said = latest(query, Message.id, usage, limit=_LOOKED_AT).subquery("said")
    return select(
        said.c.conversation_id.label("conversation_id"),
        cast(null(), Ticket.id.type).label("ticket_id"),
        said.c.id.label("message_id"),
        _rank(said.c.document, terms).label("rank"),
        said.c.created_at.label("at"),
    )


def _described(terms: Sequence[Term], only: _Only, usage: Usage) -> Select[Any]:
    """Return tickets whose subject and summary have all of `terms`."""
    query: Any = select(
        Ticket.conversation_id, Ticket.id, Ticket.document, Ticket.created_at
    ).where(_has(Ticket.document, all_of([term.query for term in terms])))
    query = only.tickets(query)
    found = latest(query, Ticket.id, usage, limit=_LOOKED_AT).subquery("described")
    return select(
        found.c.conversation_id,
        found.c.id.label("ticket_id"),
        cast(null(), Message.id.type).label("message_id"),
        _rank(found.c.document, terms).label("rank"),
        found.c.created_at.label("at"),
    )


def _filled(terms: Sequence[Term], only: _Only, held: int) -> Select[Any]:
    """Return tickets of which one field holds all of `terms`."""
    query: Any = (
        select(Ticket.conversation_id, Ticket.id, TicketField.document, Ticket.created_at)
        .join(TicketField, TicketField.ticket_id == Ticket.id)
        .where(holds(TicketField, all_of([term.query for term in terms])))
    )
    found = latest_held(only.tickets(query), held, limit=_LOOKED_AT).subquery("filled")
    return select(
        found.c.conversation_id,
        found.c.id.label("ticket_id"),
        cast(null(), Message.id.type).label("message_id"),
        _rank(found.c.document, terms).label("rank"),
        found.c.created_at.label("at"),
    )


def _of_people(terms: Sequence[Term], only: _Only) -> Select[Any]:
    """Return the tickets of requesters who are called by all of `terms`."""
    people = _called(terms, _PEOPLE_LOOKED_AT)
    query = (
        select(
            Ticket.conversation_id,
            Ticket.id.label("ticket_id"),
            cast(null(), Message.id.type).label("message_id"),
            literal(_BY_PERSON_RANK).label("rank"),
            Ticket.created_at.label("at"),
        )
        .where(Ticket.contact_id.in_(people))
        .order_by(Ticket.id.desc())
        .limit(_PEOPLE_LOOKED_AT)
    )
    return select(only.tickets(query).subquery("of_people"))


def _spread(
    rarest: Term, others: Sequence[Term], only: _Only, usage: Usage, held: Held
) -> Select[Any]:
    """Return conversations that have `rarest` and all of `others`, but not all in one place.

    The rarest word leads to them; the others are looked for there.
    """
    message = aliased(Message)
    by_words: Any = select(
        message.conversation_id.label("id"), message.id.label("message_id")
    ).where(_has(message.document, rarest.query), message.removed_at.is_(None))
    by_words = only.conversations(by_words, message.conversation_id)
    by_ticket: Any = select(
        Ticket.conversation_id.label("id"), cast(null(), Message.id.type)
    ).where(_has(Ticket.document, rarest.query))
    by_ticket = only.tickets(by_ticket)
    in_tickets = Usage(is_common=usage.is_common)
    people = _called([rarest], _PEOPLE_LOOKED_AT)
    by_person: Any = (
        select(Conversation.id, cast(null(), Message.id.type))
        .where(Conversation.contact_id.in_(people))
        .order_by(Conversation.last_message_at.desc())
        .limit(_LOOKED_AT)
    )
    leads = [
        latest(by_words, message.id, usage, limit=_LOOKED_AT),
        latest(by_ticket, Ticket.id, in_tickets, limit=_LOOKED_AT),
        only.own_conversations(by_person),
    ]
    if rarest in held:
        by_field: Any = (
            select(Ticket.conversation_id.label("id"), cast(null(), Message.id.type))
            .join(TicketField, TicketField.ticket_id == Ticket.id)
            .where(holds(TicketField, rarest.query))
        )
        leads.append(latest_held(only.tickets(by_field), held[rarest], limit=_LOOKED_AT))
    led_to = union_all(*(select(one.subquery()) for one in leads)).subquery("led_to")
    place = aliased(Conversation)
    each = []
    for term in others:
        said, known, person = aliased(Message), aliased(Ticket), aliased(Contact)
        filled, field = aliased(Ticket), aliased(TicketField)
        in_field = exists().where(
            filled.conversation_id == place.id,
            field.ticket_id == filled.id,
            holds(field, term.query),
        )
        each.append(
            or_(
                *([in_field] if term in held else ()),
                exists().where(
                    said.conversation_id == place.id,
                    said.removed_at.is_(None),
                    _has(said.document, term.query),
                ),
                exists().where(known.conversation_id == place.id, _has(known.document, term.query)),
                exists().where(
                    person.id == place.contact_id, _has(person.document, term.beginnings)
                ),
            )
        )
    return (
        select(
            place.id.label("conversation_id"),
            cast(null(), Ticket.id.type).label("ticket_id"),
            led_to.c.message_id,
            literal(_BY_PERSON_RANK).label("rank"),
            place.last_message_at.label("at"),
        )
        .select_from(led_to)
        .join(place, place.id == led_to.c.id)
        .where(and_(*each))
    )
