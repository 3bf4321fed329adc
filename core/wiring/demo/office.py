"""Sets up the demonstration's desk: who works there, categories, promises, rules and macros."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from core.domain.actor import Agent, Role
from core.domain.automation.actions import Action, ActionKind
from core.domain.automation.conditions import Condition, Conditions
from core.domain.automation.fields import Comparison, Field
from core.domain.automation.rule import Rule, Trigger
from core.domain.ids import CategoryId, TeamId, new_id
from core.domain.plans import PlanId
from core.domain.routing import Conditions as RoutingConditions
from core.domain.routing import Rule as RoutingRule
from core.domain.sla.policy import CalendarId, ClockKind, Policy, PolicyId
from core.domain.sla.policy import Conditions as PolicyConditions
from core.domain.teams import Strategy, Visibility
from core.domain.ticket import Priority, TicketStatus
from core.services.automation.macros import MacroForm, Macros
from core.services.automation.rulebook import AutomationRules
from core.services.classification.categories import Categories, CategoryDraft
from core.services.sla.calendars import CalendarForm, Calendars
from core.services.sla.policies import Policies
from core.services.teams.crew import AgentUpdate, Crew
from core.services.teams.rulebook import RuleBook
from core.services.teams.teams import Teams, TeamShape
from core.wiring.demo.people import COLLEAGUES, MEMBERS_ONLY, TEAMS
from core.wiring.demo.stories import CATEGORIES
from core.wiring.demo.support import PRIORITY, add_plans
from core.wiring.parts import Parts

_OFFICE_HOURS = "08:30-14:00, 15:00-18:30"


@dataclass(frozen=True, slots=True, kw_only=True)
class Staff:
    """Who works at the desk."""

    boss: Agent
    agents: Mapping[str, Agent]  # by name; the boss is not among them
    teams: Mapping[str, TeamId]
    links: Mapping[str, str]  # one-time sign-in tokens, by e-mail address


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """A desk that is set up, before anybody writes to it."""

    staff: Staff
    categories: Mapping[str, CategoryId]
    plans: Mapping[str, PlanId]


async def open_office(parts: Parts, say: Callable[[str], None]) -> Office:
    """Set the desk up; `say` what is being done."""
    say("agents and teams")
    staff = await _add_staff(parts)
    say("categories, promises, rules and macros")
    categories = await _add_categories(parts, staff)
    plans = await add_plans(parts.sessions, staff.boss)
    await _add_promises(parts, staff.boss, plans[PRIORITY])
    await _add_routing(parts, staff, categories)
    await _add_automation(parts, staff.boss)
    return Office(staff=staff, categories=categories, plans=plans)


async def _add_staff(parts: Parts) -> Staff:
    agents: dict[str, Agent] = {}
    teams: dict[str, TeamId] = {}
    boss = await parts.access.add_agent("boss@desk.example", "Alex Boss", Role.ADMIN)
    links = {boss.email: await parts.access.sign_in_link(boss.id)}
    service, crew = Teams(parts.sessions), Crew(parts.sessions)
    for name, description in TEAMS.items():
        shape = TeamShape(
            name=name,
            description=description,
            strategy=Strategy.LEAST_LOADED,
            visibility=Visibility.MEMBERS if name in MEMBERS_ONLY else None,
        )
        teams[name] = await service.create(shape, boss)
    first = TeamShape(
        name="Service desk",
        description=TEAMS["Service desk"],
        strategy=Strategy.LEAST_LOADED,
        escalates_to=teams["Devices"],
    )
    await service.change(teams["Service desk"], first, boss)
    for one in COLLEAGUES:
        agent = await parts.access.add_agent(one.email, one.name, one.role)
        agents[one.name] = agent
        links[agent.email] = await parts.access.sign_in_link(agent.id)
        if one.role is Role.AUDITOR:
            continue
        abilities = AgentUpdate(skills=one.skills, languages=one.languages, capacity=one.capacity)
        await crew.change(agent.id, abilities, boss)
        await service.set_member(teams[one.team], agent.id, one.level, boss, is_lead=one.is_lead)
    return Staff(boss=boss, agents=agents, teams=teams, links=links)


async def _add_categories(parts: Parts, staff: Staff) -> Mapping[str, CategoryId]:
    service = Categories(parts.sessions)
    categories: dict[str, CategoryId] = {}
    for name, (above, spanish, team) in CATEGORIES.items():
        draft = CategoryDraft(
            name=name,
            names={"es": spanish},
            parent=None if above is None else categories[above],
            team=staff.teams[team],
        )
        categories[name] = await service.add(draft, staff.boss)
    return categories


async def _add_promises(parts: Parts, boss: Agent, better: PlanId) -> None:
    calendar = await Calendars(parts.sessions).add(
        CalendarForm(
            name="Office hours, Madrid",
            zone="Europe/Madrid",
            week=[*[_OFFICE_HOURS] * 5, "", ""],
            country="ES",
            region="MD",
            is_default=True,
        ),
        boss,
    )
    urgent = frozenset({Priority.URGENT, Priority.HIGH})
    policies = Policies(parts.sessions)
    for name, conditions, first, solved in (
        ("Urgent", PolicyConditions(priorities=urgent), 0.5, 4),
        (PRIORITY, PolicyConditions(plans=frozenset({better})), 1, 8),
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
            boss,
        )


async def _add_routing(parts: Parts, staff: Staff, categories: Mapping[str, CategoryId]) -> None:
    book = RuleBook(parts.sessions)
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
                team=staff.teams[team],
                category=None if category is None else categories[category],
            ),
            staff.boss,
        )


async def _add_automation(parts: Parts, boss: Agent) -> None:
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
        boss,
    )
    macros = Macros(parts.sessions, parts.accounts, parts.settings.base_url)
    waiting = (Action(kind=ActionKind.SET_STATUS, value=TicketStatus.PENDING),)
    for form in (
        MacroForm(
            name="Ask for the asset tag",
            language="en",
            text="Hello {{ requester.first_name }}, could you tell us the number on the "
            "sticker under your computer, such as LT-1234?\n\n{{ agent.name }}",
            translations={
                "es": "Hola, {{ requester.first_name }}: ¿puede decirnos el número de la pegatina "
                "que hay debajo del equipo, por ejemplo LT-1234?\n\n{{ agent.name }}"
            },
            actions=waiting,
        ),
    ):
        await macros.save(None, form, boss)
