"""Which tickets are wanted, as the database is asked for them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import (
    ARRAY,
    BindParameter,
    ColumnElement,
    Uuid,
    any_,
    bindparam,
    exists,
    literal,
    or_,
    select,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from core.domain.account import Origin
from core.domain.classification import Kind
from core.domain.due_dates import DAY_BEFORE, DueDate
from core.domain.ids import (
    AccountId,
    AgentId,
    CategoryId,
    ContactId,
    OrganisationId,
    TeamId,
    TicketId,
)
from core.domain.ticket import CATEGORY, ClosedAs, Priority, StatusCategory, TicketStatus
from core.domain.views import SOON_MINUTES, Promise
from core.storage.queries.access.sight import Sight
from core.storage.queries.tickets.by_fields import FieldTest
from core.storage.tables import Account, Conversation, Ticket

LIVE = frozenset(s for s in TicketStatus if CATEGORY[s] != StatusCategory.DONE)
"""Statuses of tickets that somebody still has to do something about: few among many."""


_SOON = timedelta(minutes=SOON_MINUTES)


class Unassigned(StrEnum):
    """Stands where an agent's id would, for tickets that nobody has."""

    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketFilter:
    """Which tickets are wanted; an empty filter wants all."""

    statuses: Sequence[TicketStatus] = ()
    assignees: Sequence[AgentId | Unassigned] = ()
    requester: ContactId | None = None
    teams: Sequence[TeamId] = ()
    categories: Sequence[CategoryId] = ()
    organisation: OrganisationId | None = None
    tags: Sequence[str] = ()  # one of them
    priorities: Sequence[Priority] = ()
    kinds: Sequence[Kind] = ()
    channels: Sequence[str] = ()
    accounts: Sequence[AccountId] = ()  # as `channels`, where they are known by id
    languages: Sequence[str] = ()
    promises: Sequence[Promise] = ()
    due_dates: Sequence[DueDate] = ()
    created_from: datetime | None = None
    created_before: datetime | None = None
    updated_since: datetime | None = None
    fields: Sequence[FieldTest] = ()  # all of them
    now: datetime | None = None  # with `promises` and `due_dates`
    is_spam: bool = False  # spam alone, or none of it
    among: Collection[TicketId] | None = None  # such as those that a search found
    sight: Sight | None = None  # of the one who asks; none: they see all
    may_be_rehearsed: bool = True  # False where it is known that there is no rehearsal


def conditions(wanted: TicketFilter, *, is_promised: bool = False) -> list[ColumnElement[bool]]:
    """Return the conditions that a ticket fits.

    `is_promised` where it is asked for besides that a clock runs in it.
    """
    is_spam = Ticket.closed_as.is_not_distinct_from(ClosedAs.SPAM)
    found: list[ColumnElement[bool]] = []
    if wanted.may_be_rehearsed:
        found.append(_IS_NO_REHEARSAL)
    if wanted.is_spam:
        found.append(is_spam)
    elif not is_live(wanted):  # what is not closed is not closed as spam
        found.append(~is_spam)
    # Clocks run in live tickets alone. To say so again would let the planner take both for
    # independent, and few for almost none.
    has_clock = is_promised or (bool(wanted.promises) and Promise.NONE not in wanted.promises)
    if wanted.statuses and not (has_clock and set(wanted.statuses) == LIVE):
        found.append(Ticket.status.in_(written_out(wanted.statuses)))
    if wanted.assignees:
        agents = [one for one in wanted.assignees if one is not Unassigned.NONE]
        whose = [Ticket.assignee_id.in_(agents)] if agents else []
        if len(agents) < len(wanted.assignees):
            whose.append(Ticket.assignee_id.is_(None))
        found.append(or_(*whose))
    if wanted.sight is not None:
        found.append(wanted.sight.holds())
    if wanted.requester is not None:
        found.append(Ticket.contact_id == wanted.requester)
    if wanted.organisation is not None:
        found.append(Ticket.organisation_id == wanted.organisation)
    if wanted.teams:
        found.append(Ticket.team_id.in_(wanted.teams))
    if wanted.categories:
        found.append(Ticket.category_id.in_(wanted.categories))
    if wanted.priorities:
        found.append(Ticket.priority.in_(wanted.priorities))
    if wanted.languages:
        found.append(Ticket.language.in_(wanted.languages))
    if wanted.tags:
        found.append(or_(*(Ticket.tags.contains([tag]) for tag in wanted.tags)))
    if wanted.kinds:
        found.append(Ticket.kind.in_(written_out(wanted.kinds)))
    if wanted.channels:
        found.append(_came_over(wanted.channels))
    if wanted.accounts:
        found.append(_came_to(wanted.accounts))
    if wanted.created_from is not None:
        found.append(Ticket.created_at >= wanted.created_from)
    if wanted.created_before is not None:
        found.append(Ticket.created_at < wanted.created_before)
    if wanted.updated_since is not None:
        found.append(Ticket.updated_at >= wanted.updated_since)
    if wanted.promises:
        assert wanted.now is not None
        found.append(or_(*_stand(wanted.promises, wanted.now)))
    if wanted.due_dates:
        assert wanted.now is not None
        found.append(or_(*(_falls(one, wanted.now) for one in wanted.due_dates)))
    found += [test.holds() for test in wanted.fields]
    if wanted.among is not None:
        found.append(Ticket.id == any_(literal(list(wanted.among), ARRAY(Uuid))))
    return found


def written_out(values: Collection[StrEnum]) -> BindParameter[list[str]]:
    """Return `values` as a part of the statement itself: some indexes are of certain ones alone."""
    plain = [one.value for one in values]
    return bindparam(None, plain, expanding=True, literal_execute=True, unique=True)


def is_live(wanted: TicketFilter) -> bool:
    """Return whether only tickets are wanted that are neither solved nor closed."""
    return bool(wanted.statuses) and LIVE.issuperset(wanted.statuses)


async def has_rehearsals(session: AsyncSession) -> bool:
    """Return whether there is a rehearsal, whose tickets nobody is to see."""
    return bool(await session.scalar(select(exists().where(Account.origin == Origin.REHEARSAL))))


def _came_over(channels: Sequence[str]) -> ColumnElement[bool]:
    place, account = aliased(Conversation), aliased(Account)
    return exists().where(
        place.id == Ticket.conversation_id,
        account.id == place.account_id,
        account.channel.in_(channels),
    )


def _came_to(accounts: Sequence[AccountId]) -> ColumnElement[bool]:
    place = aliased(Conversation)
    return exists().where(place.id == Ticket.conversation_id, place.account_id.in_(accounts))


def _stand(promises: Collection[Promise], now: datetime) -> list[ColumnElement[bool]]:
    if {Promise.LATE, Promise.SOON} <= set(promises):  # one range, which an index has in order
        others = [one for one in promises if one not in (Promise.LATE, Promise.SOON)]
        return [Ticket.sla_due_at <= now + _SOON, *_stand(others, now)]
    return [_stands(promise, now) for promise in promises]


def _stands(promise: Promise, now: datetime) -> ColumnElement[bool]:
    match promise:
        case Promise.LATE:
            return Ticket.sla_due_at < now  # where a running clock ran out, the first due did
        case Promise.SOON:
            return Ticket.sla_due_at.between(now, now + _SOON)
        case Promise.RUNNING:
            return Ticket.sla_due_at.is_not(None)
        case Promise.NONE:
            return Ticket.sla_due_at.is_(None)


def _falls(due: DueDate, now: datetime) -> ColumnElement[bool]:
    match due:
        case DueDate.PAST:
            return Ticket.due_at < now
        case DueDate.NEAR:
            return Ticket.due_at.between(now, now + DAY_BEFORE)
        case DueDate.SET:
            return Ticket.due_at.is_not(None)
        case DueDate.NONE:
            return Ticket.due_at.is_(None)


def _is_no_rehearsal() -> ColumnElement[bool]:
    """Nobody waits for an answer in a rehearsal: agents are not to see its tickets.

    Most desks have none, which is asked once, not for each ticket.
    """
    place, account, any_account = aliased(Conversation), aliased(Account), aliased(Account)
    none = ~exists().where(any_account.origin == Origin.REHEARSAL)
    own = exists().where(
        place.id == Ticket.conversation_id,
        account.id == place.account_id,
        account.origin == Origin.REHEARSAL,
    )
    return or_(none, ~own)


_IS_NO_REHEARSAL = _is_no_rehearsal()  # made once: it is part of every list
