"""Agents hear of tickets that wait in their queue, until somebody takes them."""

from __future__ import annotations

from datetime import time, timedelta

import pytest

from core.domain.actor import Agent, Role
from core.domain.errors import NotFound
from core.domain.ids import ConversationId, TeamId, TicketId
from core.domain.notification import Notice, Reach, Turn
from core.domain.routing import Conditions, Rule
from core.domain.teams import Onward, Presence, Strategy, Visibility
from core.domain.ticket import TicketStatus
from core.services.notifications.bundles import bundles_of, count_to_look_at
from core.services.notifications.queues import TO_FIND_SOMEBODY, QueueNotices
from core.services.notifications.reading import Notices, Wishes, count_unread, notices_of
from core.services.notifications.telling import NoticesOfTickets
from core.services.reactions import Reactions
from core.services.teams.wanting import WantingTickets
from core.storage.tables import Team, TicketWatcher
from tests.integration.console.world import Desk
from tests.integration.teams.conftest import api, desk
from tests.integration.teams.world import Floor

__all__ = ["api", "desk"]


@pytest.fixture
async def floor(desk: Desk) -> Floor:
    return await Floor.of(desk)


async def _everything_to(floor: Floor, team: TeamId) -> None:
    rule = Rule(id=None, name="all", conditions=Conditions(), team=team)
    await floor.staffing.rules.add(rule, floor.boss)


async def _look(floor: Floor) -> int:
    return await QueueNotices(floor.desk.sessions, floor.desk.clock).tell_due()


async def _lines(floor: Floor, agent: Agent, *, unread: bool = True) -> list[Notice]:
    async with floor.desk.sessions() as session:
        found = await notices_of(session, agent.id)
    return [notice.notice for notice in reversed(found) if not (unread and notice.is_read)]


async def _react(floor: Floor, ticket: TicketId) -> None:
    """Let the desk tell of what happened to a ticket."""
    conversation = (await floor.ticket(ticket)).conversation_id
    reactors = (WantingTickets(), NoticesOfTickets())
    desk = floor.desk
    await Reactions(desk.sessions, desk.accounts, reactors, desk.clock).advance(
        ConversationId(conversation)
    )


async def test_a_team_that_takes_by_hand_hears_of_a_new_ticket_once(floor: Floor) -> None:
    team = await floor.team(strategy=Strategy.MANUAL)
    await _everything_to(floor, team)
    ana, ben = await floor.agent("Ana", team), await floor.agent("Ben", team)
    eva = await floor.agent("Eva", team, level=2)
    other = await floor.agent("Otto", await floor.team("Other", Strategy.MANUAL))
    await floor.opened()
    assert await _look(floor) == 1
    assert await _look(floor) == 0
    assert await _lines(floor, ana) == await _lines(floor, ben) == [Notice.QUEUED]
    assert await _lines(floor, eva) == await _lines(floor, other) == []


async def test_many_that_wait_in_one_queue_are_one_thing_to_look_at(floor: Floor) -> None:
    team = await floor.team(strategy=Strategy.MANUAL)
    await _everything_to(floor, team)
    ana = await floor.agent("Ana", team)
    mine = await floor.opened("mine")
    await floor.desk.tickets.assign(mine, ana.id, floor.boss)
    await _react(floor, mine)
    tickets = [await floor.opened(f"ticket {number}") for number in range(4)]
    await _look(floor)
    async with floor.desk.sessions() as session:
        (bundle,) = await bundles_of(session, ana.id)
        others = await notices_of(session, ana.id, bundles=[bundle])
        unread = await count_to_look_at(session, ana.id)
    assert (bundle.notice, bundle.team, bundle.count) == (Notice.QUEUED, team, 4)
    assert [notice.notice for notice in others] == [Notice.ASSIGNED]
    assert unread == 2
    for ticket in tickets[:2]:
        await floor.desk.tickets.take(ticket, floor.boss)
        await _react(floor, ticket)
    async with floor.desk.sessions() as session:
        assert await bundles_of(session, ana.id) == []
        assert len(await notices_of(session, ana.id)) == 5


async def test_it_is_over_when_somebody_takes_it(floor: Floor) -> None:
    team = await floor.team(strategy=Strategy.MANUAL)
    await _everything_to(floor, team)
    ana, ben = await floor.agent("Ana", team), await floor.agent("Ben", team)
    ticket = await floor.opened()
    await _look(floor)
    await floor.desk.tickets.take(ticket, ana)
    await _react(floor, ticket)
    assert await _lines(floor, ben) == []
    floor.desk.clock.advance(timedelta(hours=1))
    assert await Notices(floor.desk.sessions, floor.desk.clock).due() == []


async def test_nobody_hears_of_what_was_taken_before_it_was_told(floor: Floor) -> None:
    team = await floor.team(strategy=Strategy.MANUAL)
    await _everything_to(floor, team)
    ana, ben = await floor.agent("Ana", team), await floor.agent("Ben", team)
    ticket = await floor.opened()
    await floor.desk.tickets.take(ticket, ana)
    await floor.react_to(ticket)
    assert await _look(floor) == 0
    assert await _lines(floor, ben) == []


async def test_who_gives_a_ticket_back_is_not_told_of_it_but_the_others_are(floor: Floor) -> None:
    team = await floor.team(strategy=Strategy.MANUAL)
    await _everything_to(floor, team)
    ana, ben = await floor.agent("Ana", team), await floor.agent("Ben", team)
    ticket = await floor.opened()
    await floor.desk.tickets.take(ticket, ana)
    await floor.react_to(ticket)
    await floor.desk.tickets.assign(ticket, None, ana)
    await floor.react_to(ticket)
    await _look(floor)
    assert (await _lines(floor, ana), await _lines(floor, ben)) == ([], [Notice.QUEUED])


async def test_a_team_that_shares_out_hears_only_of_what_nobody_has_room_for(floor: Floor) -> None:
    team = await floor.team()
    await _everything_to(floor, team)
    ana = await floor.agent("Ana", team, capacity=1)
    lea = await floor.agent("Lea", team, level=2, is_lead=True, presence=Presence.AWAY)
    await floor.opened("first")
    await floor.opened("second")
    assert await _look(floor) == 0
    floor.desk.clock.advance(TO_FIND_SOMEBODY + timedelta(seconds=1))
    assert await _look(floor) == 1
    assert await _lines(floor, ana) == await _lines(floor, lea) == [Notice.NO_ROOM]


async def test_a_team_hears_of_what_is_passed_to_it(floor: Floor) -> None:
    team, other = [await floor.team(name, Strategy.MANUAL) for name in ("Help", "Other")]
    await _everything_to(floor, team)
    ana, otto = await floor.agent("Ana", team), await floor.agent("Otto", other)
    ticket = await floor.opened()
    await floor.pass_to(ticket, other)
    await floor.react_to(ticket)
    await _look(floor)
    assert await _lines(floor, ana) == []
    assert await _lines(floor, otto) == [Notice.PASSED]


async def test_a_team_hears_of_what_is_escalated_to_it_at_the_same_level(floor: Floor) -> None:
    network = await floor.team("Network", Strategy.MANUAL)
    team = await floor.team("Help", Strategy.MANUAL, escalates_to=network)
    await _everything_to(floor, team)
    ana, nora = await floor.agent("Ana", team), await floor.agent("Nora", network)
    ticket = await floor.opened()
    await floor.staffing.escalations.escalate(ticket, Onward.NEXT, "too hard", ana)
    await floor.react_to(ticket)
    await _look(floor)
    assert await _lines(floor, nora) == [Notice.ESCALATED]
    assert await _lines(floor, ana) == []


async def test_what_is_in_no_team_is_told_to_who_is_in_none(floor: Floor) -> None:
    free = await floor.agent("Fay")
    busy = await floor.agent("Ana", await floor.team(strategy=Strategy.MANUAL))
    await floor.opened()
    await _look(floor)
    assert await _lines(floor, free) == await _lines(floor, floor.boss) == [Notice.QUEUED]
    assert await _lines(floor, busy) == []


async def test_a_team_without_anybody_lets_its_leads_hear(floor: Floor) -> None:
    team = await floor.team(strategy=Strategy.MANUAL)
    await _everything_to(floor, team)
    await floor.opened()
    await _look(floor)
    assert await _lines(floor, floor.boss) == [Notice.QUEUED]


async def test_an_agent_chooses_for_each_kind_and_keeps_quiet_hours(floor: Floor) -> None:
    team = await floor.team(strategy=Strategy.MANUAL)
    await _everything_to(floor, team)
    here, nowhere, night = [await floor.agent(name, team) for name in ("Ana", "Ben", "Cleo")]
    notices = Notices(floor.desk.sessions, floor.desk.clock)
    now = floor.desk.clock()
    await notices.wish(here.id, Wishes(kinds={Notice.QUEUED: Reach.HERE}))
    await notices.wish(nowhere.id, Wishes(kinds={Notice.QUEUED: Reach.NOWHERE}))
    quiet = Wishes(quiet_from=time(now.hour), quiet_until=time((now.hour + 2) % 24))
    await notices.wish(night.id, quiet)
    await floor.opened()
    await _look(floor)
    assert [await _lines(floor, agent) for agent in (here, nowhere, night)] == [
        [Notice.QUEUED],
        [],
        [Notice.QUEUED],
    ]
    floor.desk.clock.advance(timedelta(minutes=10))
    assert await notices.due() == []
    floor.desk.clock.advance(timedelta(hours=2))
    assert [taken.agent for taken in await notices.due()] == [night.id]


async def test_who_watches_a_ticket_hears_what_becomes_of_it(floor: Floor) -> None:
    team = await floor.team(strategy=Strategy.MANUAL)
    await _everything_to(floor, team)
    ana, ben, cleo = [await floor.agent(name, team) for name in ("Ana", "Ben", "Cleo")]
    ticket = await floor.opened()
    async with floor.desk.sessions.begin() as session:
        session.add(TicketWatcher(ticket_id=ticket, agent_id=cleo.id))
    await floor.desk.tickets.take(ticket, ana)
    await floor.desk.tickets.assign(ticket, ben.id, floor.boss)
    await floor.desk.tickets.set_status(ticket, TicketStatus.SOLVED, ben)
    await floor.desk.tickets.set_status(ticket, TicketStatus.OPEN, floor.boss)
    await _react(floor, ticket)
    async with floor.desk.sessions() as session:
        told = {
            agent.name: [
                notice.detail
                for notice in reversed(await notices_of(session, agent.id))
                if notice.notice is Notice.CHANGED
            ]
            for agent in (ana, ben, cleo)
        }
    assert told == {
        "Ana": [Turn.REASSIGNED],  # who had it
        "Ben": [Turn.REOPENED],  # whose it is: not of what they did themselves
        "Cleo": [Turn.REASSIGNED, Turn.SOLVED, Turn.REOPENED],
    }


async def test_a_promise_about_to_be_broken_is_told_to_who_has_the_ticket(floor: Floor) -> None:
    team = await floor.team(strategy=Strategy.MANUAL)
    await _everything_to(floor, team)
    ana = await floor.agent("Ana", team)
    lea = await floor.agent("Lea", team, is_lead=True, role=Role.LEAD)
    ticket = await floor.opened()
    await floor.desk.tickets.take(ticket, ana)
    for field in ("sla_warning", "sla_breach"):
        await floor.record(ticket, field)
    await _react(floor, ticket)
    assert await _lines(floor, ana) == [Notice.AT_RISK, Notice.BROKEN]
    assert await _lines(floor, lea) == [Notice.BROKEN]


async def _close(floor: Floor, team: TeamId, *, closed: bool = True) -> None:
    async with floor.desk.sessions.begin() as session:
        row = await session.get_one(Team, team)
        row.visibility = Visibility.MEMBERS if closed else Visibility.EVERYBODY


async def test_a_closed_teams_tickets_are_told_to_nobody_who_does_not_see_them(
    floor: Floor,
) -> None:
    team = await floor.team(strategy=Strategy.MANUAL)
    await _everything_to(floor, team)
    ana, member = await floor.agent("Ana"), await floor.agent("Mia", team)
    lead = await floor.agent("Lea", role=Role.LEAD)  # of the desk, not of this team
    ticket = await floor.opened()
    async with floor.desk.sessions.begin() as session:
        session.add(TicketWatcher(ticket_id=ticket, agent_id=ana.id))
    await _react(floor, ticket)
    await _close(floor, team)
    await floor.desk.tickets.note(ticket, floor.boss, "@ana and @mia, have a look")
    for field, new in (("satisfaction", "1"), ("sla_breach", None)):
        await floor.record(ticket, field, new)
    await _react(floor, ticket)
    assert await _lines(floor, ana) == await _lines(floor, lead) == []
    assert await _lines(floor, member) == [Notice.MENTIONED]
    assert await _lines(floor, floor.boss) == [Notice.LOW_SCORE, Notice.BROKEN]


async def test_notices_of_a_ticket_that_went_out_of_sight_are_shown_and_mailed_no_more(
    floor: Floor,
) -> None:
    team = await floor.team(strategy=Strategy.MANUAL)
    await _everything_to(floor, team)
    ana = await floor.agent("Ana")
    ticket = await floor.opened()
    await floor.desk.tickets.note(ticket, floor.boss, "@ana, have a look")
    await _react(floor, ticket)
    assert await _lines(floor, ana) == [Notice.MENTIONED]
    await _close(floor, team)
    floor.desk.clock.advance(timedelta(minutes=10))
    notices = Notices(floor.desk.sessions, floor.desk.clock)
    (taken,) = await notices.due()
    assert await notices.digest(taken) is None
    async with floor.desk.sessions() as session:
        assert await count_unread(session, ana.id) == 0
    assert await _lines(floor, ana) == []
    await _close(floor, team, closed=False)
    assert await _lines(floor, ana) == [Notice.MENTIONED]
    assert await notices.due() == []  # what was not mailed then is not mailed later


async def test_no_ticket_is_given_to_an_auditor(floor: Floor) -> None:
    nora = await floor.desk.agent("nora@example.org", "Nora", Role.AUDITOR)
    ticket = await floor.opened()
    with pytest.raises(NotFound):
        await floor.desk.tickets.assign(ticket, nora.id, floor.boss)
    assert await floor.holder(ticket) is None
