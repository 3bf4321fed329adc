"""What the desk does by the clock goes on past a ticket that raises, and admins see which."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select, update

from core.domain.actor import Role
from core.domain.automation.actions import Action, ActionKind
from core.domain.automation.conditions import Condition, Conditions
from core.domain.automation.fields import Comparison, Field
from core.domain.automation.rule import Trigger
from core.domain.ids import TeamId, TicketId, new_id
from core.domain.setbacks import Chore
from core.domain.teams import Presence, Strategy
from core.services.automation.forms import actions_json, conditions_json
from core.services.automation.rules import IdleRules, RuleShelf
from core.services.notifications.queues import QueueNotices
from core.services.setbacks import Setbacks, WholeDuties
from core.services.teams.teams import Patience
from core.services.tickets.due_dates import DueDateSweep
from core.storage.tables import AutomationRule, Notification, Setback, Ticket, TicketEvent
from tests.integration.console.browser import PASSWORD, Browser
from tests.integration.console.world import Desk
from tests.integration.teams.world import Floor
from tests.support.broken_tickets import break_ticket, mend_ticket

NAMES = ("one", "two", "three")


async def _opened(floor: Floor, **team: object) -> list[TicketId]:
    """Return three tickets of a team, the second of which is broken."""
    found = [await floor.opened(name) for name in NAMES]
    help_team = await floor.team(**team)  # type: ignore[arg-type]
    await floor.agent("Ana", help_team, presence=Presence.OFFLINE)
    await floor.agent("Eva", help_team, level=2, presence=Presence.OFFLINE)
    for ticket in found:
        await floor.pass_to(ticket, help_team)
        await floor.react_to(ticket)
    await break_ticket(floor.desk.sessions, found[1])
    return found


async def _set_aside(desk: Desk) -> list[tuple[str, object]]:
    async with desk.sessions() as session:
        rows = await session.execute(select(Setback.chore, Setback.item))
        return [(chore, item) for chore, item in rows]


async def test_the_others_go_on_to_the_next_level(desk: Desk) -> None:
    floor = await Floor.of(desk)
    tickets = await _opened(
        floor, strategy=Strategy.MANUAL, patience={1: Patience(untouched_minutes=10)}
    )
    desk.clock.advance(timedelta(minutes=11))
    await floor.staffing.escalations.escalate_due()
    assert [(await floor.ticket(ticket)).level for ticket in tickets] == [2, 1, 2]
    assert await _set_aside(desk) == [(Chore.ESCALATION, tickets[1])]


async def test_the_others_are_shared_out(desk: Desk) -> None:
    floor = await Floor.of(desk)
    tickets = await _opened(floor)
    ines = await floor.agent("Ines", capacity=5)
    team = (await floor.ticket(tickets[0])).team_id
    assert team is not None
    await floor.staffing.teams.set_member(TeamId(team), ines.id, 1, floor.boss, is_lead=False)
    given = await floor.staffing.assignment.fill()
    assert given == 2
    assert [await floor.holder(ticket) for ticket in tickets] == [ines.id, None, ines.id]
    assert await _set_aside(desk) == [(Chore.SHARING, tickets[1])]


async def test_agents_hear_of_the_others_that_wait(desk: Desk) -> None:
    floor = await Floor.of(desk)
    tickets = await _opened(floor, strategy=Strategy.MANUAL)
    await QueueNotices(desk.sessions, desk.clock).tell_due()
    async with desk.sessions() as session:
        told = set(await session.scalars(select(Notification.ticket_id)))
    assert told == {tickets[0], tickets[2]}
    assert await _set_aside(desk) == [(Chore.QUEUE_NOTICES, tickets[1])]
    await mend_ticket(desk.sessions)
    desk.clock.advance(timedelta(hours=1))
    await QueueNotices(desk.sessions, desk.clock).tell_due()
    assert await _set_aside(desk) == [], "it went well at last"


async def test_the_others_due_dates_are_reminded_of(desk: Desk) -> None:
    floor = await Floor.of(desk)
    tickets = await _opened(floor, strategy=Strategy.MANUAL)
    now = desk.clock()
    async with desk.sessions.begin() as session:
        await session.execute(update(Ticket).values(due_at=now, due_remind_at=now))
    await DueDateSweep(desk.sessions, desk.accounts, desk.clock).remind_due()
    async with desk.sessions() as session:
        reminded = set(
            await session.scalars(
                select(TicketEvent.ticket_id).where(TicketEvent.field == "due_soon")
            )
        )
    assert reminded == {tickets[0], tickets[2]}
    assert await _set_aside(desk) == [(Chore.DUE_DATES, tickets[1])]


async def test_rules_by_the_clock_reach_the_others(desk: Desk) -> None:
    floor = await Floor.of(desk)
    tickets = await _opened(floor, strategy=Strategy.MANUAL)
    idle = Condition(field=Field.HOURS_IDLE, comparison=Comparison.MORE, value="1")
    async with desk.sessions.begin() as session:
        session.add(
            AutomationRule(
                id=new_id(),
                position=0,
                name="forgotten",
                trigger=Trigger.IDLE,
                is_on=True,
                stops=False,
                conditions=conditions_json(Conditions(every=(idle,))),
                actions=actions_json([Action(kind=ActionKind.ADD_TAG, value="forgotten")]),
            )
        )
    desk.clock.advance(timedelta(hours=2))
    await IdleRules(
        desk.sessions, desk.accounts, RuleShelf(), "http://desk.test", desk.clock
    ).apply_due()
    assert await _set_aside(desk) == [(Chore.IDLE_RULES, tickets[1])]
    await mend_ticket(desk.sessions)
    async with desk.sessions() as session:
        tagged = set(
            await session.scalars(select(TicketEvent.ticket_id).where(TicketEvent.field == "tags"))
        )
    assert tagged == {tickets[0], tickets[2]}


async def test_a_duty_that_raises_is_tried_again_and_stops_no_other(desk: Desk) -> None:
    done: list[str] = []
    broken = True

    async def falls() -> None:
        done.append("falls")
        if broken:
            raise RuntimeError("it is broken")

    async def goes_on() -> None:
        done.append("goes on")

    duties = WholeDuties(desk.sessions, desk.clock)

    async def look() -> list[str]:
        done.clear()
        for duty in (falls, goes_on):
            await duties.do(duty)
        return list(done)

    assert await look() == ["falls", "goes on"]
    assert await look() == ["goes on"]
    ((chore, _),) = await _set_aside(desk)
    assert chore.endswith("falls")
    broken = False
    desk.clock.advance(timedelta(seconds=6))
    assert await look() == ["falls", "goes on"]
    assert await _set_aside(desk) == []


async def test_what_failed_before_a_restart_is_forgotten_when_it_goes_well(desk: Desk) -> None:
    broken = True

    async def falls() -> None:
        if broken:
            raise RuntimeError("it is broken")

    await WholeDuties(desk.sessions, desk.clock).do(falls)
    assert len(await _set_aside(desk)) == 1
    broken = False
    await WholeDuties(desk.sessions, desk.clock).do(falls)
    assert await _set_aside(desk) == []


async def test_what_comes_after_one_that_raises_waits_with_it(desk: Desk) -> None:
    ticket, other = new_id(), new_id()
    done: list[str] = []

    async def do(one: tuple[UUID, str]) -> None:
        if one[1] == "first":
            raise RuntimeError("it is broken")
        done.append(one[1])

    due = [(ticket, "first"), (other, "of another"), (ticket, "second")]
    await Setbacks(desk.sessions, Chore.HELD_REPLIES, desk.clock).each(due, do, lambda one: one[0])
    assert done == ["of another"]


async def test_admins_see_what_could_not_be_done(desk: Desk) -> None:
    floor = await Floor.of(desk)
    tickets = await _opened(floor, strategy=Strategy.MANUAL)
    await QueueNotices(desk.sessions, desk.clock).tell_due()
    admin = await desk.agent("root@example.org", role=Role.ADMIN)
    await desk.access.passwords.set(admin.id, PASSWORD)
    page = await (await Browser.signed_in(desk, "root@example.org")).see("/console/admin/status")
    assert "Telling teams of waiting tickets" in page
    assert f"#{(await floor.ticket(tickets[1])).number}" in page
    assert "this ticket is broken" in page
