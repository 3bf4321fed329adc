"""Replies that wait some seconds before they leave, and can be taken back meanwhile."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import delete, select

from core.domain.actor import Role
from core.domain.conversation import Responder
from core.domain.ids import ConversationId, TicketId
from core.domain.ticket import TicketStatus
from core.services.case import open_case
from core.services.classification.categories import Categories, CategoryDraft
from core.services.classification.fields import FieldDraft
from core.services.ledger import Ledger
from core.services.tickets.answering import give_status
from core.services.writing.drafts import DraftKind, drafts_of
from core.storage.engine import Sessions
from core.storage.queries.tickets.tickets import ticket_view
from core.storage.tables import (
    Conversation,
    Draft,
    Message,
    Ticket,
    TicketEvent,
)
from tests.integration.console.browser import Browser
from tests.integration.console.world import Desk, build_desk
from tests.integration.console.writing import (
    TEN_SECONDS,
    TICKET,
    agent_called,
    answers_seen,
    drafts,
    held,
    signed_in,
    ticket_in,
    typed,
)


@pytest.fixture
def desk(sessions: Sessions, database_url: str, tmp_path: Path) -> Desk:
    """A desk on which replies can be taken back for ten seconds."""
    return build_desk(sessions, database_url, tmp_path, take_back_seconds=10)


async def test_a_reply_leaves_when_its_time_is_over_and_not_before(desk: Desk) -> None:
    conversation = await desk.queued()
    desk.clock.stop()
    browser = await signed_in(desk)
    answer = await browser.send(f"{TICKET}/say", htmx=True, text="Restart it.", then="pending")
    assert answer.headers["hx-trigger"] == "said"
    assert "Leaves in" in answer.text
    assert "then: Pending" in answer.text
    await desk.held.send_due()
    assert await answers_seen(desk) == []
    async with desk.sessions() as session:
        ticket = await ticket_view(session, await ticket_in(desk, conversation))
        talking = await session.get_one(Conversation, conversation)
    assert (ticket.status, ticket.assignee and ticket.assignee.name) == (TicketStatus.OPEN, "Ana")
    assert talking.responder == Responder.HUMAN  # the assistant is silent at once

    desk.clock.advance(TEN_SECONDS)
    await desk.held.send_due()
    await desk.held.send_due()
    assert await answers_seen(desk) == ["Restart it."]
    assert await held(desk) == []
    async with desk.sessions() as session:
        ticket = await ticket_view(session, ticket.id)
        answered = await session.scalars(
            select(TicketEvent.at).where(
                TicketEvent.field == "message", TicketEvent.reason == "agent"
            )
        )
        assert answered.all() == [desk.clock()]
    assert ticket.status == TicketStatus.PENDING


async def test_a_reply_that_was_taken_back_is_a_draft_again_and_never_leaves(desk: Desk) -> None:
    conversation = await desk.queued()
    browser = await signed_in(desk)
    await browser.send(f"{TICKET}/say", htmx=True, text="Dear Bob,")
    (waiting,) = await held(desk)
    assert await typed(browser, conversation, "reply", text="By the way") == 204
    await browser.send(f"{TICKET}/held/{waiting.id}/take-back", htmx=True)
    assert (await drafts(browser, conversation))["reply"]["text"] == "Dear Bob,\n\nBy the way"
    desk.clock.advance(TEN_SECONDS)
    await desk.held.send_due()
    assert await answers_seen(desk) == []
    assert "Dear Bob," in await browser.see(TICKET)


async def test_a_reply_is_taken_back_or_sent_but_never_both(desk: Desk) -> None:
    conversation = await desk.queued()
    ana = await agent_called(desk, "Ana")
    browser = await Browser.signed_in(desk, ana.email)
    for n in range(6):
        await browser.send(f"{TICKET}/say", text=f"reply {n}")
        (waiting,) = await held(desk)
        desk.clock.advance(TEN_SECONDS)
        taken, *_ = await asyncio.gather(
            browser.send(f"{TICKET}/held/{waiting.id}/take-back", htmx=True),
            desk.held.send_due(),
            desk.held.send_due(),
        )
        async with desk.sessions.begin() as session:
            draft = (await drafts_of(session, ana.id, conversation)).get(DraftKind.REPLY)
            await session.execute(delete(Draft))
        was_taken = taken.status_code == 200
        assert was_taken == (draft is not None)
        assert (await answers_seen(desk)).count(f"reply {n}") == (0 if was_taken else 1)
        assert was_taken or "This reply has been sent already" in taken.text


async def test_replies_keep_their_order_and_go_before_what_is_done_next(desk: Desk) -> None:
    conversation = await desk.queued()
    browser = await signed_in(desk)
    await browser.send(f"{TICKET}/say", text="one")
    agent = (await held(desk))[0].agent_id
    await browser.send("/console/preferences/take-back", seconds="5")
    await browser.send(f"{TICKET}/say", text="two")
    first, second = await held(desk)
    assert (first.text, second.text) == ("one", "two")
    assert first.due_at == second.due_at
    assert agent == second.agent_id
    await browser.send(f"{TICKET}/status", status="solved")
    assert await held(desk) == []
    async with desk.sessions() as session:
        said = await session.scalars(
            select(Message.text)
            .where(Message.conversation_id == conversation, Message.seq > 2)
            .order_by(Message.seq)
        )
        *answers, end = said.all()[-3:]
    assert answers == ["one", "two"]
    assert "is solved" in end


async def test_what_is_refused_lets_no_reply_leave(desk: Desk) -> None:
    await desk.queued()
    lead = await desk.agent("lea@example.org", "Lea", Role.LEAD)
    categories = Categories(desk.sessions)
    category = await categories.add(CategoryDraft(name="Laptops"), lead)
    await categories.add_field(category, FieldDraft(label="Serial", is_required=True), lead)
    browser = await signed_in(desk)
    await browser.send(f"{TICKET}/sort", category=str(category))
    await browser.send(f"{TICKET}/say", text="one")
    refused = await browser.send(f"{TICKET}/status", htmx=True, status="solved")
    assert refused.status_code == 422
    assert len(await held(desk)) == 1
    assert await answers_seen(desk) == []


async def test_a_reply_over_the_api_comes_after_those_that_wait(desk: Desk) -> None:
    conversation = await desk.queued()
    browser = await signed_in(desk)
    bea = await agent_called(desk, "Bea")
    await browser.send(f"{TICKET}/say", text="one")
    ticket = await ticket_in(desk, conversation)
    await desk.tickets.reply(ticket, bea, "two", then=TicketStatus.CLOSED)
    assert await answers_seen(desk) == ["one", "two"]
    assert await held(desk) == []


async def end_by_rule(desk: Desk, ticket: TicketId, status: TicketStatus) -> None:
    async with desk.sessions.begin() as session:
        case = await open_case(session, Ledger(desk.accounts, desk.clock()), ticket)
        await give_status(case, status, actor="reactor:rules")
        await case.ledger.write(session)


async def test_what_ended_the_ticket_meanwhile_stays(desk: Desk) -> None:
    conversation = await desk.queued()
    browser = await signed_in(desk)
    ticket = await ticket_in(desk, conversation)
    await browser.send(f"{TICKET}/say", text="Last word", then="pending")
    await end_by_rule(desk, ticket, TicketStatus.SOLVED)
    desk.clock.advance(TEN_SECONDS)
    await desk.held.send_due()
    assert await answers_seen(desk) == ["Last word"]
    async with desk.sessions() as session:
        assert (await ticket_view(session, ticket)).status == TicketStatus.SOLVED


async def test_a_reply_that_cannot_leave_any_more_says_so_and_is_not_lost(desk: Desk) -> None:
    conversation = await desk.queued()
    browser = await signed_in(desk)
    await browser.send(f"{TICKET}/say", text="Too late")
    await end_by_rule(desk, await ticket_in(desk, conversation), TicketStatus.CLOSED)
    desk.clock.advance(TEN_SECONDS)
    await desk.held.send_due()
    await desk.held.send_due()
    assert await answers_seen(desk) == []
    page = await browser.see(TICKET)
    assert "the ticket was closed before the reply left" in page
    assert "Back to the draft" in page
    (refused,) = await held(desk)
    await browser.send(f"{TICKET}/held/{refused.id}/take-back")
    assert (await drafts(browser, conversation))["reply"]["text"] == "Too late"


async def test_a_reply_waits_in_vain_where_nobody_reported_what_the_ticket_is_made(
    desk: Desk,
) -> None:
    browser = await signed_in(desk)
    problem = {"subject": "Mail server", "text": "Its disk is full"}
    await browser.send("/console/tickets/new/problem", form=problem)
    await browser.send(f"{TICKET}/sort", htmx=True, kind="incident")
    await browser.send(f"{TICKET}/say", text="The disk is cleared.", then="solved")
    await browser.send(f"{TICKET}/sort", htmx=True, kind="problem")
    desk.clock.advance(TEN_SECONDS)
    await desk.held.send_due()
    page = await browser.see(TICKET)
    assert "no requester reported this problem: there is nobody to reply to" in page
    (refused,) = await held(desk)
    assert refused.refused_at is not None
    async with desk.sessions() as session:
        conversation = (await session.scalars(select(Conversation.id))).one()
        said = await session.scalars(select(Message.text))
        statuses = (await session.scalars(select(Ticket.status))).all()
    assert "The disk is cleared." not in said.all()
    assert statuses == [TicketStatus.OPEN]
    await browser.send(f"{TICKET}/held/{refused.id}/take-back")
    kept = await drafts(browser, ConversationId(conversation))
    assert kept["note"]["text"] == "The disk is cleared."  # replies are not written there


async def test_another_agent_sees_a_reply_that_waits_and_cannot_take_it_back(desk: Desk) -> None:
    await desk.queued()
    browser = await signed_in(desk)
    bea = await signed_in(desk, "Bea")
    await browser.send(f"{TICKET}/say", text="Mine")
    (waiting,) = await held(desk)
    page = await bea.see(TICKET)
    assert "Mine" in page
    assert "take-back" not in page
    refused = await bea.send(f"{TICKET}/held/{waiting.id}/take-back", htmx=True)
    assert refused.status_code == 409
    assert "Another agent said this" in refused.text
    elsewhere = await bea.send(f"/console/tickets/1002/held/{waiting.id}/take-back")
    assert elsewhere.status_code == 404


async def test_a_reply_can_be_sent_at_once_and_an_agent_may_choose_that_for_all(desk: Desk) -> None:
    await desk.queued()
    browser = await signed_in(desk)
    await browser.send(f"{TICKET}/say", text="one")
    (waiting,) = await held(desk)
    await browser.send(f"{TICKET}/held/{waiting.id}/send", htmx=True)
    assert await answers_seen(desk) == ["one"]
    saved = await browser.send("/console/preferences/take-back", seconds="0")
    assert saved.status_code == 303
    assert 'value="0" selected' in await browser.see("/console/preferences")
    await browser.send(f"{TICKET}/say", text="two")
    assert await answers_seen(desk) == ["one", "two"]
    for nonsense in ("31", "-1", "soon", "1" * 40):
        refused = await browser.send("/console/preferences/take-back", seconds=nonsense)
        assert refused.status_code == 422
        assert "0 to 30 seconds" in refused.text
