"""What agents write before it leaves: replies that can be taken back, and drafts."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from core.domain.actor import Agent, Role
from core.domain.conversation import Responder, Speaker
from core.domain.ids import ConversationId, ThreadKey, TicketId
from core.domain.ticket import TicketStatus
from core.services.case import open_case
from core.services.classification.categories import Categories, CategoryDraft
from core.services.classification.fields import FieldDraft
from core.services.ledger import Ledger
from core.services.tickets.answering import give_status
from core.services.writing.drafts import DraftKind, Drafts, drafts_of
from core.storage.engine import Sessions
from core.storage.queries.conversations.transcripts import thread_since
from core.storage.queries.files import forget_uploads
from core.storage.queries.tickets.tickets import ticket_of_conversation, ticket_view
from core.storage.tables import (
    Conversation,
    Draft,
    HeldReply,
    Message,
    Ticket,
    TicketEvent,
    Upload,
)
from tests.integration.console.browser import PASSWORD, Browser
from tests.integration.console.world import ACCOUNT, Desk, build_desk

TICKET = "/console/tickets/1001"
TEN_SECONDS = timedelta(seconds=10)


@pytest.fixture
def desk(sessions: Sessions, database_url: str, tmp_path: Path) -> Desk:
    """A desk on which replies can be taken back for ten seconds."""
    return build_desk(sessions, database_url, tmp_path, take_back_seconds=10)


async def agent_called(desk: Desk, name: str) -> Agent:
    agent = await desk.agent(f"{name.lower()}@example.org", name)
    await desk.access.passwords.set(agent.id, PASSWORD)
    return agent


async def signed_in(desk: Desk, name: str = "Ana") -> Browser:
    agent = await agent_called(desk, name)
    return await Browser.signed_in(desk, agent.email)


async def answers_seen(desk: Desk) -> list[str]:
    """Return what the requester has read of agents."""
    async with desk.sessions() as session:
        said = await thread_since(session, ACCOUNT, ThreadKey("t1"), 0, 100)
    return [entry.text for entry in said if entry.speaker == Speaker.AGENT]


async def held(desk: Desk) -> Sequence[HeldReply]:
    async with desk.sessions() as session:
        return (await session.scalars(select(HeldReply).order_by(HeldReply.due_at))).all()


async def ticket_in(desk: Desk, conversation: ConversationId) -> TicketId:
    async with desk.sessions() as session:
        ticket = await ticket_of_conversation(session, conversation)
    assert ticket is not None
    return ticket


async def drafts(browser: Browser, conversation: ConversationId) -> Any:
    answer = await browser.client.get(f"/console/conversations/{conversation}/drafts")
    assert answer.status_code == 200
    return answer.json()


async def typed(browser: Browser, conversation: ConversationId, kind: str, **draft: Any) -> int:
    answer = await browser.client.put(
        f"/console/conversations/{conversation}/drafts/{kind}",
        json=draft,
        headers={"X-CSRF-Token": browser.csrf},
    )
    return answer.status_code


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


async def test_drafts_of_replies_and_notes_are_apart_and_end_with_what_was_sent(
    desk: Desk,
) -> None:
    conversation = await desk.queued()
    browser = await signed_in(desk)
    await browser.see(TICKET)
    assert await typed(browser, conversation, "reply", text="Dear") == 204
    assert await typed(browser, conversation, "note", text="He is new") == 204
    assert await typed(browser, conversation, "reply", text="Dear Ada", seen=2) == 204
    elsewhere = await Browser.signed_in(desk, "ana@example.org")
    kept = await drafts(elsewhere, conversation)
    assert (kept["reply"]["text"], kept["note"]["text"]) == ("Dear Ada", "He is new")
    assert kept["reply"]["seen"] == 2
    assert "Dear Ada</textarea>" in await elsewhere.see(TICKET)
    assert await drafts(await signed_in(desk, "Bea"), conversation) == {}
    await browser.send(f"{TICKET}/say", text="Dear Ada, restart it.")
    assert list(await drafts(browser, conversation)) == ["note"]
    await browser.send(f"{TICKET}/say", mode="note", text="He is new")
    assert await drafts(browser, conversation) == {}


async def test_a_draft_keeps_its_files_and_its_addresses(desk: Desk) -> None:
    conversation = await desk.queued()
    browser = await signed_in(desk)
    await browser.see(TICKET)
    handed_in = await browser.client.post(
        "/console/files",
        content=b"a",
        headers={"X-CSRF-Token": browser.csrf, "X-File-Name": "a.txt"},
    )
    file = handed_in.json()["id"]
    envelope = {"to": ["ada@example.org"], "cc": ["half@"], "bcc": [], "subject": "About"}
    assert await typed(browser, conversation, "reply", files=[file], envelope=envelope) == 204
    async with desk.sessions.begin() as session:
        await session.execute(update(Upload).values(created_at=desk.clock() - timedelta(days=9)))
        await forget_uploads(session, desk.clock() - timedelta(days=1))
    kept = (await drafts(browser, conversation))["reply"]
    assert kept["files"] == [{"id": file, "name": "a.txt", "size": 1}]
    assert kept["envelope"] == envelope
    assert await typed(browser, conversation, "reply", text="", files=[]) == 204
    assert await drafts(browser, conversation) == {}
    async with desk.sessions.begin() as session:
        await forget_uploads(session, desk.clock() - timedelta(days=1))
        assert (await session.scalars(select(Upload.id))).all() == []


async def test_a_draft_that_cannot_be_kept_is_refused(desk: Desk) -> None:
    conversation = await desk.queued()
    browser = await signed_in(desk)
    await browser.see(TICKET)
    wrong: Sequence[dict[str, Any]] = (
        {"text": "a\x00"},
        {"files": ["nonsense"]},
        {"files": ["0197a1d2-0000-7000-8000-000000000000"] * 21},
        {"envelope": {"to": ["a" * 1001]}},
        {"seen": -1},
    )
    assert [await typed(browser, conversation, "reply", **one) for one in wrong] == [422] * 5
    assert await typed(browser, conversation, "reply", text="a" * 20_001) == 413
    assert await typed(browser, conversation, "song", text="a") == 422
    assert await drafts(browser, conversation) == {}


async def test_drafts_that_nobody_went_on_with_are_forgotten(desk: Desk) -> None:
    conversation = await desk.queued()
    browser = await signed_in(desk)
    await browser.see(TICKET)
    await typed(browser, conversation, "reply", text="once")
    keeper = Drafts(desk.sessions, desk.clock)
    for days, left in ((89, ["once"]), (2, [])):
        desk.clock.advance(timedelta(days=days))
        await keeper.forget_old()
        async with desk.sessions() as session:
            assert (await session.scalars(select(Draft.text))).all() == left


async def says(browser: Browser, words: str, **more: str) -> Any:
    return await browser.send(f"{TICKET}/say", htmx=True, form={"text": words, **more})


async def test_who_answers_after_a_colleague_did_is_asked_first(desk: Desk) -> None:
    await desk.queued()
    ana, bea = await signed_in(desk), await signed_in(desk, "Bea")
    assert (await says(bea, "Hello, I am Bea.", seen="2")).status_code == 200
    asked = await says(ana, "Hello, I am Ana.", seen="2", then="pending")
    assert asked.status_code == 409
    assert "Bea is answering right now." in asked.text
    assert "hx-trigger" not in asked.headers
    desk.clock.advance(TEN_SECONDS)
    await desk.held.send_due()
    asked = await says(ana, "Hello, I am Ana.", seen="2", then="pending")
    assert "Bea answered" in asked.text
    found = re.search(r'name="anyway" value="([^"]+)"', asked.text)
    assert found is not None
    assert (await says(ana, "Hello, I am Ana.", seen="2", anyway=found[1])).status_code == 200
    (waiting,) = await held(desk)
    assert (waiting.text, waiting.then) == ("Hello, I am Ana.", "pending")


async def test_the_same_words_from_a_second_window_are_asked_about(desk: Desk) -> None:
    await desk.queued()
    ana = await signed_in(desk)
    assert (await says(ana, "Restart it.", seen="2")).status_code == 200
    again = await says(ana, "Restart it.\n", seen="2")
    assert again.status_code == 409
    assert "You have sent these words already." in again.text
    desk.clock.advance(TEN_SECONDS)
    await desk.held.send_due()
    for words in ("Restart it.", "Restart it.\n"):
        again = await says(ana, words, seen="2")
        assert (again.status_code, "You have sent these words" in again.text) == (409, True)
    assert (await says(ana, "Did it help?", seen="2")).status_code == 200


async def test_only_answers_of_others_that_came_later_are_asked_about(desk: Desk) -> None:
    await desk.queued()
    ana, bea = await signed_in(desk), await signed_in(desk, "Bea")
    await bea.send("/console/preferences/take-back", seconds="0")
    await says(bea, "one", seen="2")
    await bea.send(f"{TICKET}/say", htmx=True, mode="note", text="between us")
    await desk.says("And now?")
    async with desk.sessions() as session:
        answered = await session.scalar(select(Message.seq).where(Message.text == "one"))
    assert answered is not None
    assert (await says(ana, "read it", seen=str(answered))).status_code == 200
    assert (await says(ana, "my own are mine", seen=str(answered))).status_code == 200
    assert (await says(bea, "without a script that says so")).status_code == 200


async def test_without_scripts_the_words_are_kept_while_one_reads_the_colleagues(
    desk: Desk,
) -> None:
    conversation = await desk.queued()
    ana, bea = await signed_in(desk), await signed_in(desk, "Bea")
    await bea.send("/console/preferences/take-back", seconds="0")
    await says(bea, "one", seen="2")
    answer = await ana.send(f"{TICKET}/say", text="two", seen="2")
    assert answer.status_code == 303
    page = await ana.see(answer.headers["location"])
    assert "two</textarea>" in page
    seen = (await drafts(ana, conversation))["reply"]["seen"]
    assert f'name="seen" id="seen" value="{seen}"' in page
    await ana.send(f"{TICKET}/say", text="two", seen=str(seen))
    assert [reply.text for reply in await held(desk)] == ["two"]


async def visitors(browser: Browser, conversation: ConversationId, typing: str = "") -> str:
    answer = await browser.send(
        f"/console/conversations/{conversation}/visit", htmx=True, typing=typing
    )
    assert answer.status_code == 200, answer.text
    return " ".join(re.sub("<[^>]+>", " ", answer.text).split())


async def test_colleagues_see_who_else_looks_at_a_ticket_and_who_writes(desk: Desk) -> None:
    conversation = await desk.queued()
    ana, bea = await signed_in(desk), await signed_in(desk, "Bea")
    await ana.see(TICKET)
    await bea.see(TICKET)
    assert await visitors(ana, conversation) == ""
    assert await visitors(bea, conversation, "reply") == "A Ana is looking at this"
    assert await visitors(ana, conversation) == "B Bea is writing a reply…"
    await visitors(bea, conversation, "note")
    assert await visitors(ana, conversation) == "B Bea is writing a note…"
    desk.clock.advance(timedelta(seconds=11))
    assert await visitors(ana, conversation) == "B Bea is looking at this"
    desk.clock.advance(timedelta(seconds=40))
    assert await visitors(ana, conversation) == ""
    await visitors(bea, conversation)
    await bea.send(f"/console/conversations/{conversation}/leave")
    assert await visitors(ana, conversation) == ""
    auditor = await desk.agent("nora@example.org", "Nora", Role.AUDITOR)
    await desk.access.passwords.set(auditor.id, PASSWORD)
    nora = await Browser.signed_in(desk, auditor.email)
    for seen in (await nora.see(TICKET), await nora.see(f"{TICKET}/live")):
        assert 'id="messages"' in seen
        for part in ("visitors", "composer", "addressing", "places"):
            assert f'id="{part}"' not in seen
    refused = await bea.send(f"/console/conversations/{conversation}/visit", typing="song")
    assert refused.status_code == 422
    nowhere = "0197a1d2-0000-7000-8000-000000000000"
    assert (await bea.send(f"/console/conversations/{nowhere}/visit")).status_code == 404
