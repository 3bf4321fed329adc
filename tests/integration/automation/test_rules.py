"""Rules apply to what they were made for, once, and come to an end."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select
from sqlalchemy.event import listen
from sqlalchemy.ext.asyncio import AsyncEngine

from console.times import Times
from console.words.changes import change_in_words
from core.domain.actor import Role
from core.domain.automation.actions import ActionKind
from core.domain.automation.conditions import Condition, Conditions
from core.domain.automation.fields import Comparison, Field, fitting
from core.domain.automation.rule import Trigger
from core.domain.conversation import Speaker
from core.domain.ids import new_id
from core.domain.notification import Notice
from core.domain.ticket import Priority, TicketStatus
from core.services.automation.forms import actions_json, conditions_json
from core.services.automation.held_back import HeldBack
from core.services.automation.macros import MacroForm, Macros, macros_for
from core.services.automation.rules import IdleRules, RuleShelf, RulesOfTickets
from core.services.case import open_case
from core.services.ledger import Ledger
from core.services.reactions.reactor import TicketChange
from core.storage.queries.tickets.tickets import history, ticket_named
from core.storage.tables import (
    AuditEntry,
    AutomationRule,
    AutomationRun,
    Notification,
    ReactionFailure,
    Team,
    TicketEvent,
)
from tests.integration.automation.world import BASE, add, do, react, runs, said, ticket, when
from tests.support.desk import Rig

_READS = 4
_IS_OUTSIDE = when(Field.OUTSIDE_HOURS, Comparison.IS, "yes")
_IS_NO_NAME = when(Field.SUBJECT, Comparison.HAS, "nothing is called this")


async def test_a_rule_does_all_it_says_and_keeps_that_it_did(rig: Rig) -> None:
    team = new_id()
    async with rig.sessions.begin() as session:
        session.add(Team(id=team, name="Printers"))
    await add(
        rig,
        Trigger.OPENED,
        do(ActionKind.SET_PRIORITY, "urgent"),
        do(ActionKind.SET_TEAM, str(team)),
        do(ActionKind.ADD_TAG, "printer"),
        do(ActionKind.NOTE, "Look at #{{ ticket.number }} first"),
        do(ActionKind.REPLY, "We know, {{ requester.first_name or 'friend' }}."),
        every=[when(Field.MESSAGE, Comparison.HAS, "PRINTER")],
    )
    await react(rig, await ticket(rig))
    found = await rig.ticket()
    assert (found.priority, found.team_id, found.tags) == (Priority.URGENT, team, ["printer"])
    assert (f"Look at #{found.number} first", True) in await said(rig, Speaker.SYSTEM)
    assert any(words.startswith("We know, ") for words, _ in await said(rig, Speaker.SYSTEM))
    assert await runs(rig) == 1
    async with rig.sessions() as session:
        actors = set(await session.scalars(select(TicketEvent.actor)))
    assert sum(actor.startswith("rule:") for actor in actors) == 1


async def test_a_tickets_history_names_the_rule_also_once_it_is_gone(rig: Rig) -> None:
    rule = await add(rig, Trigger.OPENED, do(ActionKind.ADD_TAG, "printer"))
    case = await ticket(rig)
    await react(rig, case)

    async def told() -> list[str]:
        number = (await rig.ticket()).number
        async with rig.sessions() as session:
            changes = await history(session, await ticket_named(session, str(number)))
        t, times = (lambda said, **given: said.format(**given)), Times("en", None)
        return [change_in_words(one, t, times) for one in changes]

    assert "The rule “a rule” changed the tags to: printer" in await told()
    async with rig.sessions.begin() as session:
        await session.delete(await session.get_one(AutomationRule, rule))
    assert "A rule that was removed changed the tags to: printer" in await told()


async def test_what_does_not_hold_does_nothing(rig: Rig) -> None:
    await add(
        rig,
        Trigger.OPENED,
        do(ActionKind.ADD_TAG, "x"),
        every=[when(Field.MESSAGE, Comparison.HAS, "vpn")],
    )
    await react(rig, await ticket(rig))
    assert await runs(rig) == 0


async def test_a_rule_that_stops_is_the_last(rig: Rig) -> None:
    await add(rig, Trigger.OPENED, do(ActionKind.ADD_TAG, "first"), stops=True)
    await add(rig, Trigger.OPENED, do(ActionKind.ADD_TAG, "second"))
    await react(rig, await ticket(rig))
    assert (await rig.ticket()).tags == ["first"]


async def test_a_rule_sees_what_the_rules_before_it_changed(rig: Rig) -> None:
    await add(
        rig,
        Trigger.OPENED,
        do(ActionKind.SET_PRIORITY, "urgent"),
        do(ActionKind.ADD_TAG, "Fire"),
        do(ActionKind.SET_STATUS, "pending"),
    )
    await add(
        rig,
        Trigger.OPENED,
        do(ActionKind.ADD_TAG, "seen"),
        every=[
            when(Field.PRIORITY, Comparison.IS, "urgent"),
            when(Field.TAGS, Comparison.HAS, "fire"),
            when(Field.STATUS, Comparison.IS, "pending"),
        ],
    )
    await add(
        rig,
        Trigger.OPENED,
        do(ActionKind.ADD_TAG, "too late"),
        every=[when(Field.PRIORITY, Comparison.IS, "normal")],
    )
    await react(rig, await ticket(rig))
    assert (await rig.ticket()).tags == ["fire", "seen"]


async def test_two_rules_that_undo_each_other_come_to_an_end(rig: Rig) -> None:
    for field, priority in (("low", "high"), ("high", "low")):
        await add(
            rig,
            Trigger.CHANGED,
            do(ActionKind.SET_PRIORITY, priority),
            every=[when(Field.PRIORITY, Comparison.IS, field)],
        )
    await add(rig, Trigger.OPENED, do(ActionKind.SET_PRIORITY, "low"))
    boss = await rig.agent(role=Role.ADMIN)
    case = await ticket(rig)
    await react(rig, case)
    assert await runs(rig) <= 21
    async with rig.sessions() as session:
        notices = await session.execute(
            select(Notification.agent_id, Notification.notice, Notification.detail)
        )
        assert notices.all() == [(boss.id, Notice.HELD_BACK, "a rule")]
        entry = (await session.scalars(select(AuditEntry))).one()
        assert (entry.action, entry.new) == (
            "rule.held_back",
            {"why": HeldBack.ECHO, "ticket": f"#{(await rig.ticket()).number}"},
        )
    async with rig.sessions() as session:
        unfinished = select(func.count()).where(TicketEvent.reacted_at.is_(None))
        assert await session.scalar(unfinished) == 0


async def test_admins_are_told_once_an_hour_of_a_rule_that_applies_too_often(rig: Rig) -> None:
    await add(rig, Trigger.REQUESTER_WROTE, do(ActionKind.NOTE, "They wrote."))
    await rig.agent(role=Role.ADMIN)
    case = await ticket(rig)
    for number in range(13):
        await rig.hear(f"and now {number}")
    await react(rig, case)
    assert await runs(rig) == 10
    async with rig.sessions() as session:
        assert (await session.scalars(select(Notification.notice))).all() == [Notice.HELD_BACK]
        assert [
            (entry.new or {})["why"] for entry in await session.scalars(select(AuditEntry))
        ] == [HeldBack.TOO_OFTEN]


async def test_an_action_that_no_longer_fits_is_left_out_and_said(rig: Rig) -> None:
    await add(
        rig,
        Trigger.OPENED,
        do(ActionKind.SET_TEAM, str(new_id())),
        do(ActionKind.ADD_TAG, "went on"),
    )
    await react(rig, await ticket(rig))
    assert (await rig.ticket()).tags == ["went on"]
    async with rig.sessions() as session:
        did = (await session.scalars(select(AutomationRun.did))).one()
        assert (await session.scalars(select(ReactionFailure))).all() == []
    assert [one["failure"] for one in did] == ["there is no such team", ""]


async def test_a_rule_by_the_clock_applies_once_for_each_time_of_silence(rig: Rig) -> None:
    await add(
        rig,
        Trigger.IDLE,
        do(ActionKind.ADD_TAG, "forgotten"),
        every=[when(Field.HOURS_IDLE, Comparison.MORE, "4")],
    )
    await ticket(rig)
    idle = IdleRules(rig.sessions, rig.accounts, RuleShelf(), BASE, rig.clock)
    await idle.apply_due()
    assert await runs(rig) == 0
    for _ in range(3):
        rig.clock.advance(hours=5)
        await idle.apply_due()
    assert await runs(rig) == 1
    assert (await rig.ticket()).tags == ["forgotten"]
    await rig.hear("anybody there?")
    rig.clock.advance(hours=5)
    await idle.apply_due()
    assert await runs(rig) == 2


async def test_a_macro_is_filled_in_and_does_what_goes_with_it(rig: Rig) -> None:
    await ticket(rig)
    ana, name = await rig.agent(), await rig.ticket_id()
    macros = Macros(rig.sessions, rig.accounts, BASE, rig.clock)
    macro = await macros.save(
        None,
        MacroForm(
            name="Restart",
            text="Please restart it. {{ agent.name }}",
            actions=(do(ActionKind.SET_STATUS, "pending"), do(ActionKind.ADD_TAG, "restart")),
        ),
        ana,
    )
    await macros.save(None, MacroForm(name="Otra", text="Hola", language="es"), ana)
    async with rig.sessions() as session:
        assert [one.name for one in await macros_for(session, name, ana.id)] == ["Restart"]
    ready = await macros.fill_in(macro, name, ana.id)
    assert ready.text == "Please restart it. Ana"
    await rig.tickets.use_macro(name, ana, macro)
    assert (await rig.texts())[-1] == ("agent", ready.text)
    found = await rig.ticket()
    assert (found.status, found.tags) == (TicketStatus.PENDING, ["restart"])


@pytest.mark.parametrize("count", [10, 1_000])
async def test_a_ticket_is_read_once_for_however_many_rules(
    rig: Rig, engine: AsyncEngine, count: int
) -> None:
    every = tuple(
        Condition(field=field, comparison=Comparison.FILLED)
        for field in Field
        if Comparison.FILLED in fitting(field) and field is not Field.CUSTOM
    )
    conditions = conditions_json(Conditions(every=every, some=(_IS_OUTSIDE, _IS_NO_NAME)))
    async with rig.sessions.begin() as session:
        session.add_all(
            AutomationRule(
                id=new_id(),
                position=number,
                name=f"rule {number}",
                trigger=Trigger.OPENED,
                is_on=True,
                conditions=conditions,
                actions=actions_json([do(ActionKind.ADD_TAG, "x")]),
            )
            for number in range(count)
        )
    await ticket(rig)
    name = await rig.ticket_id()
    shelf = RuleShelf()
    rules = RulesOfTickets(shelf, BASE)
    async with rig.sessions.begin() as session:
        await shelf.of(session, Trigger.OPENED)
        assert await shelf.promises.current(session)
    asked: list[str] = []
    async with rig.sessions.begin() as session:
        case = await open_case(session, Ledger(rig.accounts, rig.clock()), name)
        event = (await session.scalars(select(TicketEvent).order_by(TicketEvent.id))).first()
        assert event is not None
        change = TicketChange(
            id=event.id,
            field=event.field,
            old=event.old,
            new=event.new,
            actor=event.actor,
            reason=event.reason,
            at=event.at,
            depth=0,
        )
        listen(engine.sync_engine, "before_cursor_execute", lambda *said: asked.append(said[2]))
        await rules.react(case, change)
    # Whether a rule has changed; the ticket; the categories; whether a promise has changed.
    assert len([one for one in asked if one.startswith("SELECT")]) == _READS, asked


@pytest.mark.parametrize("count", [1_000])
async def test_many_rules_are_read_once_until_one_changes(rig: Rig, count: int) -> None:
    rows = [
        AutomationRule(
            id=new_id(),
            position=number,
            name=f"rule {number}",
            trigger=Trigger.OPENED,
            is_on=True,
            conditions=conditions_json(
                Conditions(every=(when(Field.MESSAGE, Comparison.HAS, f"word{number}"),))
            ),
            actions=actions_json([do(ActionKind.ADD_TAG, "x")]),
        )
        for number in range(count)
    ]
    async with rig.sessions.begin() as session:
        session.add_all(rows)
    shelf = RuleShelf()
    async with rig.sessions() as session:
        first = await shelf.of(session, Trigger.OPENED)
        assert len(first) == count
        assert await shelf.of(session, Trigger.OPENED) is first
    await add(rig, Trigger.OPENED, do(ActionKind.ADD_TAG, "x"))
    async with rig.sessions() as session:
        assert len(await shelf.of(session, Trigger.OPENED)) == count + 1


async def test_rules_by_the_clock_that_contradict_each_other_stop_nothing(rig: Rig) -> None:
    for hours, status in (("72", "solved"), ("48", "pending")):
        await add(
            rig,
            Trigger.IDLE,
            do(ActionKind.SET_STATUS, status),
            every=[when(Field.HOURS_IDLE, Comparison.MORE, hours)],
        )
    await ticket(rig)
    rig.clock.advance(hours=80)
    await IdleRules(rig.sessions, rig.accounts, RuleShelf(), BASE, rig.clock).apply_due()
    assert (await rig.ticket()).status == TicketStatus.SOLVED
