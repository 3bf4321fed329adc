"""A letter that was passed on is its author's request, or whose passed it on."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from core.domain.events import Author
from core.domain.ids import Address
from core.storage.tables import (
    ContactAddress,
    Conversation,
    Message,
    Participant,
    Ticket,
    TicketEvent,
)
from tests.integration.console.browser import signed_in
from tests.integration.console.world import Desk
from tests.integration.letters.world import (
    ADA,
    BOB,
    letter,
    message_saying,
)

CARLA = Author(address=Address("carla@customer.example"), name="Carla")


@pytest.fixture
async def passed_on(desk: Desk, ticket: str) -> Message:
    """A letter of Carla's that Ada has passed on."""
    await desk.intake.accept(letter(desk, "Please look", name="fwd", forwarded_from=CARLA))
    return await message_saying(desk, "Please look")


async def people_of(desk: Desk, message: Message) -> tuple[str | None, set[str]]:
    """Return whose request a message's conversation is, and who else takes part."""
    async with desk.sessions() as session:
        conversation = await session.get_one(Conversation, message.conversation_id)
        others = await session.scalars(
            select(Participant.address).where(Participant.conversation_id == conversation.id)
        )
        return conversation.address, set(others)


async def test_the_author_of_what_was_passed_on_becomes_the_requester(
    desk: Desk, ticket: str, passed_on: Message
) -> None:
    browser = await signed_in(desk)
    page = await browser.see(ticket)
    assert "Written by <strong>Carla</strong>" in page
    path = f"{ticket}/messages/{passed_on.id}/requester"
    answer = await browser.send(path, whose="author", htmx=True)
    assert answer.status_code == 204, answer.text
    assert await people_of(desk, passed_on) == (CARLA.address, {ADA.address, BOB})
    page = await browser.see(ticket)
    assert f"Ana made {CARLA.address} the requester" in page
    assert f'name="to" value="{CARLA.address}"' in page
    assert re.search(r'class="person"><a [^>]+>Carla</a>', page)
    async with desk.sessions() as session:
        known = await session.get_one(ContactAddress, (desk.loopback.account, CARLA.address))
        (contact,) = await session.scalars(select(Ticket.contact_id))
    assert (known.verified_email, known.name, known.contact_id) == (None, "Carla", contact)


async def test_who_passed_it_on_is_the_requester_again(
    desk: Desk, ticket: str, passed_on: Message
) -> None:
    browser = await signed_in(desk)
    before = await browser.see(ticket)
    path = f"{ticket}/messages/{passed_on.id}/requester"
    await browser.send(path, whose="author", htmx=True)
    answer = await browser.send(path, whose="forwarder", htmx=True)
    assert answer.status_code == 204, answer.text
    assert await people_of(desk, passed_on) == (ADA.address, {CARLA.address, BOB})
    after = await browser.see(ticket)
    for page in (before, after):
        assert re.search(r'class="person"><a [^>]+>Ada</a>', page)


async def test_an_answer_of_the_author_is_no_strangers(
    desk: Desk, ticket: str, passed_on: Message
) -> None:
    browser = await signed_in(desk)
    await browser.see(ticket)
    await browser.send(f"{ticket}/messages/{passed_on.id}/requester", whose="author", htmx=True)
    for author, words in ((CARLA, "I see"), (ADA, "Thanks")):
        await desk.intake.accept(letter(desk, words, name=words, author=author))
        assert (await message_saying(desk, words)).caution is None


async def test_choosing_the_requester_twice_changes_nothing(
    desk: Desk, ticket: str, passed_on: Message
) -> None:
    browser = await signed_in(desk)
    await browser.see(ticket)
    path = f"{ticket}/messages/{passed_on.id}/requester"
    for _ in range(2):
        await browser.send(path, whose="author", htmx=True)
    async with desk.sessions() as session:
        changes = await session.scalars(
            select(TicketEvent.new).where(TicketEvent.field == "requester")
        )
    assert changes.all() == [CARLA.address]


@pytest.mark.parametrize(("whose", "status"), [("author", 409), ("nobody", 422)])
async def test_a_letter_of_ones_own_has_no_other_author(
    desk: Desk, ticket: str, whose: str, status: int
) -> None:
    message = await message_saying(desk, "It does not connect")
    browser = await signed_in(desk)
    assert "Written by" not in await browser.see(ticket)
    answer = await browser.send(f"{ticket}/messages/{message.id}/requester", whose=whose, htmx=True)
    assert answer.status_code == status


async def test_a_closed_ticket_keeps_its_requester(
    desk: Desk, ticket: str, passed_on: Message
) -> None:
    browser = await signed_in(desk)
    await browser.see(ticket)
    await browser.send(f"{ticket}/status", status="closed")
    answer = await browser.send(
        f"{ticket}/messages/{passed_on.id}/requester", whose="author", htmx=True
    )
    assert answer.status_code == 409
    assert "the status: Closed" in answer.text
    assert (await people_of(desk, passed_on))[0] == ADA.address
