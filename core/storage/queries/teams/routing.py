"""Reads routing rules, and of tickets what rules look at."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Select, Uuid, any_, bindparam, literal, select
from sqlalchemy import text as sql
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from core.domain.account import Origin
from core.domain.conversation import Speaker
from core.domain.errors import NotFound
from core.domain.ids import CategoryId, OrganisationId, TeamId, TicketId
from core.domain.plans import Held, PlanId
from core.domain.routing import Conditions, LanguageNeed, RoutingFacts, Rule, folded
from core.storage.queries.access.sight import Sight
from core.storage.queries.requester_records.plans import list_plans, plans_held
from core.storage.queries.teams.teams import assignment_policy
from core.storage.queries.tickets.tickets import Named
from core.storage.tables import (
    Account,
    Category,
    Contact,
    Conversation,
    Message,
    Organisation,
    RoutingRule,
    Team,
    Ticket,
)

DEFAULT_RULE = "all others"
CATEGORY_RULE = "the category's team"
_SAID_CHARS = 4_000

# The rows themselves are summed up, so that no way of changing them can be forgotten here.
_STAMP = sql(
    "SELECT concat_ws(' ',"
    " (SELECT sum(hashtextextended(rule::text, 0)) FROM routing_rule rule),"
    " (SELECT sum(hashtextextended((id, archived_at)::text, 0)) FROM team),"
    " (SELECT sum(hashtextextended((id, parent_id, team_id)::text, 0)) FROM category),"
    " (SELECT sum(hashtextextended((id, plan_id, plan_from, plan_until)::text, 0))"
    " FROM organisation WHERE plan_id IS NOT NULL),"
    " (SELECT default_team_id FROM assignment_policy))"
)


def _first_said(conversation: ColumnElement[UUID] | InstrumentedAttribute[UUID]) -> Select[str]:
    return (
        select(Message.text)
        .where(
            Message.conversation_id == conversation,
            Message.speaker == Speaker.CUSTOMER,
            Message.removed_at.is_(None),
        )
        .order_by(Message.position, Message.seq)
        .limit(1)
    )


_BESIDE = (
    select(
        Ticket.id,
        Contact.is_vip,
        Account.channel,
        _first_said(Ticket.conversation_id).correlate(Ticket).scalar_subquery().label("text"),
    )
    .join(Contact, Contact.id == Ticket.contact_id)
    .join(Conversation, Conversation.id == Ticket.conversation_id)
    .outerjoin(Account, Account.id == Conversation.account_id)
    .where(Ticket.id == any_(bindparam("tickets", type_=ARRAY(Uuid()))))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What rules look at that no rule changes."""

    is_vip: bool
    channel: str | None
    said: str | None  # by the requester, first


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleView:
    """A rule as admins see it."""

    rule: Rule
    id: UUID
    team: Named
    is_enabled: bool
    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutedTicket:
    """A ticket and what rules look at of it."""

    id: TicketId
    number: int
    subject: str
    created_at: datetime
    team: Named | None
    level: int
    facts: RoutingFacts


async def list_rules(session: AsyncSession) -> Sequence[RuleView]:
    """Return all rules in their order."""
    rows = await session.execute(
        select(RoutingRule, Team)
        .join(Team, Team.id == RoutingRule.team_id)
        .order_by(RoutingRule.position, RoutingRule.id)
    )
    return [
        RuleView(
            rule=_rule(row),
            id=row.id,
            team=Named(id=team.id, name=team.name),
            is_enabled=row.is_enabled,
            revision=row.revision,
        )
        for row, team in rows
    ]


async def rule_view(session: AsyncSession, rule: UUID) -> RuleView:
    """Return one rule.

    Raises:
        NotFound: there is none.
    """
    for view in await list_rules(session):
        if view.id == rule:
            return view
    raise NotFound("there is no such rule")


async def rules_in_force(session: AsyncSession) -> Sequence[Rule]:
    """Return the rules that count, in order: those an admin made, the categories', the default."""
    made = await session.scalars(
        select(RoutingRule)
        .join(Team, Team.id == RoutingRule.team_id)
        .where(RoutingRule.is_enabled, Team.archived_at.is_(None))
        .order_by(RoutingRule.position, RoutingRule.id)
    )
    rules = [_rule(row) for row in made]
    with_team = await session.execute(
        select(Category.id, Category.team_id)
        .join(Team, Team.id == Category.team_id)
        .where(Team.archived_at.is_(None))
    )
    teams = {CategoryId(row.id): TeamId(row.team_id) for row in with_team}
    if teams:
        parents = await category_parents(session)
        # The category nearest to the ticket's own says whose it is.
        rules += [
            Rule(
                id=None,
                name=CATEGORY_RULE,
                conditions=Conditions(categories=frozenset({category})),
                team=team,
            )
            for category, team in sorted(
                teams.items(), key=lambda found: -len(category_path(parents, found[0]))
            )
        ]
    policy = await assignment_policy(session)
    if policy.default_team_id is not None:
        team = TeamId(policy.default_team_id)
        rules.append(Rule(id=None, name=DEFAULT_RULE, conditions=Conditions(), team=team))
    return rules


async def latest_tickets(
    session: AsyncSession,
    limit: int,
    sight: Sight | None = None,
    *,
    before: TicketId | None = None,
) -> Sequence[RoutedTicket]:
    """Return what rules look at of the newest tickets that `sight` holds."""
    wanted = Account.origin.is_distinct_from(Origin.REHEARSAL)
    if sight is not None:
        wanted &= sight.holds()
    if before is not None:
        wanted &= Ticket.id < before
    return await _routed(session, wanted, limit)


async def routing_stamp(session: AsyncSession) -> str:
    """Return what changes with anything that `rules_in_force` or `category_parents` returns."""
    return str(await session.scalar(_STAMP))


async def beside(session: AsyncSession, tickets: Collection[TicketId]) -> Mapping[TicketId, Beside]:
    """Return what rules look at besides the tickets themselves."""
    if not tickets:
        return {}
    with session.no_autoflush:  # nothing of it is changed with a ticket
        rows = (await session.execute(_BESIDE, {"tickets": list(tickets)})).all()
    return {
        TicketId(row.id): Beside(is_vip=row.is_vip, channel=row.channel, said=row.text)
        for row in rows
    }


def facts_for_routing(
    ticket: Ticket,
    conversation: Conversation,
    known: Beside,
    parents: Mapping[UUID, UUID | None],
    plans: Mapping[UUID, Held],
    day: date,
) -> RoutingFacts:
    """Return what rules look at of a ticket, with the changes that are not written yet.

    `plans` are those of organisations, by their ids; they have to be in force on `day`.
    """
    facts = _facts(
        ticket, parents, known.is_vip, conversation.account_id, known.channel, known.said
    )
    return replace(facts, plan=_plan_of(ticket, plans, day))


def _plan_of(ticket: Ticket, plans: Mapping[UUID, Held], day: date) -> PlanId | None:
    held = None if ticket.organisation_id is None else plans.get(ticket.organisation_id)
    return held.plan if held is not None and held.term.holds_on(day) else None


def _facts(
    ticket: Ticket,
    parents: Mapping[UUID, UUID | None],
    is_vip: bool,
    account: str,
    channel: str | None,
    text: str | None,
) -> RoutingFacts:
    return RoutingFacts(
        categories=frozenset(category_path(parents, ticket.category_id)),
        channel=channel or ("webchat" if account == "webchat" else None),
        account=account,
        organisation=None
        if ticket.organisation_id is None
        else OrganisationId(ticket.organisation_id),
        language=ticket.language,
        said=folded(f"{ticket.subject}\n{ticket.summary}\n{(text or '')[:_SAID_CHARS]}"),
        reason=ticket.reason,
        is_vip=is_vip,
    )


async def _routed(
    session: AsyncSession, condition: ColumnElement[bool], limit: int
) -> Sequence[RoutedTicket]:
    first = _first_said(Ticket.conversation_id).lateral("first")
    query = (
        select(Ticket, Contact.is_vip, Conversation.account_id, Account.channel, Team, first.c.text)
        .join(Contact, Contact.id == Ticket.contact_id)
        .join(Conversation, Conversation.id == Ticket.conversation_id)
        .outerjoin(Account, Account.id == Conversation.account_id)
        .outerjoin(Team, Team.id == Ticket.team_id)
        .outerjoin(first, literal(value=True))
        .where(condition)
        .order_by(Ticket.id.desc())
        .limit(limit)
    )
    rows = (await session.execute(query)).all()
    has_category = any(row[0].category_id is not None for row in rows)
    parents = await category_parents(session) if has_category else {}
    plans, today = await plans_held(session), datetime.now(UTC).date()
    return [
        RoutedTicket(
            id=TicketId(ticket.id),
            number=ticket.number,
            subject=ticket.subject,
            created_at=ticket.created_at,
            team=None if team is None else Named(id=team.id, name=team.name),
            level=ticket.level,
            facts=replace(
                _facts(ticket, parents, is_vip, account, channel, text),
                plan=_plan_of(ticket, plans, today),
            ),
        )
        for ticket, is_vip, account, channel, team, text in rows
    ]


async def category_parents(session: AsyncSession) -> dict[UUID, UUID | None]:
    """Return of each category the one above it."""
    rows = await session.execute(select(Category.id, Category.parent_id))
    return {row.id: row.parent_id for row in rows}


def category_path(parents: Mapping[UUID, UUID | None], category: UUID | None) -> list[CategoryId]:
    """Return a category and those above it, nearest first."""
    path: list[CategoryId] = []
    while category is not None and category not in path:
        path.append(CategoryId(category))
        category = parents.get(category)
    return path


def _rule(row: RoutingRule) -> Rule:
    return Rule(
        id=row.id,
        name=row.name,
        conditions=Conditions.from_json(row.conditions),
        team=TeamId(row.team_id),
        level=row.level,
        category=None if row.category_id is None else CategoryId(row.category_id),
        skills=tuple(row.skills),
        skills_required=row.skills_required,
        language=LanguageNeed(row.language),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleChoices:
    """What rules can name, for forms."""

    categories: Sequence[Named]  # by their path from the top
    channels: Sequence[str]
    accounts: Sequence[str]
    organisations: Sequence[Named]
    plans: Sequence[Named]

    def name_of(self, key: object) -> str:
        """Return what a category, an organisation or a plan is called."""
        known = (*self.categories, *self.organisations, *self.plans)
        return next((named.name for named in known if named.id == key), "?")


async def choices_for_rules(session: AsyncSession) -> RuleChoices:
    """Return what rules can name."""
    rows = (await session.scalars(select(Category).where(Category.archived_at.is_(None)))).all()
    by_id = {row.id: row for row in rows}
    parents = {row.id: row.parent_id for row in rows}
    categories = [
        Named(
            id=row.id,
            name=" / ".join(
                by_id[above].name
                for above in reversed(category_path(parents, row.id))
                if above in by_id
            ),
        )
        for row in rows
    ]
    accounts = await session.execute(
        select(Account.id, Account.channel).where(Account.origin != Origin.REHEARSAL)
    )
    known = {(row.id, row.channel) for row in accounts} | {("webchat", "webchat")}
    organisations = await session.execute(
        select(Organisation.id, Organisation.name)
        .where(Organisation.archived_at.is_(None))
        .order_by(Organisation.name)
    )
    return RuleChoices(
        categories=sorted(categories, key=lambda named: named.name),
        channels=sorted({channel for _, channel in known}),
        accounts=sorted(account for account, _ in known),
        organisations=[Named(id=row.id, name=row.name) for row in organisations],
        plans=[Named(id=one.id, name=one.name) for one in await list_plans(session)],
    )
