"""What rules do to tickets: send on, tell, sort, put away."""

from __future__ import annotations

from sqlalchemy import select

from console.pages.automation.names import load_names
from core.domain.actor import Agent, Role
from core.domain.automation.actions import Action, ActionKind
from core.domain.automation.fields import Comparison, Field
from core.domain.automation.rule import Trigger
from core.domain.classification import FieldKind
from core.domain.conversation import Speaker
from core.domain.ids import AgentId, new_id
from core.domain.notification import Notice
from core.domain.ticket import ClosedAs
from core.services.automation.macros import MacroForm, Macros
from core.services.notifications.reading import notices_of
from core.storage.queries.audit import AuditFilter, audit_entries
from core.storage.tables import (
    AgentRow,
    AuditEntry,
    AutomationRun,
    Category,
    FormField,
    TeamMember,
    Ticket,
    TicketEvent,
    TicketWatcher,
)
from tests.integration.automation.world import BASE, add, do, react, runs, said, team, ticket, when
from tests.support.desk import Rig


async def failures(rig: Rig) -> list[str]:
    async with rig.sessions() as session:
        rows = await session.scalars(select(AutomationRun.did).order_by(AutomationRun.id))
        return [one["failure"] for did in rows for one in did]


async def told(rig: Rig, agent: Agent) -> list[tuple[Notice, str]]:
    async with rig.sessions() as session:
        return [(one.notice, one.detail) for one in await notices_of(session, AgentId(agent.id))]


async def test_a_rule_sends_a_ticket_to_the_next_level_and_to_a_lead(rig: Rig) -> None:
    ana, boss = await rig.agent("Ana"), await rig.agent("Boss")
    second = await rig.agent("Second")
    name = await team(rig, ana, boss, lead=boss)
    async with rig.sessions.begin() as session:
        session.add(TeamMember(team_id=name, agent_id=second.id, level=2, is_lead=False))
    await add(
        rig,
        Trigger.OPENED,
        do(ActionKind.SET_TEAM, str(name)),
        do(ActionKind.ESCALATE, "next"),
        do(ActionKind.ESCALATE, "next"),
        do(ActionKind.ESCALATE, "lead"),
    )
    await react(rig, await ticket(rig))
    found = await rig.ticket()
    assert (found.level, found.assignee_id) == (2, boss.id)
    assert await failures(rig) == ["", "", "there is nobody that this ticket could go on to", ""]
    async with rig.sessions() as session:
        reasons = await session.scalars(
            select(TicketEvent.reason).where(TicketEvent.field == "escalated")
        )
        assert set(reasons) == {"a rule"}


async def test_a_rule_tells_agents_leads_and_teams_once_each(rig: Rig) -> None:
    ana, boss, eve = await rig.agent("Ana"), await rig.agent("Boss"), await rig.agent("Eve")
    gone = await rig.agent("Gone")
    own, other = await team(rig, ana, boss, gone, lead=boss), await team(rig, eve, ana)
    async with rig.sessions.begin() as session:
        (await session.get_one(AgentRow, gone.id)).disabled_at = rig.clock()
    await add(
        rig,
        Trigger.OPENED,
        do(ActionKind.NOTIFY, "assignee"),
        do(ActionKind.SET_TEAM, str(own)),
        do(ActionKind.NOTIFY, f"lead | team | {other} | {gone.id}"),
    )
    await react(rig, await ticket(rig))
    assert await failures(rig) == ["there is nobody to be told", "", ""]
    for agent in (ana, boss, eve):
        assert await told(rig, agent) == [(Notice.BY_RULE, "a rule")]
    assert await told(rig, gone) == []


async def test_a_rule_sorts_a_ticket(rig: Rig) -> None:
    ana = await rig.agent("Ana")
    category, field = new_id(), new_id()
    async with rig.sessions.begin() as session:
        session.add(Category(id=category, name="Hardware"))
        await session.flush()
        session.add(
            FormField(
                id=field, category_id=category, label="Floor", kind=FieldKind.NUMBER, position=0
            )
        )
    await add(
        rig,
        Trigger.OPENED,
        Action(kind=ActionKind.SET_FIELD, custom=field, value="3"),
        do(ActionKind.SET_TYPE, "request"),
        do(ActionKind.SET_CATEGORY, str(category)),
        Action(kind=ActionKind.SET_FIELD, custom=field, value="third"),
        Action(kind=ActionKind.SET_FIELD, custom=field, value="3"),
        do(ActionKind.SET_IMPACT, "high"),
        do(ActionKind.SET_URGENCY, "high"),
        do(ActionKind.SET_LEVEL, "2"),
        do(ActionKind.ADD_WATCHER, str(ana.id)),
        do(ActionKind.ADD_WATCHER, str(new_id())),
    )
    await react(rig, await ticket(rig))
    found = await rig.ticket()
    assert (found.kind, found.category_id, found.level) == ("request", category, 2)
    assert found.fields == {str(field): 3}
    assert (found.impact, found.urgency, found.priority) == ("high", "high", "urgent")
    assert [one for one in await failures(rig) if one] == [
        "this category asks for no such field",
        "this is no value for “{field}”",
        "there is no such agent",
    ]
    async with rig.sessions() as session:
        assert list(await session.scalars(select(TicketWatcher.agent_id))) == [ana.id]


async def test_what_a_rule_marks_as_spam_is_left_alone(rig: Rig) -> None:
    await add(
        rig,
        Trigger.OPENED,
        do(ActionKind.ADD_TAG, "junk"),
        do(ActionKind.MARK_SPAM, ""),
        every=[when(Field.MESSAGE, Comparison.HAS, "casino")],
    )
    await add(rig, Trigger.OPENED, do(ActionKind.REPLY, "We will be with you soon."))
    await react(rig, await ticket(rig, "free casino"))
    async with rig.sessions() as session:
        spam = (await session.scalars(select(Ticket))).one()
        entry = (await session.scalars(select(AuditEntry))).one()
        (told,) = await audit_entries(session, AuditFilter(words="a rule"))
    assert told.actor_name == "a rule"
    assert (spam.closed_as, spam.tags) == (ClosedAs.SPAM, ["junk"])
    assert (entry.action, entry.actor.startswith("rule:")) == ("ticket.marked_spam", True)
    assert await runs(rig) == 1
    assert all("soon" not in words for words, _ in await said(rig, Speaker.SYSTEM))


async def test_what_a_macro_could_not_do_is_noted_in_its_agents_language(rig: Rig) -> None:
    await ticket(rig)
    ana, name = await rig.agent(), await rig.ticket_id()
    spanish = Agent(id=ana.id, email=ana.email, name=ana.name, role=ana.role, language="es")
    macros = Macros(rig.sessions, rig.accounts, BASE, rig.clock)
    for number, actions in enumerate(
        (
            (do(ActionKind.SET_TEAM, str(new_id())),),
            (do(ActionKind.SET_STATUS, "closed"), do(ActionKind.SET_STATUS, "pending")),
        )
    ):
        form = MacroForm(name=f"M{number}", text="Hola", actions=actions)
        await rig.tickets.use_macro(name, spanish, await macros.save(None, form, ana))
    noted = [words for words, internal in await said(rig, Speaker.SYSTEM) if internal]
    assert noted[-2:] == [
        "M0: no existe ese equipo",
        "M1: esto no encaja con un ticket que está cerrado",
    ]


async def test_a_rule_gives_no_ticket_to_an_auditor_and_the_form_offers_none(rig: Rig) -> None:
    ana, nora = await rig.agent("Ana"), await rig.agent("Nora", Role.AUDITOR)
    await add(rig, Trigger.OPENED, do(ActionKind.ASSIGN, str(nora.id)))
    await react(rig, await ticket(rig))
    assert (await rig.ticket()).assignee_id is None
    assert await failures(rig) == ["the agent is not there any more"]
    async with rig.sessions() as session:
        offered = (await load_names(session, lambda words, **_: words, "en")).of["agent"]
    assert offered == {str(ana.id): "Ana"}
