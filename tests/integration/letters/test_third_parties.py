"""Letters to third parties are held beside a ticket."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from core.domain.content import Envelope
from core.domain.conversation import Responder
from core.domain.errors import Rejected
from core.domain.events import Author, DeliveryReported
from core.domain.ids import Address, ConversationId, EventKey, RemoteId, ThreadKey, new_id
from core.services.notifications.telling import NoticesOfTickets
from core.services.reactions import Reactions
from core.storage.tables import (
    Contact,
    Conversation,
    Message,
    Notification,
    Ticket,
)
from tests.integration.console.browser import Browser, signed_in
from tests.integration.console.world import Desk
from tests.integration.letters.world import (
    ADA,
    DESK,
    SUPPLIER,
    THREAD,
    letter,
    message_saying,
)


async def begun(desk: Desk, ticket: str, browser: Browser) -> str:
    """Let an agent pass Ada's letter on to a supplier; return the path of what is said there."""
    message = await message_saying(desk, "It does not connect")
    await browser.see(f"{ticket}/sides/new?message={message.id}")
    answer = await browser.send(
        f"{ticket}/sides",
        text="Do you know this?",
        to=SUPPLIER,
        subject="Fwd: VPN",
        message=str(message.id),
    )
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def side_of(desk: Desk) -> Conversation:
    async with desk.sessions() as session:
        return (
            await session.scalars(select(Conversation).where(Conversation.side_of.is_not(None)))
        ).one()


async def noticed(desk: Desk) -> list[tuple[str, str]]:
    """Let notices be left of the one ticket's changes; return those about letters beside it."""
    async with desk.sessions() as session:
        ticket = (await session.scalars(select(Ticket))).one()
    reactions = Reactions(desk.sessions, desk.accounts, [NoticesOfTickets()], desk.clock)
    await reactions.advance(ConversationId(ticket.conversation_id))
    async with desk.sessions() as session:
        rows = await session.execute(
            select(Notification.notice, Notification.detail).where(
                Notification.agent_id == ticket.assignee_id, Notification.detail == "side_lost"
            )
        )
        return [(notice, detail) for notice, detail in rows]


async def test_a_letter_is_passed_on_to_somebody_else(desk: Desk, ticket: str) -> None:
    browser = await signed_in(desk)
    path = await begun(desk, ticket, browser)
    side = await side_of(desk)
    await desk.deliver(side.id)
    (sent,) = [one for one in desk.loopback.platform.received if one.conversation == side.id]
    assert sent.envelope == Envelope(to=(Address(SUPPLIER),), subject="Fwd: VPN")
    assert sent.body.text.startswith("Do you know this?\n\nAda, ")
    assert sent.body.text.endswith("\n\n> It does not connect")
    assert sent.thread == side.thread != THREAD
    page = await browser.see(path)
    assert "Do you know this?" in page
    assert f'href="{ticket}?side={side.id}" aria-current="page"' in page
    main = await browser.see(ticket)
    assert "Do you know this?" not in main
    assert f"Ana wrote to {SUPPLIER} beside it" in main


async def test_the_answer_of_a_third_party_stays_beside_and_wakes_the_ticket(
    desk: Desk, ticket: str
) -> None:
    browser = await signed_in(desk)
    path = await begun(desk, ticket, browser)
    await browser.send(f"{ticket}/status", status="on_hold")
    side = await side_of(desk)
    supplier = Author(address=Address(SUPPLIER), name="Care")
    await desk.intake.accept(
        letter(
            desk,
            "Update to 6",
            name="theirs",
            thread=ThreadKey(side.thread),
            author=supplier,
            envelope=Envelope(subject="Re: Fwd: VPN"),
        )
    )
    assert "Update to 6" in await browser.see(path)
    assert "Update to 6" not in await browser.see(ticket)
    async with desk.sessions() as session:
        tickets = (await session.scalars(select(Ticket))).all()
        answer = (await session.scalars(select(Message).where(Message.text == "Update to 6"))).one()
    assert [one.status for one in tickets] == ["open"]
    assert answer.caution is None
    assert (await side_of(desk)).responder == Responder.HUMAN
    assert await desk.turns.plan(side.id) is None  # type: ignore[arg-type]


async def test_a_letter_that_a_third_party_never_gets_wakes_the_ticket_and_its_agent(
    desk: Desk, ticket: str
) -> None:
    browser = await signed_in(desk)
    await begun(desk, ticket, browser)
    await browser.send(f"{ticket}/status", status="on_hold")
    side = await side_of(desk)
    desk.loopback.platform.faults.append(Rejected("no such mailbox"))
    await desk.deliver(side.id)
    async with desk.sessions() as session:
        row = (await session.scalars(select(Ticket))).one()
    assert row.status == "open"
    page = await browser.see(ticket)
    assert f"A letter to {SUPPLIER} beside it was not delivered" in page
    assert await noticed(desk) == [("changed", "side_lost")]


async def test_a_letter_to_a_third_party_that_comes_back_wakes_the_ticket(
    desk: Desk, ticket: str
) -> None:
    browser = await signed_in(desk)
    await begun(desk, ticket, browser)
    side = await side_of(desk)
    await desk.deliver(side.id)
    await browser.send(f"{ticket}/status", status="on_hold")
    (sent,) = [one for one in desk.loopback.platform.received if one.conversation == side.id]
    await desk.intake.accept(
        DeliveryReported(
            account=desk.loopback.account,
            key=EventKey("report"),
            thread=ThreadKey(side.thread),
            author=Author(address=Address(SUPPLIER), name=""),
            at=datetime.now(UTC),
            delivered=False,
            detail="no such mailbox",
            remote_id=RemoteId(f"out-{sent.message}-0"),
            recipient=Address(SUPPLIER),
            is_permanent=True,
        )
    )
    async with desk.sessions() as session:
        row = (await session.scalars(select(Ticket))).one()
    assert row.status == "open"
    assert await noticed(desk) == [("changed", "side_lost")]


async def test_an_agent_writes_on_beside(desk: Desk, ticket: str) -> None:
    browser = await signed_in(desk)
    path = await begun(desk, ticket, browser)
    await browser.see(path)
    side = await side_of(desk)
    answer = await browser.send(
        f"{ticket}/say?side={side.id}", text="Any news?", to=SUPPLIER, htmx=True
    )
    assert answer.status_code == 200, answer.text
    assert "Any news?" in answer.text
    assert (await message_saying(desk, "Any news?")).conversation_id == side.id
    other = await browser.send(
        f"{ticket}/say?side={new_id()}", text="Nobody?", to=SUPPLIER, htmx=False
    )
    assert other.status_code == 404


async def test_what_is_held_beside_a_merged_ticket_goes_on_in_the_other(
    desk: Desk, ticket: str
) -> None:
    browser = await signed_in(desk)
    await begun(desk, ticket, browser)
    side = await side_of(desk)
    await desk.queued("The VPN is down", thread="t1", who="eve")
    kept = "/console/tickets/1002"
    await browser.send(f"{ticket}/merge", htmx=True, number="1002", into="other")
    await browser.send(f"{kept}/status", status="on_hold")
    await desk.intake.accept(
        letter(
            desk,
            "Update to 6",
            name="theirs",
            thread=ThreadKey(side.thread),
            author=Author(address=Address(SUPPLIER), name="Care"),
            envelope=Envelope(subject="Re: Fwd: VPN"),
        )
    )
    async with desk.sessions() as session:
        found = await session.execute(select(Ticket.number, Ticket.status).order_by(Ticket.number))
        assert [tuple(row) for row in found] == [(1001, "closed"), (1002, "open")]
    assert f'href="{kept}?side={side.id}"' in await browser.see(kept)
    assert "Update to 6" in await browser.see(f"{kept}?side={side.id}")
    said = await browser.send(
        f"{kept}/say?side={side.id}", text="Done, thanks", to=SUPPLIER, htmx=True
    )
    assert said.status_code == 200, said.text
    assert (await message_saying(desk, "Done, thanks")).conversation_id == side.id
    refused = await browser.send(
        f"{kept}/say?side={side.id}", text="To Ada?", to=ADA.address, htmx=False
    )
    assert refused.status_code == 422
    await browser.send(f"{ticket}/part", htmx=True)
    assert f"?side={side.id}" not in await browser.see(kept)
    gone = await browser.send(f"{kept}/say?side={side.id}", text="?", to=SUPPLIER, htmx=False)
    assert gone.status_code == 404


@pytest.mark.parametrize(
    ("to", "said"),
    [
        (ADA.address, "This is the requester: answer them instead"),
        ("care", "No letter can go to “care”: it is not an address."),
        (DESK, "A letter needs somebody to go to"),
    ],
)
async def test_a_letter_beside_needs_a_third_party(
    desk: Desk, ticket: str, to: str, said: str
) -> None:
    browser = await signed_in(desk)
    await browser.see(f"{ticket}/sides/new")
    answer = await browser.send(f"{ticket}/sides", text="What I typed", to=to, subject="x")
    assert answer.status_code == 422
    assert said in answer.text
    assert "What I typed" in answer.text
    async with desk.sessions() as session:
        assert (await session.scalars(select(Conversation))).all() != []
        found = select(Conversation.id).where(Conversation.side_of.is_not(None))
        assert await session.scalar(found) is None
        assert await session.scalar(select(Contact.id).where(Contact.name == to)) is None


async def test_notes_are_not_passed_on(desk: Desk, ticket: str) -> None:
    browser = await signed_in(desk)
    await browser.see(ticket)
    await browser.send(f"{ticket}/say", mode="note", text="Between us")
    note = await message_saying(desk, "Between us")
    assert str(note.id) not in await browser.see(f"{ticket}/sides/new")
    answer = await browser.send(
        f"{ticket}/sides", text="x", to=SUPPLIER, subject="x", message=str(note.id)
    )
    assert answer.status_code == 404
