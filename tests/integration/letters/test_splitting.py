"""What a letter says about another matter becomes a ticket of its own, and goes back again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from core.domain.ids import RemoteId
from core.storage.tables import (
    Message,
    TicketEvent,
)
from tests.integration.console.browser import Browser, signed_in
from tests.integration.console.world import Desk
from tests.integration.letters.world import (
    ADA,
    SUPPLIER,
    THREAD,
    letter,
    message_saying,
)


async def changed(desk: Desk, *later: str) -> str:
    """Let Ada write about something else, and `later`; return the path of her letter's split."""
    await desk.intake.accept(letter(desk, "A printer, too", name="other", subject="Re: Printer"))
    for words in later:
        await desk.intake.accept(letter(desk, words, name=words, subject="AW: Printer"))
    message = await message_saying(desk, "A printer, too")
    return f"messages/{message.id}/split"


async def test_a_changed_subject_shows_once(desk: Desk, ticket: str) -> None:
    await desk.intake.accept(letter(desk, "Still not", name="same", subject="RE: [x] vpn"))
    split = await changed(desk, "It is jammed")
    page = await (await signed_in(desk)).see(ticket)
    assert page.count("<strong>New subject</strong>") == 1
    assert f'action="{ticket}/{split}' in page


@pytest.mark.parametrize("with_later", [True, False])
async def test_a_split_letter_begins_a_ticket_of_its_own(
    desk: Desk, ticket: str, with_later: bool
) -> None:
    split = await changed(desk, "It is jammed")
    browser = await signed_in(desk)
    await browser.see(ticket)
    answer = await browser.send(f"{ticket}/{split}", later="yes" if with_later else "no", htmx=True)
    assert answer.status_code == 204, answer.text
    page = await browser.see(answer.headers["hx-redirect"])
    assert "Re: Printer" in page
    assert "A printer, too" in page
    assert ("It is jammed" in page.partition('id="messages"')[2]) == with_later
    old = await browser.see(ticket)
    messages = old.partition('id="messages"')[2].partition('id="composer"')[0]
    assert "A printer, too" not in messages
    assert ("It is jammed" in messages) != with_later
    assert "Ana split it; the other ticket is #" in old


async def test_an_answer_to_a_split_letter_finds_it(desk: Desk, ticket: str) -> None:
    split = await changed(desk)
    browser = await signed_in(desk)
    await browser.see(ticket)
    await browser.send(f"{ticket}/{split}", later="yes", htmx=True)
    account = desk.loopback.account
    threads = await desk.intake.threads_of(account, [RemoteId("other"), RemoteId("first")])
    thread = threads[RemoteId("other")]
    assert thread != THREAD
    assert threads[RemoteId("first")] == THREAD
    await desk.intake.accept(letter(desk, "And on paper?", name="n", thread=thread))
    answer, moved = (
        await message_saying(desk, "And on paper?"),
        await message_saying(desk, "A printer, too"),
    )
    assert answer.conversation_id == moved.conversation_id
    assert answer.caution is None


async def test_the_first_letter_is_not_split_off(desk: Desk, ticket: str) -> None:
    message = await message_saying(desk, "It does not connect")
    browser = await signed_in(desk)
    await browser.see(ticket)
    answer = await browser.send(f"{ticket}/messages/{message.id}/split", later="yes", htmx=True)
    assert answer.status_code == 409
    assert "cannot be split at its beginning" in answer.text


async def test_the_letter_that_began_the_second_ticket_of_its_thread_is_not_split_off(
    desk: Desk, ticket: str
) -> None:
    browser = await signed_in(desk)
    await browser.see(ticket)
    await browser.send(f"{ticket}/status", status="closed")
    desk.clock.advance(timedelta(hours=1))
    path = await changed(desk)
    message = await message_saying(desk, "A printer, too")
    answer = await browser.send(f"/console/conversations/{message.conversation_id}/take-over")
    second = answer.headers["location"].partition("?")[0]
    assert second != ticket
    page = await browser.see(second)
    assert "A printer, too" in page
    assert "New subject" not in page
    for later in ("yes", "no"):
        answer = await browser.send(f"{second}/{path}", later=later, htmx=True)
        assert answer.status_code == 409
        assert "cannot be split at its beginning" in answer.text
    assert "A printer, too" in await browser.see(second)


async def test_nothing_is_split_while_it_is_being_sent(desk: Desk, ticket: str) -> None:
    split = await changed(desk)
    browser = await signed_in(desk)
    await browser.see(ticket)
    await browser.send(f"{ticket}/say", text="Try again", to=ADA.address)
    answer = await browser.send(f"{ticket}/{split}", later="yes", htmx=True)
    assert answer.status_code == 409
    assert "Wait until what is being sent has left" in answer.text


async def split(desk: Desk, ticket: str, browser: Browser, *, later: bool = True) -> str:
    """Split Ada's second letter off; return the path of the ticket it gets."""
    path = await changed(desk, "It is jammed")
    await browser.see(ticket)
    answer = await browser.send(f"{ticket}/{path}", later="yes" if later else "no", htmx=True)
    return answer.headers["hx-redirect"]


@pytest.mark.parametrize("later", [True, False])
async def test_what_was_split_off_goes_back_to_its_place(
    desk: Desk, ticket: str, later: bool
) -> None:
    browser = await signed_in(desk)
    part = await split(desk, ticket, browser, later=later)
    assert f'action="{part}/rejoin' in await browser.see(part)
    answer = await browser.send(f"{part}/rejoin", htmx=True)
    assert answer.status_code == 204, answer.text
    assert answer.headers["hx-redirect"] == ticket
    page = await browser.see(ticket)
    messages = page.partition('id="messages"')[2].partition('id="composer"')[0]
    places = [messages.find(w) for w in ("It does not connect", "A printer, too", "It is jammed")]
    assert -1 < places[0] < places[1] < places[2]
    assert "Ana put back what was split; the other ticket is #" in page
    empty = await browser.see(part)
    assert "<article" not in empty
    assert "Closed" in empty
    assert "rejoin" not in empty
    async with desk.sessions() as session:
        messages_of = (await session.scalars(select(Message.conversation_id))).all()
    assert len(set(messages_of)) == 1


async def test_an_answer_to_what_went_back_finds_it_there(desk: Desk, ticket: str) -> None:
    browser = await signed_in(desk)
    part = await split(desk, ticket, browser)
    await browser.see(part)
    await browser.send(f"{part}/rejoin", htmx=True)
    threads = await desk.intake.threads_of(desk.loopback.account, [RemoteId("other")])
    assert threads == {"other": THREAD}
    await desk.intake.accept(letter(desk, "And now?", name="now"))
    page = await browser.see(ticket)
    assert "And now?" in page


async def test_a_split_that_was_undone_can_be_made_again(desk: Desk, ticket: str) -> None:
    browser = await signed_in(desk)
    part = await split(desk, ticket, browser)
    await browser.see(part)
    await browser.send(f"{part}/rejoin", htmx=True)
    message = await message_saying(desk, "A printer, too")
    await browser.see(ticket)
    answer = await browser.send(f"{ticket}/messages/{message.id}/split", later="yes", htmx=True)
    again = answer.headers["hx-redirect"]
    assert again != part
    await browser.see(again)
    answer = await browser.send(f"{again}/rejoin", htmx=True)
    assert answer.headers["hx-redirect"] == ticket


async def test_what_was_said_since_keeps_a_split(desk: Desk, ticket: str) -> None:
    browser = await signed_in(desk)
    part = await split(desk, ticket, browser)
    await browser.see(part)
    await browser.send(f"{part}/say", mode="note", text="Ask for the model")
    answer = await browser.send(f"{part}/rejoin", htmx=True)
    assert answer.status_code == 409
    assert "Something was said here since: it cannot go back" in answer.text
    assert "A printer, too" in await browser.see(part)


async def test_a_third_party_written_to_since_keeps_a_split(desk: Desk, ticket: str) -> None:
    browser = await signed_in(desk)
    part = await split(desk, ticket, browser)
    await browser.see(f"{part}/sides/new")
    await browser.send(f"{part}/sides", text="Do you know it?", to=SUPPLIER, subject="Fwd")
    answer = await browser.send(f"{part}/rejoin", htmx=True)
    assert answer.status_code == 409
    assert "Somebody was written to beside it since" in answer.text


async def test_a_split_is_undone_within_a_month(desk: Desk, ticket: str) -> None:
    browser = await signed_in(desk, language="es")
    part = await split(desk, ticket, browser)
    async with desk.sessions.begin() as session:
        await session.execute(
            update(TicketEvent)
            .where(TicketEvent.field == "split")
            .values(at=datetime.now(UTC) - timedelta(days=31))
        )
    await browser.see(part)
    answer = await browser.send(f"{part}/rejoin", htmx=True)
    assert answer.status_code == 409
    assert "Se separó hace más de 30 días" in answer.text


async def test_nothing_goes_back_into_a_closed_ticket(desk: Desk, ticket: str) -> None:
    browser = await signed_in(desk)
    part = await split(desk, ticket, browser)
    await browser.see(ticket)
    await browser.send(f"{ticket}/status", status="closed")
    await browser.see(part)
    answer = await browser.send(f"{part}/rejoin", htmx=True)
    assert answer.status_code == 409
    assert "The ticket it was split off from is closed" in answer.text


async def test_a_ticket_that_was_no_part_has_no_way_back(desk: Desk, ticket: str) -> None:
    browser = await signed_in(desk)
    assert "rejoin" not in await browser.see(ticket)
    answer = await browser.send(f"{ticket}/rejoin", htmx=True)
    assert answer.status_code == 409
    assert "This ticket was not split off another one" in answer.text
