"""A closed ticket takes notes only; who still has something to say opens one that follows it."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from core.domain.assistant import Handoff, HandoffReason, TicketKind
from core.domain.conversation import Responder
from core.domain.errors import Conflict, IllegalTransition
from core.domain.ids import TeamId, TicketId, new_id
from core.domain.ticket import TicketStatus
from core.services.links.merging import TicketMerging
from core.storage.tables import Category, FormField, Team, Ticket
from tests.integration.console.api import Api
from tests.integration.console.browser import signed_in
from tests.integration.console.world import Desk
from tests.support.desk import Rig


async def _waits(rig: Rig, thread: str) -> TicketId:
    conversation = await rig.hear(f"help in {thread}", thread=thread)
    await rig.reply(conversation, Handoff(reason=HandoffReason.PROBLEM_REPORTED))
    return await rig.ticket_id(thread)


async def _closed(rig: Rig) -> TicketId:
    ticket = await _waits(rig, "t1")
    await rig.tickets.set_status(ticket, TicketStatus.CLOSED, await rig.agent("Closer"))
    return ticket


async def test_an_agent_opens_a_follow_up_in_the_same_conversation_and_answers_there(
    rig: Rig,
) -> None:
    closed, team, category, floor = await _closed(rig), TeamId(new_id()), new_id(), new_id()
    sorted_as = {"kind": TicketKind.REQUEST, "subject": "VPN", "fields": {str(floor): 3}}
    async with rig.sessions.begin() as session:
        session.add_all([Team(id=team, name="Network"), Category(id=category, name="VPN")])
        await session.flush()
        session.add(
            FormField(id=floor, category_id=category, label="Floor", kind="number", position=0)
        )
        await session.execute(
            update(Ticket).values(team_id=team, level=2, category_id=category, **sorted_as)
        )
    ana, before = await rig.agent(), await rig.texts("t1")
    with pytest.raises(IllegalTransition):
        await rig.tickets.reply(closed, ana, "One more thing.")
    opened = await rig.tickets.follow_up(closed, ana)
    assert await rig.texts("t1") == before  # nobody heard of it yet
    ticket, conversation = await rig.ticket("t1"), await rig.conversation("t1")
    assert (ticket.id, ticket.follows_id, ticket.assignee_id) == (opened, closed, ana.id)
    assert (ticket.team_id, ticket.level, ticket.category_id) == (team, 2, category)
    assert {name: getattr(ticket, name) for name in sorted_as} == sorted_as
    assert (ticket.status, conversation.responder) == (TicketStatus.OPEN, Responder.HUMAN)
    await rig.tickets.reply(opened, ana, "One more thing.")
    assert (await rig.texts("t1"))[-1] == ("agent", "One more thing.")
    await rig.hear("thanks", thread="t1")
    assert (await rig.ticket("t1")).id == opened


async def test_one_ticket_alone_follows_a_closed_one_and_none_an_open_or_merged_one(
    rig: Rig,
) -> None:
    closed = await _closed(rig)
    ana = await rig.agent()
    opened = await rig.tickets.follow_up(closed, ana)
    with pytest.raises(Conflict, match="follows this one already"):
        await rig.tickets.follow_up(closed, ana)
    with pytest.raises(IllegalTransition):
        await rig.tickets.follow_up(opened, ana)
    other = await _waits(rig, "t2")
    await TicketMerging(rig.sessions, rig.accounts, rig.clock).merge(opened, other, ana)
    with pytest.raises(IllegalTransition):
        await rig.tickets.follow_up(other, ana)


async def test_none_follows_a_closed_one_whose_requester_has_gone_on_in_another_conversation(
    rig: Rig,
) -> None:
    closed = await _closed(rig)
    rig.clock.advance(days=30)
    await rig.hear("another matter", thread="t1")
    assert (await rig.conversation("t1")).id != (await rig.ticket("t1")).conversation_id
    with pytest.raises(Conflict, match="has gone on in another conversation"):
        await rig.tickets.follow_up(closed, await rig.agent())


async def test_the_page_of_a_closed_ticket_offers_notes_and_what_else_is_possible(
    desk: Desk, api: Api
) -> None:
    await desk.queued()
    client, browser = await api(), await signed_in(desk, "Bea")
    assert "Open a follow-up" not in await browser.see("/console/tickets/1001")
    await client.post("/api/v1/tickets/1001/status", json={"status": "closed"})
    shown = await browser.see("/console/tickets/1001")
    assert "Open a follow-up" in shown
    assert 'id="mode-reply" disabled' in shown
    assert 'id="mode-note" checked' in shown
    led = await browser.send("/console/tickets/1001/follow-up", htmx=True)
    assert led.headers["HX-Redirect"] == "/console/tickets/1002?tab=mine"
    assert "Answer in #1002" in await browser.see("/console/tickets/1001")
    assert 'id="mode-reply" checked' in await browser.see("/console/tickets/1002")
    late = await client.post("/api/v1/tickets/1001/follow-up", json={})
    assert late.status_code == 409
    assert late.json()["detail"] == "another ticket follows this one already"


async def test_a_merged_ticket_leads_to_the_one_that_it_goes_on_in(desk: Desk, api: Api) -> None:
    for n in range(2):
        await desk.queued(f"number {n}", thread=f"t{n}", who=f"u{n}")
    client, browser = await api(), await signed_in(desk, "Bea")
    merged = await client.post("/api/v1/tickets/1001/merges", json={"ticket": "1002"})
    assert merged.status_code < 300, merged.text
    shown = await browser.see("/console/tickets/1002")
    assert "Answer in #1001" in shown
    assert "Open a follow-up" not in shown


async def test_who_takes_over_after_a_ticket_was_closed_has_one_that_follows_it(rig: Rig) -> None:
    closed = await _closed(rig)
    conversation = await rig.hear("me again", thread="t1")
    await rig.tickets.take_over(conversation, await rig.agent())
    assert (await rig.ticket("t1")).follows_id == closed
