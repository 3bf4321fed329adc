"""Clocks of real tickets: kept after each change, noted when they run out."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from channels.unread.channel import Unread
from core.domain.account import PROGRAMS
from core.domain.assistant import Handoff, HandoffReason
from core.domain.classification import Kind
from core.domain.errors import InvalidInput, Outdated
from core.domain.ids import ConversationId, TicketId
from core.domain.sla.policy import CalendarId, ClockKind, Conditions, Policy, PolicyId
from core.domain.ticket import Priority, TicketStatus
from core.services.case import open_case
from core.services.ledger import Ledger
from core.services.links.opening import open_problem
from core.services.locks import locked
from core.services.sla.calendars import CalendarForm
from core.services.sla.clocks import recount_progress
from tests.integration.sla.world import HOUR, Promised, targets

FIRST = (ClockKind.FIRST_RESPONSE, 1)
RESOLUTION = (ClockKind.RESOLUTION, 1)


async def test_a_new_ticket_is_due_as_its_policy_says(desk: Promised) -> None:
    await desk.promise(first_response=1, resolution=8)
    await desk.ticket_opens()
    ticket, clocks = await desk.ticket(), await desk.clocks()
    assert clocks[FIRST].due_at == ticket.created_at + HOUR
    assert clocks[RESOLUTION].due_at == ticket.created_at + 8 * HOUR
    assert (ticket.sla_due_at, ticket.sla_due_kind) == (clocks[FIRST].due_at, "first_response")


async def test_an_answer_keeps_one_promise_and_the_next_becomes_the_nearest(desk: Promised) -> None:
    await desk.promise(first_response=1, next_response=2, resolution=8)
    ticket = await desk.ticket_opens()
    await desk.tickets.reply(ticket, await desk.agent(), "I am looking at it")
    await desk.react()
    assert (await desk.clocks())[FIRST].met_at is not None
    assert (await desk.ticket()).sla_due_kind == "resolution"
    await desk.hear("any news?")
    await desk.react()
    assert (await desk.ticket()).sla_due_kind == "next_response"


async def test_waiting_for_the_requester_stops_the_clock(desk: Promised) -> None:
    await desk.promise(resolution=8)
    ticket, ana = await desk.ticket_opens(), await desk.agent()
    desk.clock.advance(hours=3)
    await desk.tickets.set_status(ticket, TicketStatus.PENDING, ana)
    await desk.react()
    waiting = (await desk.clocks())[RESOLUTION]
    assert (waiting.due_at, round(waiting.spent_seconds / 3600)) == (None, 3)
    assert (await desk.ticket()).sla_due_at is None
    desk.clock.advance(hours=100)
    await desk.hear("here it is")
    await desk.react()
    due = (await desk.clocks())[RESOLUTION].due_at
    assert due is not None
    assert abs(due - desk.clock() - 5 * HOUR) < timedelta(minutes=1)


async def test_a_warning_and_a_breach_are_noted_once_each(desk: Promised) -> None:
    await desk.promise(first_response=10)
    await desk.ticket_opens()
    assert await desk.sweep.note_due() == 0
    desk.clock.advance(hours=8, minutes=1)
    for _ in range(2):
        await desk.sweep.note_due()
        await desk.react()
    assert await desk.noted("sla_warning") == ["first_response"]
    desk.clock.advance(hours=2)
    for _ in range(2):
        await desk.sweep.note_due()
        await desk.react()
    assert await desk.noted("sla_breach") == ["first_response"]
    assert (await desk.ticket()).sla_breached_at == (await desk.clocks())[FIRST].due_at


async def test_an_answer_that_comes_late_is_a_breach_though_no_sweep_saw_it(desk: Promised) -> None:
    await desk.promise(first_response=1)
    ticket = await desk.ticket_opens()
    desk.clock.advance(hours=2)
    await desk.tickets.reply(ticket, await desk.agent(), "sorry")
    await desk.react()
    assert await desk.noted("sla_breach") == ["first_response"]
    assert (await desk.ticket()).sla_breached_at is None  # nothing that still runs is late


async def test_a_breach_raises_the_priority_where_the_policy_says_so(desk: Promised) -> None:
    await desk.promise(first_response=1, raises_priority=True)
    await desk.ticket_opens()
    desk.clock.advance(hours=2)
    await desk.sweep.note_due()
    await desk.react()
    await desk.sweep.note_due()
    assert (await desk.ticket()).priority == Priority.HIGH


async def test_another_priority_falls_under_another_policy(desk: Promised) -> None:
    await desk.promise(Conditions(priorities=frozenset({Priority.URGENT})), resolution=1)
    await desk.promise(resolution=8)
    ticket = await desk.ticket_opens(priority=Priority.URGENT)
    assert (await desk.clocks())[RESOLUTION].target_seconds == 3600
    assert ticket == await desk.ticket_id()


async def test_a_ticket_in_use_is_worked_out_later_and_holds_up_no_other(desk: Promised) -> None:
    policy = await desk.promise(resolution=8)
    for thread in ("t1", "t2", "t3"):
        await desk.hear("my screen is broken", thread=thread)
        conversation = await desk.conversation_id(thread)
        await desk.reply(conversation, Handoff(reason=HandoffReason.ASKED_FOR_HUMAN))
        await desk.reactions.advance(conversation)
    changed = Policy(id=policy, name="usual", targets=targets({"resolution": 2}))
    await desk.policies.change(changed, await desk.admin())
    async with desk.sessions.begin() as session:
        await locked(session, await desk.conversation_id("t2"))
        assert await desk.sweep.apply_new_rules() == 2
    assert await desk.sweep.apply_new_rules() == 1
    for thread in ("t1", "t2", "t3"):
        ticket = await desk.ticket(thread)
        assert ticket.sla_due_at == ticket.created_at + 2 * HOUR


async def test_a_changed_policy_moves_the_clocks_of_open_tickets(desk: Promised) -> None:
    policy = await desk.promise(resolution=8)
    await desk.ticket_opens()
    assert await desk.sweep.apply_new_rules() == 0
    await desk.policies.change(
        Policy(id=policy, name="usual", targets=targets({"resolution": 2})), await desk.admin()
    )
    async with desk.sessions() as session:
        assert await recount_progress(session) == (0, 1)
    assert await desk.sweep.apply_new_rules() == 1
    assert await desk.sweep.apply_new_rules() == 0
    async with desk.sessions() as session:
        assert await recount_progress(session) == (1, 1)
    ticket = await desk.ticket()
    assert ticket.sla_due_at == ticket.created_at + 2 * HOUR


async def test_a_longer_promise_takes_a_breach_back(desk: Promised) -> None:
    policy = await desk.promise(resolution=1)
    await desk.ticket_opens()
    desk.clock.advance(hours=2)
    await desk.sweep.note_due()
    await desk.policies.change(
        Policy(id=policy, name="usual", targets=targets({"resolution": 9})), await desk.admin()
    )
    await desk.sweep.apply_new_rules()
    assert (await desk.clocks())[RESOLUTION].breached_at is None
    assert (await desk.ticket()).sla_breached_at is None


async def test_a_policy_that_is_taken_away_takes_its_clocks_with_it(desk: Promised) -> None:
    policy = await desk.promise(resolution=1)
    await desk.ticket_opens()
    await desk.policies.archive(policy, await desk.admin())
    await desk.sweep.apply_new_rules()
    assert await desk.clocks() == {}
    assert (await desk.ticket()).sla_due_at is None


async def test_a_changed_calendar_moves_the_clocks_too(desk: Promised) -> None:
    calendar = await desk.calendar("00:00-24:00")
    await desk.promise(calendar=calendar, resolution=8)
    await desk.ticket_opens()
    opened = (await desk.ticket()).created_at
    await desk.calendars.change(
        calendar,
        CalendarForm(name="Nights", zone="UTC", week=["00:00-01:00"] * 7),
        await desk.admin(),
    )
    assert await desk.sweep.apply_new_rules() == 1
    due = (await desk.clocks())[RESOLUTION].due_at
    assert due is not None
    assert due > opened + 6 * 24 * HOUR


async def test_time_of_the_assistant_and_of_people_is_counted_apart(desk: Promised) -> None:
    await desk.hear("my screen is broken")
    desk.clock.advance(hours=2)
    ticket = await desk.ticket_opens()
    desk.clock.advance(hours=3)
    await desk.tickets.set_status(ticket, TicketStatus.SOLVED, await desk.agent())
    await desk.react()
    kept = await desk.kept()
    assert round(kept.assistant_seconds / 3600) == 2
    assert round(kept.work_seconds / 3600) == 3


async def test_what_was_changed_meanwhile_is_not_overwritten(desk: Promised) -> None:
    policy = await desk.promise(resolution=8)
    with pytest.raises(Outdated):
        await desk.policies.archive(policy, await desk.admin(), revision=0)
    calendar = await desk.calendar()
    with pytest.raises(Outdated):
        await desk.calendars.remove(calendar, await desk.admin(), revision=0)


async def test_policies_stand_in_the_order_they_were_put_in(desk: Promised) -> None:
    usual = await desk.promise(resolution=8)
    better = await desk.promise(resolution=2)
    await desk.ticket_opens()
    await desk.policies.put_in_order([better, usual], await desk.admin())
    await desk.sweep.apply_new_rules()
    assert (await desk.clocks())[RESOLUTION].target_seconds == 2 * 3600


async def test_a_policy_needs_a_calendar_that_is_there(desk: Promised) -> None:
    with pytest.raises(InvalidInput, match="no such calendar"):
        await desk.policies.add(
            Policy(
                id=PolicyId(UUID(int=0)),
                name="usual",
                targets=targets({"resolution": 1}),
                calendar=CalendarId(UUID(int=7)),
            ),
            await desk.admin(),
        )


async def test_what_would_never_be_due_is_refused_by_policy_and_by_calendar(
    desk: Promised,
) -> None:
    calendar = await desk.calendar("09:00-17:00")
    await desk.promise(calendar=calendar, resolution=8000)
    rarely = CalendarForm(name="Rare", zone="UTC", week=["09:00-09:05", *[""] * 6])
    with pytest.raises(InvalidInput, match="does not open often enough"):
        await desk.calendars.change(calendar, rarely, await desk.admin())
    other = await desk.calendars.add(rarely, await desk.admin())
    with pytest.raises(InvalidInput, match="does not open often enough"):
        await desk.promise(calendar=other, resolution=8000)


async def test_of_a_problem_that_nobody_reported_no_answer_is_promised(desk: Promised) -> None:
    desk.accounts[PROGRAMS] = Unread.capabilities
    await desk.promise(first_response=1, next_response=2, resolution=8)
    ana = await desk.agent()
    async with desk.sessions.begin() as session:
        ledger = Ledger(desk.accounts, desk.clock())
        reason = HandoffReason.REGISTERED
        case = await open_problem(session, ledger, "Mail", "Its disk is full", ana, reason)
        ticket, conversation = TicketId(case.ticket.id), ConversationId(case.conversation.id)
        await ledger.write(session)
    await desk.reactions.advance(conversation)
    assert set(await desk.clocks()) == {RESOLUTION}
    for kind, promised in ((Kind.INCIDENT, {FIRST, RESOLUTION}), (Kind.PROBLEM, {RESOLUTION})):
        async with desk.sessions.begin() as session:
            case = await open_case(session, Ledger(desk.accounts, desk.clock()), ticket)
            case.ledger.record(case.ticket, "kind", case.ticket.kind, kind, actor=ana.actor)
            case.ticket.kind = kind
            await case.ledger.write(session)
        await desk.reactions.advance(conversation)
        assert set(await desk.clocks()) == promised
