"""Which tickets are wanted, as the database is asked for them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, exists, or_
from sqlalchemy.orm import aliased

from core.domain.account import Origin
from core.domain.ids import AgentId, CategoryId, ContactId, OrganisationId, TeamId, TicketId
from core.domain.ticket import ClosedAs, Priority, TicketStatus
from core.domain.views import SOON_MINUTES, Promise
from core.storage.queries.sight import Sight
from core.storage.tables import Account, Conversation, Ticket


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
    channels: Sequence[str] = ()
    languages: Sequence[str] = ()
    promises: Sequence[Promise] = ()
    now: datetime | None = None  # with `promises`
    is_spam: bool = False  # spam alone, or none of it
    among: Collection[TicketId] | None = None  # such as those that a search found
    sight: Sight | None = None  # of the one who asks; none: they see all


def conditions(wanted: TicketFilter) -> list[ColumnElement[bool]]:
    """Return the conditions that a ticket fits."""
    is_spam = Ticket.closed_as.is_not_distinct_from(ClosedAs.SPAM)
    found: list[ColumnElement[bool]] = [_IS_NO_REHEARSAL, is_spam if wanted.is_spam else ~is_spam]
    if wanted.statuses:
        found.append(Ticket.status.in_(wanted.statuses))
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
    if wanted.channels:
        found.append(_came_over(wanted.channels))
    if wanted.promises:
        assert wanted.now is not None
        found.append(or_(*(_stands(promise, wanted.now) for promise in wanted.promises)))
    if wanted.among is not None:
        found.append(Ticket.id.in_(wanted.among))
    return found


def _came_over(channels: Sequence[str]) -> ColumnElement[bool]:
    place, account = aliased(Conversation), aliased(Account)
    return exists().where(
        place.id == Ticket.conversation_id,
        account.id == place.account_id,
        account.channel.in_(channels),
    )


def _stands(promise: Promise, now: datetime) -> ColumnElement[bool]:
    match promise:
        case Promise.LATE:
            return or_(Ticket.sla_breached_at.is_not(None), Ticket.sla_due_at < now)
        case Promise.SOON:
            return Ticket.sla_due_at.between(now, now + timedelta(minutes=SOON_MINUTES))
        case Promise.RUNNING:
            return Ticket.sla_due_at.is_not(None)
        case Promise.NONE:
            return Ticket.sla_due_at.is_(None)


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
