"""Rules say what changed, from what to what; and are tried on what happened."""

from __future__ import annotations

from sqlalchemy import select

from core.domain.automation.actions import Action, ActionKind
from core.domain.automation.conditions import Condition, Conditions
from core.domain.automation.fields import Comparison, Field
from core.domain.automation.rule import Rule, Trigger
from core.domain.classification import FieldKind
from core.domain.conversation import Speaker
from core.domain.ids import CategoryId, FormFieldId, new_id
from core.domain.sla.policy import Conditions as PolicyConditions
from core.domain.ticket import TicketStatus
from core.services.automation.trying import WouldApply, dry_run, latest_tickets
from core.services.case import open_case
from core.services.classification.sorting import Sorting, TicketSorting
from core.services.ledger import Ledger
from core.storage.tables import Category, FormField, Organisation, SupportPlan, Ticket
from tests.integration.automation.world import add, do, react, runs, said, ticket, when
from tests.integration.sla.world import NEVER_NOW, Promised
from tests.support.desk import Rig

SAY_IT = do(ActionKind.NOTE, "solved")


async def sort(rig: Rig, wanted: Sorting) -> None:
    ana = await rig.agent(f"Ana{new_id()}")
    await TicketSorting(rig.sessions, rig.accounts, rig.clock).sort(
        await rig.ticket_id(), wanted, ana
    )
    await react(rig, await rig.conversation_id())


async def give(rig: Rig, status: TicketStatus) -> None:
    ana = await rig.agent(f"Ana{new_id()}")
    await rig.tickets.set_status(await rig.ticket_id(), status, ana)
    await react(rig, await rig.conversation_id())


async def hardware(rig: Rig) -> tuple[CategoryId, CategoryId, FormFieldId]:
    """Add a category, one below it, and a field that both ask for."""
    above, below, field = CategoryId(new_id()), CategoryId(new_id()), FormFieldId(new_id())
    async with rig.sessions.begin() as session:
        session.add(Category(id=above, name="Hardware"))
        await session.flush()
        session.add(Category(id=below, name="Laptop", parent_id=above))
        session.add(
            FormField(id=field, category_id=above, label="Floor", kind=FieldKind.NUMBER, position=0)
        )
    return above, below, field


async def test_a_rule_about_a_status_says_it_once(rig: Rig) -> None:
    await add(
        rig,
        Trigger.CHANGED,
        SAY_IT,
        every=[when(Field.STATUS, Comparison.CHANGED_TO, "solved")],
    )
    await react(rig, await ticket(rig))
    await give(rig, TicketStatus.PENDING)
    assert await runs(rig) == 0
    await give(rig, TicketStatus.SOLVED)
    await sort(rig, Sorting(more_tags=["late"]))
    await sort(rig, Sorting(more_tags=["later"]))
    await give(rig, TicketStatus.CLOSED)
    assert await runs(rig) == 1
    assert ("solved", True) in await said(rig, Speaker.SYSTEM)


async def test_a_rule_sees_what_it_was_before(rig: Rig) -> None:
    await add(
        rig,
        Trigger.CHANGED,
        do(ActionKind.ADD_TAG, "again"),
        every=[
            when(Field.STATUS, Comparison.CHANGED_FROM, "solved"),
            when(Field.STATUS, Comparison.CHANGED_TO, "open"),
        ],
    )
    await react(rig, await ticket(rig))
    await give(rig, TicketStatus.OPEN)
    await give(rig, TicketStatus.SOLVED)
    assert await runs(rig) == 0
    await give(rig, TicketStatus.OPEN)
    assert (await rig.ticket()).tags == ["again"]


async def test_a_rule_written_before_still_means_any_change(rig: Rig) -> None:
    await add(
        rig,
        Trigger.CHANGED,
        SAY_IT,
        every=[when(Field.STATUS, Comparison.IS, "pending")],
    )
    await react(rig, await ticket(rig))
    await give(rig, TicketStatus.PENDING)
    await sort(rig, Sorting(more_tags=["x"]))
    assert await runs(rig) == 2


async def test_a_category_stands_for_those_below_it(rig: Rig) -> None:
    above, below, _ = await hardware(rig)
    await add(
        rig,
        Trigger.CHANGED,
        do(ActionKind.ADD_TAG, "hardware"),
        every=[
            when(Field.CATEGORY, Comparison.IS, str(above)),
            when(Field.CATEGORY, Comparison.CHANGED),
        ],
    )
    await react(rig, await ticket(rig))
    await sort(rig, Sorting(category=below))
    assert (await rig.ticket()).tags == ["hardware"]


async def test_a_rule_looks_at_what_a_form_asks_for(rig: Rig) -> None:
    above, _, floor = await hardware(rig)
    await add(
        rig,
        Trigger.CHANGED,
        do(ActionKind.ADD_TAG, "upstairs"),
        every=[
            when(Field.CUSTOM, Comparison.MORE, "3", custom=floor),
            when(Field.CUSTOM, Comparison.CHANGED_FROM, "1", custom=floor),
        ],
    )
    await react(rig, await ticket(rig))
    await sort(rig, Sorting(category=above, fields={str(floor): 1}))
    assert (await rig.ticket()).tags == []
    await sort(rig, Sorting(fields={str(floor): 4}))
    assert (await rig.ticket()).tags == ["upstairs"]


async def test_a_rule_looks_at_business_hours_and_at_what_was_promised(promised: Promised) -> None:
    rig = promised
    calendar = await rig.calendar(NEVER_NOW)
    await rig.promise(calendar=calendar, resolution=8)
    await rig.ticket_opens()
    for field, comparison, value in (
        (Field.OUTSIDE_HOURS, Comparison.IS, "yes"),
        (Field.HOURS_TO_PROMISE, Comparison.MORE, "0,5"),
    ):
        await add(
            rig,
            Trigger.CHANGED,
            do(ActionKind.ADD_TAG, field),
            every=[when(field, comparison, value), when(Field.STATUS, Comparison.CHANGED)],
        )
    await give(rig, TicketStatus.OPEN)
    assert (await rig.ticket()).tags == ["outside_hours", "hours_to_promise"]


async def test_business_hours_are_those_of_the_plans_policy(promised: Promised) -> None:
    rig = promised
    plan, organisation = new_id(), new_id()
    await rig.promise(
        PolicyConditions(plans=frozenset({plan})),
        calendar=await rig.calendar(NEVER_NOW),
        resolution=8,
    )
    await rig.ticket_opens()
    async with rig.sessions.begin() as session:
        session.add(SupportPlan(id=plan, name="Gold"))
        await session.flush()
        session.add(Organisation(id=organisation, name="Acme", plan_id=plan))
        await session.flush()
        (await session.scalars(select(Ticket))).one().organisation_id = organisation
    await add(
        rig,
        Trigger.CHANGED,
        do(ActionKind.ADD_TAG, "gold at night"),
        every=[
            when(Field.OUTSIDE_HOURS, Comparison.IS, "yes"),
            when(Field.PLAN, Comparison.IS, str(plan)),
            when(Field.STATUS, Comparison.CHANGED),
        ],
    )
    await give(rig, TicketStatus.OPEN)
    assert (await rig.ticket()).tags == ["gold at night"]
    async with rig.sessions.begin() as session:
        (await session.get_one(SupportPlan, plan)).name = "Platinum"
    await give(rig, TicketStatus.PENDING)
    assert await runs(rig) == 2


async def test_a_field_that_was_of_another_kind_before_is_read_as_words(rig: Rig) -> None:
    above, _, floor = await hardware(rig)
    await add(
        rig,
        Trigger.CHANGED,
        do(ActionKind.ADD_TAG, "late"),
        every=[when(Field.CUSTOM, Comparison.CHANGED_FROM, "big", custom=floor)],
    )
    await ticket(rig)
    await sort(rig, Sorting(category=above))
    async with rig.sessions.begin() as session:
        case = await open_case(session, Ledger(rig.accounts, rig.clock()), await rig.ticket_id())
        case.ledger.record(case.ticket, "field:Floor", "big", "[1]", actor="timer")
        await case.ledger.write(session)
    await react(rig, await rig.conversation_id())
    assert (await rig.ticket()).tags == ["late"]
    was_big = when(Field.CUSTOM, Comparison.CHANGED_FROM, "big", custom=floor)
    rule = Rule(
        name="x",
        trigger=Trigger.CHANGED,
        conditions=Conditions(every=(was_big,)),
        actions=(do(ActionKind.ADD_TAG, "x"),),
    )
    async with rig.sessions() as session:
        (found,) = await dry_run(session, rule, rig.clock(), await latest_tickets(session))
    assert found.times == 1


async def tried(rig: Rig, trigger: Trigger, *conditions: Condition) -> list[WouldApply]:
    action = Action(kind=ActionKind.ADD_TAG, value="x")
    rule = Rule(
        name="x", trigger=trigger, conditions=Conditions(every=conditions), actions=(action,)
    )
    async with rig.sessions() as session:
        found = list(await dry_run(session, rule, rig.clock(), await latest_tickets(session)))
    assert (await rig.ticket()).tags in ([], ["late"])
    assert await runs(rig) == 0
    return found


async def test_a_rule_is_tried_on_what_tickets_were_then(rig: Rig) -> None:
    await ticket(rig)
    await give(rig, TicketStatus.PENDING)
    await give(rig, TicketStatus.OPEN)
    await rig.hear("and it smokes")
    await give(rig, TicketStatus.PENDING)
    await sort(rig, Sorting(more_tags=["late"]))
    await give(rig, TicketStatus.SOLVED)
    became = when(Field.STATUS, Comparison.CHANGED_TO, "pending")
    (found,) = await tried(rig, Trigger.CHANGED, became)
    assert (found.number, found.times) == ((await rig.ticket()).number, 2)
    late = when(Field.TAGS, Comparison.HAS, "late")
    assert await tried(rig, Trigger.CHANGED, became, late) == []
    then = when(Field.STATUS, Comparison.IS, "open")
    (wrote,) = await tried(rig, Trigger.REQUESTER_WROTE, then)
    assert wrote.times == 1
    said_so = when(Field.MESSAGE, Comparison.HAS, "smokes")
    (wrote,) = await tried(rig, Trigger.REQUESTER_WROTE, said_so)
    assert wrote.times == 1
    assert await tried(rig, Trigger.RATED) == []
    fire = when(Field.MESSAGE, Comparison.HAS, "fire")
    (opened,) = await tried(rig, Trigger.OPENED, fire, when(Field.STATUS, Comparison.IS, "new"))
    assert opened.times == 1


async def test_a_rule_by_the_clock_is_tried_on_each_silence(rig: Rig) -> None:
    await ticket(rig)
    rig.clock.advance(hours=5)
    await give(rig, TicketStatus.PENDING)
    rig.clock.advance(hours=7)
    await give(rig, TicketStatus.SOLVED)
    rig.clock.advance(hours=9)
    for hours, times in (("4", 2), ("6", 1), ("8", 0)):
        found = await tried(rig, Trigger.IDLE, when(Field.HOURS_IDLE, Comparison.MORE, hours))
        assert sum(one.times for one in found) == times, hours
    early = when(Field.HOURS_OPEN, Comparison.LESS, "2")
    (found_early,) = await tried(rig, Trigger.IDLE, early)
    assert found_early.times == 1
    pending = when(Field.STATUS, Comparison.IS, "pending")
    (waited,) = await tried(
        rig, Trigger.IDLE, pending, when(Field.HOURS_IDLE, Comparison.MORE, "2")
    )
    assert waited.times == 1
