"""Fills an empty desk with the demonstration: people, teams, rules, and two months of tickets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random
from uuid import UUID

from sqlalchemy import exists, select

from core.domain.actor import Agent, Role
from core.domain.assets import AssetDraft
from core.domain.automation.actions import Action, ActionKind
from core.domain.automation.conditions import Condition, Conditions
from core.domain.automation.fields import Comparison, Field
from core.domain.automation.rule import Rule, Trigger
from core.domain.errors import Conflict
from core.domain.events import Author
from core.domain.ids import (
    AccountId,
    Address,
    CategoryId,
    ContactId,
    ConversationId,
    TeamId,
    TicketId,
    new_id,
)
from core.domain.plans import PlanId
from core.domain.routing import Conditions as RoutingConditions
from core.domain.routing import Rule as RoutingRule
from core.domain.satisfaction import SurveyStatus
from core.domain.sla.policy import CalendarId, ClockKind, Policy, PolicyId
from core.domain.sla.policy import Conditions as PolicyConditions
from core.domain.teams import Strategy, Visibility
from core.domain.ticket import Priority, TicketStatus
from core.services.assets import Assets
from core.services.automation.macros import MacroForm, Macros
from core.services.automation.rulebook import AutomationRules
from core.services.case import open_case
from core.services.classification.categories import Categories, CategoryDraft
from core.services.classification.sorting import Sorting, TicketSorting
from core.services.ledger import Ledger
from core.services.letters import Letters
from core.services.reactions import Reactions
from core.services.registering import Matter, register
from core.services.registrations import Registrations
from core.services.satisfaction.answering import keep_answer
from core.services.sla.calendars import CalendarForm, Calendars
from core.services.sla.policies import Policies
from core.services.teams.crew import Abilities, Crew
from core.services.teams.rulebook import RuleBook
from core.services.teams.teams import Teams, TeamShape
from core.services.tickets import Tickets
from core.storage.engine import storage_errors
from core.storage.tables import (
    Contact,
    ContactAddress,
    Organisation,
    Satisfaction,
    Ticket,
)
from core.wiring.demo.catalogue import ASKS, DemoCatalogue, Shelf, since
from core.wiring.demo.people import (
    COLLEAGUES,
    MEMBERS_ONLY,
    ORGANISATIONS,
    REQUESTERS,
    TEAMS,
    Requester,
)
from core.wiring.demo.stories import CATEGORIES, STORIES, Story
from core.wiring.demo.support import AGREED, PRIORITY, add_plans, register_call
from core.wiring.duties import reactors_of
from core.wiring.parts import Parts

_ACCOUNT = AccountId("webchat")
_SEED = 11
DAYS = 60
"""How long the desk has been at work."""

_OPEN_NOW = 9  # of the latest tickets, so that the queue is not empty
_OFFICE_HOURS = "08:30-14:00, 15:00-18:30"


@dataclass(slots=True)
class Clock:
    """A clock that the demonstration puts where its story is."""

    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __call__(self) -> datetime:
        return self.at


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeded:
    """What there is afterwards."""

    agents: Mapping[str, str]  # one-time sign-in tokens, by e-mail address
    tickets: int


class Demo:
    """Makes the demonstration, through the same services that people use."""

    def __init__(self, parts: Parts, say: Callable[[str], None], days: int = DAYS) -> None:
        self._parts = parts
        self._say = say
        self._days = days
        self._deck: list[Story] = []
        self._clock = Clock()
        self._chance = Random(_SEED)  # noqa: S311 - a demonstration, the same each time
        self._agents: dict[str, Agent] = {}
        self._teams: dict[str, TeamId] = {}
        self._categories: dict[str, CategoryId] = {}
        self._contacts: dict[str, ContactId] = {}
        self._plans: Mapping[str, PlanId] = {}

    async def fill(self) -> Seeded:
        """Fill the desk.

        Raises:
            Conflict: it has tickets already; nothing is changed.
        """
        async with storage_errors(), self._parts.sessions() as session:
            if await session.scalar(select(exists().where(Ticket.id.is_not(None)))):
                raise Conflict(
                    "this desk has tickets already: seed an empty one (another DESK_HOME)"
                )
        self._say("agents and teams")
        links = await self._people()
        self._say("categories, promises, rules and macros")
        await self._sorting()
        await self._promises()
        await self._rules()
        self._say("requesters and their computers")
        await self._requesters()
        tickets = await self._tickets() + await self._call()
        self._say("the request catalogue")
        return Seeded(agents=links, tickets=tickets + await self._catalogue())

    @property
    def _boss(self) -> Agent:
        return self._agents["boss"]

    async def _people(self) -> dict[str, str]:
        parts = self._parts
        links = {}
        boss = await parts.access.add_agent("boss@desk.example", "Alex Boss", Role.ADMIN)
        self._agents["boss"] = boss
        links[boss.email] = await parts.access.sign_in_link(boss.id)
        teams, crew = Teams(parts.sessions), Crew(parts.sessions)
        for name, description in TEAMS.items():
            shape = TeamShape(
                name=name,
                description=description,
                strategy=Strategy.LEAST_LOADED,
                visibility=Visibility.MEMBERS if name in MEMBERS_ONLY else None,
            )
            self._teams[name] = await teams.create(shape, boss)
        first = TeamShape(
            name="Service desk",
            description=TEAMS["Service desk"],
            strategy=Strategy.LEAST_LOADED,
            escalates_to=self._teams["Devices"],
        )
        await teams.change(self._teams["Service desk"], first, boss)
        for one in COLLEAGUES:
            agent = await parts.access.add_agent(one.email, one.name, one.role)
            self._agents[one.name] = agent
            links[agent.email] = await parts.access.sign_in_link(agent.id)
            if one.role is Role.AUDITOR:
                continue
            abilities = Abilities(skills=one.skills, languages=one.languages, capacity=one.capacity)
            await crew.set_abilities(agent.id, abilities, boss)
            await teams.set_member(
                self._teams[one.team], agent.id, one.level, boss, is_lead=one.is_lead
            )
        return links

    async def _sorting(self) -> None:
        categories = Categories(self._parts.sessions)
        for name, (above, spanish, team) in CATEGORIES.items():
            draft = CategoryDraft(
                name=name,
                names={"es": spanish},
                parent=None if above is None else self._categories[above],
                team=self._teams[team],
            )
            self._categories[name] = await categories.add(draft, self._boss)

    async def _promises(self) -> None:
        sessions = self._parts.sessions
        calendar = await Calendars(sessions).add(
            CalendarForm(
                name="Office hours, Madrid",
                zone="Europe/Madrid",
                week=[*[_OFFICE_HOURS] * 5, "", ""],
                country="ES",
                region="MD",
                is_default=True,
            ),
            self._boss,
        )
        urgent = frozenset({Priority.URGENT, Priority.HIGH})
        policies = Policies(sessions)
        self._plans = await add_plans(sessions, self._boss)
        better = PolicyConditions(plans=frozenset({self._plans[PRIORITY]}))
        for name, conditions, first, solved in (
            ("Urgent", PolicyConditions(priorities=urgent), 0.5, 4),
            (PRIORITY, better, 1, 8),
            ("Standard", PolicyConditions(), 4, 24),
        ):
            await policies.add(
                Policy(
                    id=PolicyId(new_id()),
                    name=name,
                    conditions=conditions,
                    targets={
                        ClockKind.FIRST_RESPONSE: timedelta(hours=first),
                        ClockKind.RESOLUTION: timedelta(hours=solved),
                    },
                    calendar=CalendarId(calendar),
                ),
                self._boss,
            )

    async def _rules(self) -> None:
        parts, book = self._parts, RuleBook(self._parts.sessions)
        for name, words, team, category in (
            (
                "Computers that do not start",
                ("no arranca", "no enciende", "does not start", "will not start"),
                "Service desk",
                "Laptops",
            ),
            ("Printers", ("impresora", "printer"), "Devices", "Printers"),
            ("Network", ("vpn", "wifi", "wi-fi"), "Operations", "Network"),
            ("Software", ("licence", "licencia", "aplicación"), "Applications", "Software"),
            ("Everything else", (), "Service desk", None),
        ):
            conditions = RoutingConditions(words=words)
            await book.add(
                RoutingRule(
                    id=None if not words else new_id(),
                    name=name,
                    conditions=conditions,
                    team=self._teams[team],
                    category=None if category is None else self._categories[category],
                ),
                self._boss,
            )
        await AutomationRules(parts.sessions).save(
            None,
            Rule(
                name="VIPs first",
                trigger=Trigger.OPENED,
                conditions=Conditions(
                    every=(Condition(field=Field.VIP, comparison=Comparison.IS, value="yes"),)
                ),
                actions=(
                    Action(kind=ActionKind.SET_PRIORITY, value=Priority.HIGH),
                    Action(kind=ActionKind.ADD_TAG, value="vip"),
                ),
            ),
            self._boss,
        )
        macros = Macros(parts.sessions, parts.accounts, parts.settings.base_url)
        waiting = (Action(kind=ActionKind.SET_STATUS, value=TicketStatus.PENDING),)
        for form in (
            MacroForm(
                name="Ask for the asset tag",
                language="en",
                text="Hello {{ requester.first_name }}, could you tell us the number on the "
                "sticker under your computer, such as LT-1234?\n\n{{ agent.name }}",
                actions=waiting,
            ),
            MacroForm(
                name="Pedir la etiqueta del equipo",
                language="es",
                text="Hola, {{ requester.first_name }}: ¿puede decirnos el número de la pegatina "
                "que hay debajo del equipo, por ejemplo LT-1234?\n\n{{ agent.name }}",
                actions=waiting,
            ),
        ):
            await macros.save(None, form, self._boss)

    async def _requesters(self) -> None:
        organisations: dict[str, UUID] = {}
        async with storage_errors(), self._parts.sessions.begin() as session:
            for name, domains in ORGANISATIONS.items():
                organisations[name] = new_id()
                row = Organisation(id=organisations[name], name=name, domains=list(domains))
                if (agreed := AGREED.get(name)) is not None:
                    term = agreed.term(date.today())  # noqa: DTZ011 - of the machine's day
                    row.plan_id = self._plans[agreed.plan]
                    row.plan_from, row.plan_until = term.starts, term.ends
                session.add(row)
            await session.flush()
            for one in REQUESTERS:
                contact = ContactId(new_id())
                self._contacts[one.email] = contact
                session.add(
                    Contact(
                        id=contact,
                        name=one.name,
                        email=one.email,
                        language=one.language,
                        time_zone=one.zone,
                        organisation_id=organisations[one.organisation],
                        is_vip=one.is_vip,
                    )
                )
                await session.flush()
                session.add(
                    ContactAddress(
                        account_id=_ACCOUNT,
                        address=_address(one),
                        contact_id=contact,
                        name=one.name,
                        verified_email=one.email,
                    )
                )
        assets = Assets(self._parts.sessions)
        for number, one in enumerate(REQUESTERS):
            tag, model = one.laptop
            draft = AssetDraft(
                tag=tag,
                kind="laptop",
                model=model,
                serial=f"SN{tag[3:]}{number}7X",
                warranty_until=date.today() + timedelta(days=200 + 90 * number),  # noqa: DTZ011
                owner=one.email,
                organisation=one.organisation,
            )
            await assets.add(draft, self._boss)

    async def _catalogue(self) -> int:
        shelf = Shelf(
            boss=self._boss, agents=self._agents, teams=self._teams, categories=self._categories
        )
        catalogue = DemoCatalogue(self._parts, self._clock, shelf)
        await catalogue.fill()
        reactors = reactors_of(self._parts)
        reactions = Reactions(self._parts.sessions, self._parts.accounts, reactors, self._clock)
        requesters = {one.email: one for one in REQUESTERS}
        for ask in ASKS:
            who = requesters[ask.email]
            self._clock.at = since(ask, datetime.now(UTC))
            author = Author(address=_address(who), name=who.name, email=who.email)
            contact = self._contacts[who.email]
            await catalogue.ask(ask, (contact, author, who.language), reactions.advance)
        return len(ASKS)

    async def _tickets(self) -> int:
        now = datetime.now(UTC)
        moments = sorted(
            moment
            for day in range(self._days)
            for moment in self._moments_of((now - timedelta(days=day)).date())
            if moment < now - timedelta(minutes=20)
        )
        for number, moment in enumerate(moments):
            await self._tell(self._story(), moment, ends=number < len(moments) - _OPEN_NOW)
            if number % 10 == 9:
                self._say(f"tickets: {number + 1} of {len(moments)}")
        return len(moments)

    async def _call(self) -> int:
        """Have somebody call whom an agent registers a ticket for; return how many that is."""
        parts, self._clock.at = self._parts, datetime.now(UTC) - timedelta(minutes=25)
        letters = Letters(parts.channels)
        ticket = await register_call(
            Registrations(parts.sessions, parts.accounts, letters, self._clock),
            self._contacts["emma@unisur.example"],
            Sorting(category=self._categories["Hardware"]),
            self._agents["Tom Becker"],
        )
        async with storage_errors(), parts.sessions() as session:
            conversation = (await session.get_one(Ticket, ticket)).conversation_id
        reactors = reactors_of(parts)
        reactions = Reactions(parts.sessions, parts.accounts, reactors, self._clock)
        await reactions.advance(ConversationId(conversation))
        return 1

    def _story(self) -> Story:
        """Return the next story: each once before any comes again."""
        if not self._deck:
            self._deck = self._chance.sample(STORIES, len(STORIES))
        return self._deck.pop()

    def _moments_of(self, day: date) -> list[datetime]:
        count = self._chance.choice((0, 1, 1, 2) if day.weekday() < 5 else (0, 0, 0, 1))
        return [
            datetime(day.year, day.month, day.day, tzinfo=UTC)
            + timedelta(minutes=self._chance.randrange(7 * 60, 17 * 60))
            for _ in range(count)
        ]

    async def _tell(self, story: Story, moment: datetime, *, ends: bool) -> None:
        parts, chance = self._parts, self._chance
        requester = chance.choice([one for one in REQUESTERS if one.language == story.language])
        self._clock.at = moment
        async with storage_errors(), parts.sessions.begin() as session:
            ledger = Ledger(parts.accounts, moment)
            case = await register(
                session,
                ledger,
                Matter(
                    account=_ACCOUNT,
                    contact=self._contacts[requester.email],
                    author=Author(
                        address=_address(requester), name=requester.name, email=requester.email
                    ),
                    subject=story.said.partition(".")[0][:100],
                    text=story.said,
                    reason=story.reason,
                    kind=story.kind,
                    language=story.language,
                ),
                actor="assistant",
            )
            ticket = TicketId(case.ticket.id)
            conversation = ConversationId(case.conversation.id)
            await ledger.write(session)
        reactions = Reactions(parts.sessions, parts.accounts, reactors_of(parts), self._clock)
        await reactions.advance(conversation)
        sorting = TicketSorting(parts.sessions, parts.accounts, self._clock)
        wanted = Sorting(category=self._categories[story.category], tags=story.tags)
        helpers = [one for one in COLLEAGUES if one.capacity and one.team not in MEMBERS_ONLY]
        agent = self._agents[chance.choice(helpers).name]
        tickets = Tickets(parts.sessions, parts.accounts, self._clock)
        if not ends and chance.random() < 0.5:
            return  # nobody has looked at it yet
        self._clock.at += timedelta(minutes=chance.randrange(4, 150))
        self._clock.at = min(self._clock.at, datetime.now(UTC))
        await sorting.sort(ticket, wanted, agent)
        await tickets.take(ticket, agent)
        await reactions.advance(conversation)
        if not ends:
            return
        self._clock.at += timedelta(minutes=chance.randrange(10, 400))
        self._clock.at = min(self._clock.at, datetime.now(UTC))
        await tickets.reply(ticket, agent, story.answer, then=TicketStatus.SOLVED)
        await reactions.advance(conversation)
        await self._rate(ticket)
        await reactions.advance(conversation)

    async def _rate(self, ticket: TicketId) -> None:
        if self._chance.random() < 0.45:
            return
        self._clock.at = min(self._clock.at + timedelta(minutes=30), datetime.now(UTC))
        async with storage_errors(), self._parts.sessions.begin() as session:
            case = await open_case(session, Ledger(self._parts.accounts, self._clock.at), ticket)
            survey = await session.scalar(
                select(Satisfaction).where(Satisfaction.ticket_id == ticket).with_for_update()
            )
            if survey is None or survey.asked_at is None:
                return
            # A desk that runs meanwhile finds the old survey's time to be over.
            survey.status, survey.due_at = SurveyStatus.ASKED, None
            score = self._chance.choices((1, 2, 3, 4, 5), weights=(1, 2, 3, 8, 16))[0]
            keep_answer(case, survey, score)
            await case.ledger.write(session)


def _address(requester: Requester) -> Address:
    return Address(f"demo:{requester.email}")
