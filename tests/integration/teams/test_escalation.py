"""Tickets are sent on by hand with a reason, and by time; agents see their teams' alone, if set."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from core.domain.actor import Role
from core.domain.errors import InvalidInput
from core.domain.ids import ConversationId
from core.domain.notification import Notice
from core.domain.teams import Onward, Strategy
from core.services.notifications.reading import notices_of
from core.services.notifications.telling import NoticesOfTickets
from core.services.reactions import Reactions
from core.services.teams.rulebook import Policy
from core.services.teams.teams import Patience
from core.storage.tables import AuditEntry, TicketEvent
from tests.integration.console.api import Api
from tests.integration.console.browser import PASSWORD, Browser
from tests.integration.console.world import Desk
from tests.integration.teams.world import Floor


async def test_a_ticket_goes_up_the_levels_then_to_the_next_team_and_to_a_lead(desk: Desk) -> None:
    floor = await Floor.of(desk)
    network = await floor.team("Network")
    helpers = await floor.team("Help", escalates_to=network)
    ana = await floor.agent("Ana", helpers)
    eva = await floor.agent("Eva", helpers, level=2)
    lea = await floor.agent("Lea", network, is_lead=True, role=Role.LEAD)
    ticket = await floor.opened()
    await floor.pass_to(ticket, helpers)
    await floor.react_to(ticket)
    assert await floor.holder(ticket) == ana.id

    async def send_on(onward: Onward) -> None:
        await floor.staffing.escalations.escalate(ticket, onward, "too hard", ana)
        await floor.react_to(ticket)

    with pytest.raises(InvalidInput, match="why"):
        await floor.staffing.escalations.escalate(ticket, Onward.NEXT, " ", ana)
    with pytest.raises(InvalidInput, match="no lead"):
        await send_on(Onward.LEAD)
    await send_on(Onward.NEXT)
    row = await floor.ticket(ticket)
    assert (row.level, row.assignee_id) == (2, eva.id)
    await send_on(Onward.NEXT)
    row = await floor.ticket(ticket)
    assert (row.team_id, row.level, row.assignee_id) == (network, 1, lea.id)
    with pytest.raises(InvalidInput, match="nobody"):
        await send_on(Onward.NEXT)
    await desk.tickets.assign(ticket, None, floor.boss)
    await send_on(Onward.LEAD)
    assert await floor.holder(ticket) == lea.id
    async with desk.sessions() as session:
        sent = await session.execute(
            select(TicketEvent.new, TicketEvent.reason)
            .where(TicketEvent.field == "escalated")
            .order_by(TicketEvent.id)
        )
    assert [tuple(row) for row in sent] == [
        ("Help 2", "too hard"),
        ("Network 1", "too hard"),
        ("Lea", "too hard"),
    ]


async def test_what_nobody_touches_or_solves_in_time_goes_on_by_itself(desk: Desk) -> None:
    floor = await Floor.of(desk)
    patience = {1: Patience(untouched_minutes=10, unsolved_minutes=60)}
    team = await floor.team("Help", Strategy.MANUAL, patience=patience)
    ana = await floor.agent("Ana", team)
    await floor.agent("Eva", team, level=2)
    untouched, touched = await floor.opened("untouched"), await floor.opened("touched")
    for ticket in (untouched, touched):
        await floor.pass_to(ticket, team)
        await floor.react_to(ticket)
    await desk.tickets.reply(touched, ana, "Looking at it.")
    await floor.react_to(touched)

    async def levels() -> tuple[int, int]:
        return (await floor.ticket(untouched)).level, (await floor.ticket(touched)).level

    desk.clock.advance(timedelta(minutes=9))
    await floor.staffing.escalations.escalate_due()
    assert await levels() == (1, 1)
    desk.clock.advance(timedelta(minutes=2))
    await floor.staffing.escalations.escalate_due()
    assert await levels() == (2, 1)
    desk.clock.advance(timedelta(minutes=50))
    await floor.staffing.escalations.escalate_due()
    assert await levels() == (2, 2)
    await floor.react_to(touched)
    assert (await floor.ticket(touched)).assignee_id is None


async def test_agents_see_the_tickets_of_their_teams_and_of_none_where_that_is_set(
    desk: Desk, api: Api
) -> None:
    floor = await Floor.of(desk)
    mine, other = await floor.team("Mine", Strategy.MANUAL), await floor.team("Other")
    ana = await floor.agent("Ana", mine)
    await desk.access.passwords.set(ana.id, PASSWORD)
    tickets = [await floor.opened(f"matter {name}") for name in ("mine", "other", "none")]
    await floor.pass_to(tickets[0], mine)
    await floor.pass_to(tickets[1], other)
    rows = [await floor.ticket(ticket) for ticket in tickets]
    numbers = [row.number for row in rows]
    client = await api(Role.AGENT, "ana@example.org")

    async def listed(**query: str) -> set[int]:
        answer = await client.get("/api/v1/tickets", params=query)
        assert answer.status_code == 200, answer.text
        found = answer.json()["items"]
        return {ticket["number"] for ticket in found}

    assert await listed() == set(numbers)
    assert await listed(team="Other") == {numbers[1]}
    policy = Policy(default_team=None, offer_again_minutes=None, own_tickets_only=True)
    await floor.staffing.rules.set_policy(policy, floor.boss)
    assert await listed() == {numbers[0], numbers[2]}
    conversation = ConversationId(rows[1].conversation_id)
    for method, path in (
        ("GET", f"/api/v1/tickets/{numbers[1]}"),
        ("POST", f"/api/v1/tickets/{tickets[1]}/take"),
        ("GET", f"/api/v1/conversations/{conversation}/messages"),
    ):
        refused = await client.request(method, path)
        assert (refused.status_code, refused.json()["detail"]) == (
            403,
            "this ticket belongs to another team",
        )
    browser = await Browser.signed_in(desk, "ana@example.org")
    shown = await browser.see("/console/queue?tab=all")
    assert (f"#{numbers[0]}" in shown, f"#{numbers[1]}" in shown) == (True, False)
    assert f"tab=team-{mine}" in shown
    await browser.see(f"/console/tickets/{numbers[1]}", status=403)
    await browser.see(f"/console/tickets/{numbers[0]}")
    sent_on = await browser.send(
        f"/console/tickets/{numbers[0]}/escalate", htmx=True, to=str(other), reason="network"
    )
    assert sent_on.status_code in {200, 403}
    assert (await floor.ticket(tickets[0])).team_id == other
    everything = await api(Role.AUDITOR, "audit@example.org")
    assert (await everything.get(f"/api/v1/tickets/{numbers[1]}")).status_code == 200
    async with desk.sessions() as session:
        refusals = await session.scalars(
            select(AuditEntry.subject_name).where(AuditEntry.action == "ticket.refused")
        )
        assert refusals.all()[:4] == [f"#{numbers[1]}"] * 4


async def test_what_waits_too_long_goes_to_a_lead_where_the_team_says_so(desk: Desk) -> None:
    floor = await Floor.of(desk)
    patience = {1: Patience(untouched_minutes=10, onward=Onward.LEAD)}
    team = await floor.team("Help", Strategy.MANUAL, patience=patience)
    ana = await floor.agent("Ana", team)
    lea = await floor.agent("Lea", team, level=2, is_lead=True)
    ticket = await floor.opened()
    await floor.pass_to(ticket, team)
    await floor.react_to(ticket)
    await desk.tickets.take(ticket, ana)
    await floor.react_to(ticket)
    desk.clock.advance(timedelta(minutes=11))
    assert await floor.staffing.escalations.escalate_due() == 1
    await floor.react_to(ticket)
    row = await floor.ticket(ticket)
    assert (row.assignee_id, row.level) == (lea.id, 1)
    desk.clock.advance(timedelta(minutes=11))
    assert await floor.staffing.escalations.escalate_due() == 0


@pytest.mark.parametrize("onward", Onward)
async def test_where_nobody_is_above_a_lead_hears_of_it(desk: Desk, onward: Onward) -> None:
    floor = await Floor.of(desk)
    patience = {1: Patience(unsolved_minutes=10, onward=onward)}
    team = await floor.team("Help", Strategy.MANUAL, patience=patience)
    lea = await floor.agent("Lea", team, is_lead=True)
    ticket = await floor.opened()
    await floor.pass_to(ticket, team)
    await floor.react_to(ticket)
    await desk.tickets.take(ticket, lea)
    await floor.react_to(ticket)
    desk.clock.advance(timedelta(minutes=11))
    assert await floor.staffing.escalations.escalate_due() == 1
    assert await floor.staffing.escalations.escalate_due() == 0
    reactions = Reactions(desk.sessions, desk.accounts, (NoticesOfTickets(),), desk.clock)
    await reactions.advance(ConversationId((await floor.ticket(ticket)).conversation_id))
    async with desk.sessions() as session:
        (told,) = await notices_of(session, lea.id)
    assert told.notice is Notice.STUCK
    assert (await floor.fields(ticket))[-1] == ("stuck", "timer")
