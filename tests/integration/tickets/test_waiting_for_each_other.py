"""Contacts are merged while something is made of their conversations: neither stops the other."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from sqlalchemy import select, text

from core.domain.actor import Agent
from core.domain.assistant import Handoff, HandoffReason
from core.domain.content import Envelope
from core.domain.errors import Moved
from core.domain.events import MessagePosted
from core.domain.ids import Address, ContactId, ConversationId, MessageId, ThreadKey, TicketId
from core.services.conversations.letters import Letters
from core.services.conversations.splitting import Splitting
from core.services.people.contacts import kept_contact_at
from core.services.requester_records.merging import ContactMerging
from core.storage.tables import Contact, ContactAddress, Conversation, Message, Ticket
from tests.support.desk import LOOP, Rig, posted, reply_to, somebody_waits

ADDRESSED = Envelope(to=(Address("desk@example.org"),))
_LOCK = text("SELECT FROM conversation WHERE id = :name FOR UPDATE")

Act = Callable[[], Awaitable[object]]


async def _contact(rig: Rig, who: str) -> ContactId:
    async with rig.sessions() as session:
        found = await session.scalars(
            select(ContactAddress.contact_id).where(ContactAddress.address == who)
        )
        return ContactId(found.one())


async def _taking_over(rig: Rig, home: ConversationId, ana: Agent) -> Act:
    return lambda: rig.tickets.take_over(home, ana)


async def _handing_off(rig: Rig, home: ConversationId, ana: Agent) -> Act:
    plan = await rig.turns.plan(home)
    assert plan is not None
    reply = reply_to(plan, Handoff(reason=HandoffReason.ASKED_FOR_HUMAN))
    return lambda: rig.turns.settle(plan, reply)


async def _parting(rig: Rig, home: ConversationId, ana: Agent) -> Act:
    ticket = await rig.tickets.take_over(home, ana)
    printer = await _said(rig, "and the printer")
    return lambda: _splitting(rig).split(ticket, [printer], ana)


@pytest.mark.parametrize("beginning", [_taking_over, _handing_off, _parting])
async def test_a_ticket_that_begins_while_its_requester_is_merged_is_that_of_who_is_kept(
    rig: Rig, beginning: Callable[[Rig, ConversationId, Agent], Awaitable[Act]]
) -> None:
    await rig.intake.accept(posted("hello", thread="t2", who="ada"))
    home = await rig.hear("no VPN")
    await rig.hear("and the printer")
    kept, merged = await _contact(rig, "ada"), await _contact(rig, "somebody")
    ana = await rig.agent()
    act = await beginning(rig, home, ana)
    merging = ContactMerging(rig.sessions, rig.accounts, rig.clock)
    async with rig.sessions.begin() as other:
        await other.execute(_LOCK, {"name": home})
        acting = asyncio.ensure_future(act())
        await somebody_waits(rig.sessions)
        joining = asyncio.create_task(merging.merge(kept, merged, ana))
        await somebody_waits(rig.sessions, together=2)
    await asyncio.gather(acting, joining)
    async with rig.sessions() as session:
        for owned in (Conversation.contact_id, Ticket.contact_id):
            assert set(await session.scalars(select(owned))) == {kept}


async def _finding(rig: Rig, who: str) -> ContactId:
    async with rig.sessions.begin() as session:
        return await kept_contact_at(session, LOOP, Address(who))


async def test_what_waits_for_a_merge_is_made_for_who_is_kept(rig: Rig) -> None:
    await rig.intake.accept(posted("hello", thread="t2", who="ada"))
    await rig.hear("no VPN")
    kept, merged = await _contact(rig, "ada"), await _contact(rig, "somebody")
    ana = await rig.agent()
    async with rig.sessions.begin() as other:
        merging = ContactMerging(rig.sessions, rig.accounts, rig.clock)
        await merging.merge_in(other, kept, merged, ana.actor)
        finding = asyncio.create_task(_finding(rig, "somebody"))
        await somebody_waits(rig.sessions)
    assert await finding == kept


async def test_what_waits_for_a_person_to_be_joined_is_made_for_who_is_left(rig: Rig) -> None:
    known = posted("hello", thread="t2", who="ada")
    vouched = replace(known.author, email="ada@example.org")
    await rig.intake.accept(replace(known, author=vouched))
    home = await rig.hear("no VPN")
    again = posted("it is me", thread="t1")
    theirs = replace(again, author=replace(again.author, email="ada@example.org"))
    async with rig.sessions.begin() as other:
        await other.execute(_LOCK, {"name": home})
        joining = asyncio.ensure_future(rig.intake.accept(theirs))
        await somebody_waits(rig.sessions)
        finding = asyncio.create_task(_finding(rig, "somebody"))
        await somebody_waits(rig.sessions, together=2)
    await joining
    assert await finding == await _contact(rig, "ada")


def _arriving(thread: str, who: str, email: str | None = None) -> MessagePosted:
    said = posted("no VPN", thread=thread, who=who)
    return replace(said, author=replace(said.author, email=email))


BEGINNINGS = {
    "a known address": _arriving("t3", "somebody"),
    "a new address of a known person": _arriving("t3", "new", "somebody@example.org"),
}


@pytest.mark.parametrize("first", BEGINNINGS.values(), ids=BEGINNINGS)
async def test_who_arrives_while_their_contact_is_merged_is_who_is_kept(
    rig: Rig, first: MessagePosted
) -> None:
    kept, merged = await _two_people(rig)
    ana = await rig.agent()
    async with rig.sessions.begin() as other:
        merging = ContactMerging(rig.sessions, rig.accounts, rig.clock)
        await merging.merge_in(other, kept, merged, ana.actor)
        arriving = asyncio.create_task(rig.intake.accept(first))
        await somebody_waits(rig.sessions)
    (taken,) = await arriving
    assert taken.message is not None
    assert await _all_are_of(rig, kept)


@pytest.mark.parametrize("first", BEGINNINGS.values(), ids=BEGINNINGS)
async def test_who_is_merged_after_they_were_found_and_before_they_are_written_is_who_is_kept(
    rig: Rig, first: MessagePosted
) -> None:
    kept, merged = await _two_people(rig)
    ana = await rig.agent()
    merging = ContactMerging(rig.sessions, rig.accounts, rig.clock)
    elsewhere = await _of_bob(rig)
    async with rig.sessions.begin() as other:
        await other.execute(_LOCK, {"name": elsewhere})
        together = (posted("more", thread="t9", who="bob"), first)
        arriving = asyncio.create_task(rig.intake.accept(*together))
        await somebody_waits(rig.sessions)
        await merging.merge(kept, merged, ana)
    assert [one.refusal for one in await arriving] == [None, None]
    assert await _all_are_of(rig, kept)


async def test_who_is_merged_while_they_write_is_no_stranger_in_their_own_thread(rig: Rig) -> None:
    elsewhere = await _of_bob(rig)
    kept, merged = await _two_people(rig)
    ana = await rig.agent()
    merging = ContactMerging(rig.sessions, rig.accounts, rig.clock)
    letter = replace(posted("still no VPN"), envelope=ADDRESSED)
    async with rig.sessions.begin() as other:
        await other.execute(_LOCK, {"name": elsewhere})
        together = (posted("more", thread="t9", who="bob"), letter)
        arriving = asyncio.create_task(rig.intake.accept(*together))
        await somebody_waits(rig.sessions)
        await merging.merge(kept, merged, ana)
    await arriving
    assert [message.caution for message in await rig.messages()] == [None, None]
    assert (await rig.conversation()).contact_id == kept


async def test_a_new_address_in_a_known_thread_is_that_of_who_is_kept(rig: Rig) -> None:
    kept, merged = await _two_people(rig)
    elsewhere = await _of_bob(rig)
    ana = await rig.agent()
    merging = ContactMerging(rig.sessions, rig.accounts, rig.clock)
    async with rig.sessions.begin() as other:
        await other.execute(_LOCK, {"name": elsewhere})
        first = _arriving("t9", "new", "somebody@example.org")
        arriving = asyncio.create_task(rig.intake.accept(first))
        await somebody_waits(rig.sessions)
        await merging.merge(kept, merged, ana)
    await arriving
    assert await _all_are_of(rig, kept)


async def test_what_begins_while_a_name_is_changed_waits_for_it(rig: Rig) -> None:
    await rig.intake.accept(_arriving("t1", "somebody", "somebody@example.org"))
    somebody = await _contact(rig, "somebody")
    async with rig.sessions.begin() as other:
        (await other.get_one(Contact, somebody)).name = "Somebody Else"
        await other.flush()
        arriving = asyncio.create_task(rig.intake.accept(_arriving("t3", "somebody")))
        await somebody_waits(rig.sessions)
    (taken,) = await arriving
    assert taken.refusal is None
    assert (await rig.conversation("t3")).contact_id == somebody


async def _two_people(rig: Rig) -> tuple[ContactId, ContactId]:
    """Have two people write who turn out to be one; return who is kept and who is merged."""
    await rig.intake.accept(posted("hello", thread="t2", who="ada"))
    await rig.intake.accept(_arriving("t1", "somebody", "somebody@example.org"))
    return await _contact(rig, "ada"), await _contact(rig, "somebody")


async def _of_bob(rig: Rig) -> ConversationId:
    await rig.intake.accept(posted("hello", thread="t9", who="bob"))
    return await rig.conversation_id("t9")


async def _all_are_of(rig: Rig, kept: ContactId) -> bool:
    """Say whether all but Bob's is `kept`'s, and nobody was made besides."""
    async with rig.sessions() as session:
        others = select(ContactAddress.contact_id).where(ContactAddress.address == "bob")
        for owned in (Conversation.contact_id, ContactAddress.contact_id):
            if set(await session.scalars(select(owned).where(owned.not_in(others)))) != {kept}:
                return False
        people = await session.scalars(select(Contact.id).where(Contact.id.not_in(others)))
        return len(people.all()) == 2  # the merged one stays, so that they can be parted


async def test_conversations_that_move_with_their_thread_are_locked_in_their_order(
    rig: Rig,
) -> None:
    home = await rig.hear("no VPN")
    ana = await rig.agent()
    vpn = await rig.tickets.take_over(home, ana)
    printer, screen = [await _split_off(rig, vpn, words, ana) for words in ("printer", "screen")]
    await rig.tickets.reply(screen, ana, "mended")
    places = [await _home(rig, ticket) for ticket in (printer, screen)]
    plan = await rig.outbox.plan(places[1])
    assert plan is not None
    async with rig.sessions.begin() as other:
        await other.execute(_LOCK, {"name": places[0]})
        settling = asyncio.create_task(rig.outbox.settle(plan, Moved(ThreadKey("t9"))))
        await somebody_waits(rig.sessions)
        await other.execute(text(f"{_LOCK} NOWAIT"), {"name": places[1]})
    await settling
    async with rig.sessions() as session:
        assert set(await session.scalars(select(Conversation.thread))) == {"t9"}


async def _split_off(rig: Rig, ticket: TicketId, words: str, agent: Agent) -> TicketId:
    await rig.hear(words)
    return await _splitting(rig).split(ticket, [await _said(rig, words)], agent, tells=False)


def _splitting(rig: Rig) -> Splitting:
    return Splitting(rig.sessions, rig.accounts, Letters({}), rig.clock)


async def _said(rig: Rig, words: str) -> MessageId:
    async with rig.sessions() as session:
        found = await session.scalars(select(Message.id).where(Message.text == words))
        return MessageId(found.one())


async def _home(rig: Rig, ticket: TicketId) -> ConversationId:
    async with rig.sessions() as session:
        return ConversationId((await session.get_one(Ticket, ticket)).conversation_id)
