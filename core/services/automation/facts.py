"""What conditions can look at, read from a ticket; and what templates can name."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.automation.fields import Field, custom_key
from core.domain.automation.matching import Changed, Fact, Facts
from core.domain.calendars.arithmetic import BusinessHours
from core.domain.conversation import Speaker
from core.domain.first_names import first_name
from core.domain.ids import TicketId
from core.domain.sla.policy import TicketFacts
from core.domain.ticket import Priority
from core.services.automation.changes import (
    Parents,
    category_fact,
    changed_in,
    custom_fact,
    is_of_form,
    parents_of_categories,
    specs_by_label,
)
from core.services.automation.templates import Values
from core.services.reactions.reactor import TicketChange
from core.services.sla.rules import PromiseBook
from core.storage.queries.requester_records.plans import in_force
from core.storage.queries.teams.routing import category_path
from core.storage.tables import (
    Account,
    AgentRow,
    Category,
    Contact,
    Conversation,
    Message,
    Organisation,
    Satisfaction,
    SupportPlan,
    Team,
    Ticket,
)

_SECONDS_AN_HOUR = 3_600

_LAST_SCORE = (
    select(Satisfaction.score)
    .where(Satisfaction.ticket_id == Ticket.id, Satisfaction.score.is_not(None))
    .order_by(Satisfaction.id.desc())
    .limit(1)
    .scalar_subquery()
)
_LAST_SAID = (
    select(Message.text)
    .where(Message.conversation_id == Ticket.conversation_id, Message.speaker == Speaker.CUSTOMER)
    .order_by(Message.position.desc(), Message.seq.desc())
    .limit(1)
    .scalar_subquery()
)
_ROWS = (
    select(Ticket, Contact, Conversation, Account.channel, _LAST_SCORE, _LAST_SAID, SupportPlan.id)
    .join(Contact, Contact.id == Ticket.contact_id)
    .join(Conversation, Conversation.id == Ticket.conversation_id)
    .outerjoin(Account, Account.id == Conversation.account_id)
    .outerjoin(Organisation, Organisation.id == Ticket.organisation_id)
    .outerjoin(SupportPlan, (SupportPlan.id == Organisation.plan_id) & in_force())
    .where(Ticket.id == any_(bindparam("tickets", type_=ARRAY(Uuid()))))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A ticket with all that conditions look at, read once; `session` keeps it up to date.

    What is done to the ticket afterwards by the same session is seen by the next `facts`. What
    was said, what just changed and how satisfied somebody is does not change meanwhile.
    """

    ticket: Ticket
    contact: Contact
    conversation: Conversation
    channel: str | None
    said: str | None
    score: int | None
    plan: UUID | None  # of support, that is in force
    parents: Parents = field(default_factory=dict)  # of categories, where conditions look at them
    hours: BusinessHours | None = None  # that count for the ticket, where conditions look at them
    changed: Changed | None = None

    def facts(self, now: datetime) -> Facts:
        """Return what is known at this moment."""
        return Facts(self.at(now), self.changed)

    def at(self, now: datetime) -> dict[str, Fact]:
        """Return what is known at this moment, by field."""
        ticket, contact = self.ticket, self.contact
        due = ticket.sla_due_at
        known: dict[str, Fact] = {
            Field.STATUS: ticket.status,
            Field.PRIORITY: ticket.priority,
            Field.TYPE: ticket.kind,
            Field.IMPACT: ticket.impact,
            Field.URGENCY: ticket.urgency,
            Field.REASON: ticket.reason,
            Field.CHANNEL: self.channel,
            Field.ACCOUNT: self.conversation.account_id,
            Field.LANGUAGE: self.conversation.language or ticket.language,
            Field.TEAM: _id(ticket.team_id),
            Field.LEVEL: float(ticket.level),
            Field.ASSIGNEE: _id(ticket.assignee_id),
            Field.CATEGORY: category_fact(ticket.category_id, self.parents),
            Field.TAGS: frozenset(map(str, ticket.tags)),
            Field.SUBJECT: ticket.subject,
            Field.MESSAGE: self.said,
            Field.REQUESTER: f"{contact.name or ''} {contact.email or ''}".strip(),
            Field.VIP: contact.is_vip,
            Field.ORGANISATION: _id(ticket.organisation_id),
            Field.PLAN: _id(self.plan),
            Field.SCORE: None if self.score is None else float(self.score),
            Field.HOURS_OPEN: hours_between(ticket.created_at, now),
            Field.HOURS_IDLE: hours_between(ticket.updated_at, now),
            Field.HOURS_TO_PROMISE: None if due is None else hours_between(now, due),
            Field.OUTSIDE_HOURS: None if self.hours is None else not self.hours.is_open(now),
        }
        return known | {custom_key(key): custom_fact(one) for key, one in ticket.fields.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """A ticket to be known."""

    ticket: TicketId
    message: UUID | None = None  # what was just said there; none: what the requester said last


def about(ticket: TicketId, change: TicketChange) -> About:
    """Return what rules are to know of a ticket that has changed."""
    is_said = change.field == "message" and change.new is not None
    return About(ticket=ticket, message=UUID(change.new) if is_said else None)


async def known_of(session: AsyncSession, asked: Collection[About]) -> Mapping[About, Known]:
    """Read what conditions look at of each ticket; those that are erased are left out."""
    if not asked:
        return {}
    said = await _said(session, [one.message for one in asked if one.message is not None])
    rows = await session.execute(_ROWS, {"tickets": [one.ticket for one in asked]})
    found = {row[0].id: row for row in rows}
    known = {}
    for one in asked:
        if one.ticket not in found:
            continue
        ticket, contact, conversation, channel, score, last_said, plan = found[one.ticket]
        known[one] = Known(
            ticket=ticket,
            contact=contact,
            conversation=conversation,
            channel=channel,
            said=last_said if one.message is None else said.get(one.message),
            score=score,
            plan=plan,
        )
    return known


async def completed(
    session: AsyncSession,
    known: Known,
    change: TicketChange | None = None,
    *,
    looks_at: Collection[Field],
    book: PromiseBook,
) -> Known:
    """Return `known` with what only some conditions look at, and with what just changed."""
    is_outside = Field.OUTSIDE_HOURS in looks_at
    needs_tree = is_outside or Field.CATEGORY in looks_at
    parents = await parents_of_categories(session) if needs_tree else {}
    return replace(
        known,
        parents=parents,
        hours=await _hours(session, known, parents, book) if is_outside else None,
        changed=await _changed(session, known.ticket, change, parents),
    )


def hours_between(since: datetime, until: datetime) -> float:
    """Return a span in hours, below zero where `until` was first."""
    return (until - since).total_seconds() / _SECONDS_AN_HOUR


async def values_of(
    session: AsyncSession, ticket: TicketId, base_url: str, agent: AgentRow | None = None
) -> Values:
    """Return what a template about a ticket can name."""
    row = (
        await session.execute(
            select(Ticket, Contact, Category.name, Team.name, Organisation.name)
            .join(Contact, Contact.id == Ticket.contact_id)
            .outerjoin(Category, Category.id == Ticket.category_id)
            .outerjoin(Team, Team.id == Ticket.team_id)
            .outerjoin(Organisation, Organisation.id == Contact.organisation_id)
            .where(Ticket.id == ticket)
        )
    ).one()
    found, contact, category, team, organisation = row
    name = (contact.name or "").strip()
    return {
        "ticket": {
            "number": found.number,
            "subject": found.subject,
            "status": found.status,
            "priority": found.priority,
            "category": category,
            "team": team,
            "link": f"{base_url}/console/tickets/{found.number}",
        },
        "requester": {
            "name": name,
            "first_name": first_name(name),
            "email": contact.email,
            "organisation": organisation,
        },
        "agent": {
            "name": None if agent is None else agent.name,
            "email": None if agent is None else agent.email,
        },
    }


async def _hours(
    session: AsyncSession, known: Known, parents: Parents, book: PromiseBook
) -> BusinessHours:
    """Return the business hours that count for a ticket: its policy's, or the usual ones."""
    rules, ticket = await book.current(session), known.ticket
    policy = rules.policy_for(
        TicketFacts(
            organisation=ticket.organisation_id,
            priority=Priority(ticket.priority),
            categories=frozenset(category_path(parents, ticket.category_id)),
            channel=known.channel,
            team=ticket.team_id,
            plan=known.plan,
        )
    )
    return rules.hours_of(policy)


async def _changed(
    session: AsyncSession, ticket: Ticket, change: TicketChange | None, parents: Parents
) -> Changed | None:
    if change is None:
        return None
    specs = await specs_by_label(session, ticket.category_id) if is_of_form(change.field) else {}
    return changed_in(change.field, change.old, change.new, parents=parents, specs=specs)


async def _said(session: AsyncSession, messages: Collection[UUID]) -> Mapping[UUID, str]:
    if not messages:
        return {}
    rows = await session.execute(select(Message.id, Message.text).where(Message.id.in_(messages)))
    return {row.id: row.text for row in rows}


def _id(value: Any) -> str | None:
    return None if value is None else str(value)
