"""Spam is closed without a word, out of queue and figures, kept in a list, and brought back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import delete, func, select, update

from core.domain.actor import Agent, Role
from core.domain.assistant import Handoff, HandoffReason
from core.domain.conversation import Responder
from core.domain.errors import Conflict, NotFound
from core.domain.ids import TicketId, new_id
from core.domain.ticket import ClosedAs, TicketStatus
from core.services.links.merging import TicketMerging
from core.services.tickets import spam as spam_service
from core.services.tickets.spam import SpamFolder
from core.storage.queries.requester_records.requesters import list_requesters
from core.storage.queries.tickets.filter import TicketFilter
from core.storage.queries.tickets.spam import SpamView, list_spam
from core.storage.queries.tickets.tickets import list_tickets
from core.storage.tables import AuditEntry, Contact, ContactAddress, Conversation, Ticket
from tests.integration.console.api import Api
from tests.integration.console.browser import signed_in
from tests.integration.console.world import Desk
from tests.support.desk import WEB, Rig, posted


async def _ticket(rig: Rig, thread: str, who: str = "somebody") -> TicketId:
    await rig.intake.accept(posted(f"buy {thread}", thread=thread, who=who))
    await rig.reply(
        await rig.conversation_id(thread), Handoff(reason=HandoffReason.PROBLEM_REPORTED)
    )
    return await rig.ticket_id(thread)


def _spam(rig: Rig) -> SpamFolder:
    return SpamFolder(rig.sessions, rig.accounts, rig.clock)


async def _listed(rig: Rig) -> list[SpamView]:
    async with rig.sessions() as session:
        return list(await list_spam(session, None))


async def _blocked(rig: Rig) -> tuple[Agent, SpamFolder, TicketId]:
    ana, spam = await rig.agent(), _spam(rig)
    ticket = await _ticket(rig, "t1", "mallory")
    await rig.tickets.take(ticket, ana)
    await spam.mark(ticket, ana, blocks=True)
    return ana, spam, ticket


async def test_spam_is_closed_without_a_word_and_out_of_every_list(rig: Rig) -> None:
    ana, spam = await rig.agent(), _spam(rig)
    ticket = await _ticket(rig, "t1")
    before = await rig.texts()
    await spam.mark(ticket, ana, blocks=False)
    assert await rig.texts() == before
    row = await rig.ticket()
    assert (row.status, row.closed_as) == (TicketStatus.CLOSED, ClosedAs.SPAM)
    async with rig.sessions() as session:
        assert await list_tickets(session, TicketFilter()) == []
        (listed,) = await list_tickets(session, TicketFilter(is_spam=True))
        assert await list_requesters(session) == []
    assert listed.id == ticket
    assert [(one.ticket, one.is_blocked) for one in await _listed(rig)] == [(row.number, False)]
    with pytest.raises(Conflict, match="already"):
        await spam.mark(ticket, ana, blocks=False)


async def test_what_a_blocked_sender_writes_is_kept_and_nobody_is_told(rig: Rig) -> None:
    _, _, ticket = await _blocked(rig)
    await rig.intake.accept(posted("again", who="mallory"))
    await rig.intake.accept(posted("elsewhere", thread="t2", who="mallory"))
    for thread in ("t1", "t2"):
        conversation = await rig.conversation(thread)
        assert (conversation.is_spam, conversation.responder) == (True, Responder.CLOSED)
        assert await rig.turns.plan(await rig.conversation_id(thread)) is None
    assert [(one.ticket is None, one.last_words) for one in await _listed(rig)] == [
        (True, "elsewhere"),
        (False, "again"),
    ]
    async with rig.sessions() as session:
        assert await session.scalar(select(func.count()).select_from(Ticket)) == 1
        assert (await session.get_one(Ticket, ticket)).status == TicketStatus.CLOSED
    await rig.intake.accept(posted("somebody else", thread="t3", who="ada"))
    assert not (await rig.conversation("t3")).is_spam


async def test_a_blocked_sender_whose_contact_is_being_merged_is_blocked(rig: Rig) -> None:
    await _blocked(rig)
    async with rig.sessions.begin() as session:
        # As intake finds it that read the contact of the address before a merge ended.
        session.add(Contact(id=(kept := new_id()), name="Mallory"))
        await session.flush()
        await session.execute(update(Conversation).values(contact_id=kept))
    await rig.intake.accept(posted("again", who="mallory"))
    conversation = await rig.conversation()
    assert (conversation.is_spam, conversation.responder) == (True, Responder.CLOSED)


async def test_not_spam_brings_everything_back(rig: Rig) -> None:
    ana, spam, ticket = await _blocked(rig)
    await rig.tickets.assign(await _ticket(rig, "other", "ada"), None, ana)
    await rig.intake.accept(posted("I am no robot", who="mallory"))
    await rig.intake.accept(posted("elsewhere", thread="t2", who="mallory"))
    await spam.clear(ticket, ana)
    row = await rig.ticket()
    assert (row.status, row.closed_as, row.closed_at) == (TicketStatus.OPEN, None, None)
    assert (await rig.conversation()).responder == Responder.HUMAN
    new = await rig.ticket("t2")
    assert (new.status, new.reason) == (TicketStatus.NEW, HandoffReason.NOT_SPAM)
    assert (await rig.conversation("t2")).responder == Responder.QUEUED
    assert await _listed(rig) == []
    await rig.intake.accept(posted("heard again", thread="t4", who="mallory"))
    assert (await rig.conversation("t4")).responder == Responder.BOT
    with pytest.raises(Conflict):
        await spam.clear(ticket, ana)
    async with rig.sessions() as session:
        actions = await session.scalars(
            select(AuditEntry.action)
            .where(AuditEntry.action.like("ticket.%"))
            .order_by(AuditEntry.id)
        )
        assert actions.all() == ["ticket.marked_spam", "ticket.not_spam", "ticket.not_spam"]


async def test_a_conversation_alone_is_brought_back_with_its_sender(rig: Rig) -> None:
    ana, spam, _ = await _blocked(rig)
    await rig.intake.accept(posted("elsewhere", thread="t2", who="mallory"))
    ticket = await spam.release(await rig.conversation_id("t2"), ana)
    assert (await rig.ticket("t2")).id == ticket
    with pytest.raises(NotFound):
        await spam.release(await rig.conversation_id("t2"), ana)
    assert [one.is_blocked for one in await _listed(rig)] == [False]


async def test_who_is_blocked_is_so_in_accounts_they_never_wrote_to(rig: Rig) -> None:
    ana, spam, ticket = await _blocked(rig)
    await rig.intake.accept(posted("over here", thread="w1", who="Mallory", account=WEB))
    assert (await rig.conversation("w1")).is_spam
    assert [one.is_blocked for one in await _listed(rig)] == [True, True]
    await spam.clear(ticket, ana)
    assert not (await rig.conversation("w1")).is_spam
    assert await _listed(rig) == []
    await rig.intake.accept(posted("heard again", thread="w2", who="Mallory", account=WEB))
    assert not (await rig.conversation("w2")).is_spam


async def test_a_conversation_that_names_no_address_blocks_its_requester_there(rig: Rig) -> None:
    ana, spam = await rig.agent(), _spam(rig)
    ticket = await _ticket(rig, "t1", "mallory")
    async with rig.sessions.begin() as session:
        await session.execute(update(Conversation).values(address=None))
    await spam.mark(ticket, ana, blocks=True)
    await rig.intake.accept(posted("again", thread="t2", who="mallory"))
    assert (await rig.conversation("t2")).is_spam


async def test_where_there_is_nobody_to_block_it_is_said_and_not_written_down(rig: Rig) -> None:
    ana, spam = await rig.agent(), _spam(rig)
    ticket = await _ticket(rig, "t1", "mallory")
    async with rig.sessions.begin() as session:
        await session.execute(update(Conversation).values(address=None))
        await session.execute(delete(ContactAddress))
    with pytest.raises(Conflict, match="without blocking"):
        await spam.mark(ticket, ana, blocks=True)
    assert not (await rig.conversation()).is_spam
    await spam.mark(ticket, ana, blocks=False)
    async with rig.sessions() as session:
        (entry,) = await session.scalars(
            select(AuditEntry).where(AuditEntry.action == "ticket.marked_spam")
        )
    assert not entry.new


async def test_all_that_a_sender_began_is_brought_back_however_much_it_is(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spam_service, "_MOST_AT_ONCE", 2)
    ana, spam, ticket = await _blocked(rig)
    for number in range(5):
        await rig.intake.accept(posted("elsewhere", thread=f"e{number}", who="mallory"))
    await spam.clear(ticket, ana)
    assert await _listed(rig) == []


async def test_who_is_not_blocked_is_heard_in_the_same_conversation(rig: Rig) -> None:
    ana, spam = await rig.agent(), _spam(rig)
    ticket = await _ticket(rig, "t1")
    await spam.mark(ticket, ana, blocks=False)
    await rig.hear("please")
    conversation = await rig.conversation()
    assert (conversation.is_spam, conversation.responder) == (False, Responder.BOT)
    await rig.reply(await rig.conversation_id(), Handoff(reason=HandoffReason.PROBLEM_REPORTED))
    assert (await rig.ticket()).follows_id == ticket
    await spam.clear(ticket, ana)
    async with rig.sessions() as session:
        row = await session.get_one(Ticket, ticket)
        assert (row.status, row.closed_as) == (TicketStatus.CLOSED, None)


async def test_what_somebody_works_on_goes_on_whoever_is_blocked(rig: Rig) -> None:
    other = await _ticket(rig, "other", "mallory")
    await _blocked(rig)
    await rig.tickets.set_status(other, TicketStatus.PENDING, await rig.agent("Bea"))
    await rig.intake.accept(posted("about the other matter", thread="other", who="mallory"))
    assert (await rig.ticket("other")).status == TicketStatus.OPEN


async def test_a_merge_that_has_ended_does_not_let_a_blocked_sender_through(rig: Rig) -> None:
    ana, spam = await rig.agent(), _spam(rig)
    kept, gone = await _ticket(rig, "kept"), await _ticket(rig, "gone", "mallory")
    await TicketMerging(rig.sessions, rig.accounts, rig.clock).merge(kept, gone, ana)
    await spam.mark(await _ticket(rig, "else", "mallory"), ana, blocks=True)
    await rig.tickets.set_status(kept, TicketStatus.SOLVED, ana)
    await rig.tickets.set_status(kept, TicketStatus.CLOSED, ana)
    await rig.intake.accept(posted("buy again", thread="gone", who="mallory"))
    there = await rig.conversation("gone")
    assert there.is_spam
    assert (there.responder, there.merged_into) == (Responder.CLOSED, None)
    assert (await rig.ticket("kept")).status == TicketStatus.CLOSED


async def test_what_a_platform_marks_begins_spam_in_an_unknown_thread_alone(rig: Rig) -> None:
    marked = replace(posted("win", thread="t9", account=WEB), is_automatic=True, is_spam=True)
    (kept,) = await rig.intake.accept(marked)
    assert kept.refusal is None
    assert (await rig.conversation("t9")).is_spam
    await _ticket(rig, "t1")
    await rig.intake.accept(replace(posted("a false alarm"), is_automatic=True, is_spam=True))
    assert not (await rig.conversation("t1")).is_spam
    assert (await rig.ticket()).status == TicketStatus.NEW


async def test_merged_tickets_are_parted_before_they_are_spam(rig: Rig) -> None:
    ana, spam = await rig.agent(), _spam(rig)
    a, b = await _ticket(rig, "a"), await _ticket(rig, "b")
    await TicketMerging(rig.sessions, rig.accounts, rig.clock).merge(a, b, ana)
    for ticket in (a, b):
        with pytest.raises(Conflict):
            await spam.mark(ticket, ana, blocks=True)


async def test_spam_is_marked_and_brought_back_on_pages_and_over_the_api(
    desk: Desk, api: Api
) -> None:
    await desk.queued("Cheap watches", who="mallory")
    ana = await signed_in(desk, "Ana", Role.AGENT)
    assert "Nothing was taken for spam." in await ana.see("/console/spam")
    done = await ana.send("/console/tickets/1001/spam", htmx=True, spam="yes", block="yes")
    for words in ("This was marked as spam.", "Ana marked it as spam"):
        assert words in done.text
    await desk.says("Cheaper watches", thread="t2", who="mallory")
    shown = await ana.see("/console/spam")
    assert ("Cheap watches" in shown, "Cheaper watches" in shown) == (True, True)
    assert "<strong>Visitor</strong>" not in shown
    async with desk.sessions.begin() as session:
        await session.execute(update(Contact).values(name=None))
    shown = await ana.see("/console/spam")
    # No id of a platform stands in a name's place.
    assert shown.count("<strong>Visitor</strong>") == 2
    assert "<strong>mallory</strong>" not in shown
    client = await api(Role.AGENT, "bea@example.org")
    rows = (await client.get("/api/v1/spam")).json()
    assert [(one["ticket"], one["blocked"]) for one in rows["items"]] == [
        (None, True),
        (1001, True),
    ]
    first = (await client.get("/api/v1/spam?limit=1")).json()
    rest = (await client.get("/api/v1/spam", params={"cursor": first["next"]})).json()
    assert [one["ticket"] for one in rest["items"]] == [1001]
    loose = rows["items"][0]["conversation"]
    opened = await client.delete(f"/api/v1/conversations/{loose}/spam")
    assert (opened.status_code, opened.json()["reason"]) == (200, "not_spam")
    cleared = await client.delete("/api/v1/tickets/1001/spam")
    assert (cleared.status_code, cleared.json()["closed_as"]) == (200, None)
    again = await client.post("/api/v1/tickets/1001/spam", json={})
    assert again.json()["closed_as"] == "spam"
    back = await ana.send("/console/tickets/1001/spam", htmx=True, spam="no")
    assert "Ana brought it back from the spam" in back.text
    await desk.says("More", thread="t2", who="mallory")
    assert (await client.get("/api/v1/spam?cursor=x")).status_code == 422


async def test_a_solved_ticket_that_was_no_spam_opens_again(rig: Rig) -> None:
    ana, spam = await rig.agent(), _spam(rig)
    ticket = await _ticket(rig, "t1")
    await rig.tickets.set_status(ticket, TicketStatus.SOLVED, ana)
    rig.clock.advance(hours=1)
    await spam.mark(ticket, ana, blocks=False)
    await spam.clear(ticket, ana)
    assert (await rig.ticket()).status == TicketStatus.SOLVED
    await rig.intake.accept(posted("it is not solved"))
    assert (await rig.ticket()).status == TicketStatus.OPEN
