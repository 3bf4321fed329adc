"""Waiting tickets go to agents who are there and have room: each once, nobody too many."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import select

from core.domain.ids import AgentId, TicketId
from core.domain.routing import Conditions, LanguageNeed, Rule
from core.domain.teams import SILENCE, Presence, Strategy
from core.domain.ticket import Priority, TicketStatus
from core.services.teams.assignment import OFFERED_AGAIN
from core.services.teams.returning import SHUT_OUT
from core.services.teams.rulebook import Policy
from core.services.teams.staffing import staffing_of
from core.storage.tables import Ticket, TicketEvent, TicketRouting
from tests.integration.console.world import Desk
from tests.integration.teams.world import Floor


@pytest.fixture
async def floor(desk: Desk) -> Floor:
    return await Floor.of(desk)


async def _everything_to(floor: Floor, team: object, **rule: object) -> None:
    made = Rule(id=None, name="all", conditions=Conditions(), team=team, **rule)  # type: ignore[arg-type]
    await floor.staffing.rules.add(made, floor.boss)


async def test_a_new_ticket_goes_to_its_team_and_to_who_is_there(floor: Floor) -> None:
    team = await floor.team()
    await _everything_to(floor, team)
    await floor.agent("Away", team, presence=Presence.AWAY)
    await floor.agent("Elsewhere")
    ana = await floor.agent("Ana", team)
    ticket = await floor.opened()
    row = await floor.ticket(ticket)
    assert (row.team_id, row.assignee_id, row.status) == (team, ana.id, TicketStatus.OPEN)
    assert await floor.fields(ticket) == [
        ("status", "assistant"),
        ("team", "routing"),
        ("assignee", "assignment"),
        ("status", "assignment"),
    ]


async def test_in_turn_means_whoever_was_given_one_longest_ago(floor: Floor) -> None:
    team = await floor.team()
    await _everything_to(floor, team)
    ana, ben = await floor.agent("Ana", team), await floor.agent("Ben", team)
    holders = [await floor.holder(await floor.opened(f"matter {n}")) for n in range(4)]
    assert holders[:2] == holders[2:]
    assert set(holders) == {ana.id, ben.id}


async def test_fewest_open_tickets_counts_what_one_has(floor: Floor) -> None:
    team = await floor.team(strategy=Strategy.LEAST_LOADED)
    ana, ben = await floor.agent("Ana", team), await floor.agent("Ben", team)
    for n in range(2):
        by_hand = await floor.opened(f"by hand {n}")
        await floor.desk.tickets.take(by_hand, ana)
    await _everything_to(floor, team)
    assert [await floor.holder(await floor.opened(f"matter {n}")) for n in range(2)] == [
        ben.id,
        ben.id,
    ]


async def test_a_full_team_lets_tickets_wait_until_there_is_room_the_urgent_first(
    floor: Floor,
) -> None:
    team = await floor.team()
    await _everything_to(floor, team)
    ana = await floor.agent("Ana", team, capacity=1)
    first = await floor.opened("first")
    second = await floor.opened("second")
    urgent = await floor.opened("urgent", priority=Priority.URGENT)
    assert [await floor.holder(t) for t in (first, second, urgent)] == [ana.id, None, None]
    await floor.desk.tickets.set_status(first, TicketStatus.SOLVED, ana)
    await floor.react_to(first)
    assert [await floor.holder(t) for t in (second, urgent)] == [None, ana.id]


async def test_whoever_gives_a_ticket_back_does_not_get_it_again(floor: Floor) -> None:
    team = await floor.team()
    await _everything_to(floor, team)
    ana = await floor.agent("Ana", team)
    ticket = await floor.opened()
    await floor.desk.tickets.assign(ticket, None, ana)
    await floor.react_to(ticket)
    assert await floor.holder(ticket) is None
    ben = await floor.agent("Ben", team)
    await floor.staffing.assignment.fill()
    assert await floor.holder(ticket) == ben.id


async def test_required_skills_and_languages_wait_for_somebody_who_has_them(floor: Floor) -> None:
    team = await floor.team()
    await _everything_to(
        floor, team, skills=("vpn",), skills_required=True, language=LanguageNeed.REQUIRED
    )
    await floor.agent("Ana", team, skills=("vpn",), languages=("en",))
    await floor.agent("Ben", team, skills=("sap",), languages=("es",))
    ticket = await floor.opened("no me conecto", language="es")
    assert await floor.holder(ticket) is None
    eva = await floor.agent("Eva", team, skills=("vpn", "sap"), languages=("es",))
    await floor.staffing.assignment.fill()
    assert await floor.holder(ticket) == eva.id


async def test_a_preferred_language_gives_way_where_nobody_speaks_it(floor: Floor) -> None:
    team = await floor.team()
    await _everything_to(floor, team)
    await floor.agent("Ana", team, languages=("en",))
    eva = await floor.agent("Eva", team, languages=("es",), capacity=1)
    spanish = [await floor.opened(f"hola {n}", language="es") for n in range(2)]
    first, second = [await floor.holder(ticket) for ticket in spanish]
    assert first == eva.id
    assert second is not None


async def test_teams_that_share_by_hand_are_left_alone(floor: Floor) -> None:
    team = await floor.team(strategy=Strategy.MANUAL)
    await _everything_to(floor, team)
    await floor.agent("Ana", team)
    assert await floor.holder(await floor.opened()) is None


async def test_what_waits_for_an_agent_who_left_is_offered_to_another(floor: Floor) -> None:
    team = await floor.team()
    await _everything_to(floor, team)
    policy = Policy(default_team=None, offer_again_minutes=10, own_tickets_only=False)
    await floor.staffing.rules.set_policy(policy, floor.boss)
    ana = await floor.agent("Ana", team)
    waits, answered = await floor.opened("waits"), await floor.opened("answered")
    await floor.desk.tickets.reply(answered, ana, "Try again now.")
    floor.desk.clock.advance(SILENCE + timedelta(minutes=11))
    assert await floor.staffing.assignment.fill_due() == 0  # nobody else is there
    assert await floor.holder(waits) == ana.id
    ben = await floor.agent("Ben", team)
    floor.desk.clock.advance(timedelta(seconds=16))
    await floor.staffing.assignment.fill_due()
    assert (await floor.holder(waits), await floor.holder(answered)) == (ben.id, ana.id)


async def test_many_tickets_at_once_go_out_once_each_and_to_nobody_above_capacity(
    floor: Floor, desk: Desk
) -> None:
    one, two = await floor.team("One"), await floor.team("Two", Strategy.LEAST_LOADED)
    agents = [
        await floor.agent(f"A{n}", one, two, capacity=3) for n in range(4)
    ]  # twelve places, in both teams
    tickets = [await floor.opened(f"matter {n}") for n in range(20)]
    async with desk.sessions.begin() as session:
        for n, row in enumerate(await session.scalars(select(Ticket).order_by(Ticket.id))):
            row.team_id = one if n % 2 else two
        for routing in await session.scalars(select(TicketRouting)):
            routing.wanting_since = desk.clock()
    processes = [staffing_of(desk.sessions, desk.accounts, desk.clock) for _ in range(4)]
    by_hand = [desk.tickets.take(ticket, floor.boss) for ticket in tickets[::5]]
    await asyncio.gather(
        *(process.assignment.fill() for process in processes), *by_hand, return_exceptions=True
    )
    await processes[0].assignment.fill()
    loads = Counter([await floor.holder(ticket) for ticket in tickets])
    assert {agent.id: loads[agent.id] for agent in agents} == {agent.id: 3 for agent in agents}
    for ticket in tickets:
        given = [who for field, who in await floor.fields(ticket) if field == "assignee"]
        assert len(given) <= 1, given
    assert loads[AgentId(floor.boss.id)] + loads[None] == 8


async def _absence(floor: Floor, unanswered: int | None, unfinished: int | None) -> None:
    policy = Policy(
        default_team=None, offer_again_minutes=unanswered, unfinished_minutes=unfinished
    )
    await floor.staffing.rules.set_policy(policy, floor.boss)


async def _reasons(floor: Floor, ticket: TicketId) -> list[str | None]:
    async with floor.desk.sessions() as session:
        rows = await session.scalars(
            select(TicketEvent.reason)
            .where(TicketEvent.ticket_id == ticket, TicketEvent.field == "assignee")
            .order_by(TicketEvent.id)
        )
        return list(rows)


async def test_a_team_that_takes_by_hand_gets_back_what_waits_for_who_is_not_there(
    floor: Floor,
) -> None:
    team = await floor.team(strategy=Strategy.MANUAL)
    await _everything_to(floor, team)
    await _absence(floor, 10, None)
    ana, ben = await floor.agent("Ana", team), await floor.agent("Ben", team)
    waits, answered = await floor.opened("waits"), await floor.opened("answered")
    for ticket in (waits, answered):
        await floor.desk.tickets.take(ticket, ana)
    await floor.desk.tickets.reply(answered, ana, "Try again now.")
    floor.desk.clock.advance(SILENCE + timedelta(minutes=11))
    assert await floor.staffing.returning.return_due() == 0  # nobody is there to take it
    await floor.staffing.crew.be(ben.id, Presence.ONLINE)
    floor.desk.clock.advance(timedelta(seconds=16))
    assert await floor.staffing.returning.return_due() == 1
    assert (await floor.holder(waits), await floor.holder(answered)) == (None, ana.id)
    assert await _reasons(floor, waits) == [None, OFFERED_AGAIN]


async def test_what_was_answered_is_offered_again_when_its_agent_stays_away(floor: Floor) -> None:
    team = await floor.team()
    await _everything_to(floor, team)
    await _absence(floor, None, 60)
    ana = await floor.agent("Ana", team)
    ticket = await floor.opened()
    await floor.desk.tickets.reply(ticket, ana, "I shall look at it.")
    floor.desk.clock.advance(timedelta(minutes=50))
    await floor.staffing.crew.leave(ana.id)
    ben = await floor.agent("Ben", team)
    floor.desk.clock.advance(timedelta(minutes=20))
    await floor.staffing.crew.seen(ben.id)
    await floor.staffing.assignment.fill_due()
    assert await floor.holder(ticket) == ana.id  # they left twenty minutes ago
    floor.desk.clock.advance(timedelta(minutes=45))
    await floor.staffing.crew.seen(ben.id)
    await floor.staffing.assignment.fill_due()
    assert await floor.holder(ticket) == ben.id


async def test_who_is_disabled_leaves_all_that_is_not_done_to_their_team(floor: Floor) -> None:
    team = await floor.team()
    await _everything_to(floor, team)
    ana = await floor.agent("Ana", team)
    opened, pending, solved = [await floor.opened(words) for words in ("open", "waits", "done")]
    await floor.desk.tickets.set_status(pending, TicketStatus.PENDING, ana)
    await floor.desk.tickets.set_status(solved, TicketStatus.SOLVED, ana)
    ben = await floor.agent("Ben", team)
    await floor.desk.access.set_disabled(ana.id, disabled=True, by=floor.boss)
    assert await floor.staffing.returning.return_due() == 2
    for ticket in (opened, pending):
        await floor.react_to(ticket)
    holders = [await floor.holder(ticket) for ticket in (opened, pending, solved)]
    assert holders == [ben.id, None, ana.id]
    assert (await _reasons(floor, opened))[1] == (await _reasons(floor, pending))[1] == SHUT_OUT
    assert await floor.staffing.returning.return_due() == 0
