"""Agents answer letters: to whom they choose, seeing what came back, and what it was made of."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select, update

from channels.email.addressing import bare_subject, checked
from channels.loopback import Loopback
from core.domain.content import Body, Envelope
from core.domain.conversation import Responder
from core.domain.events import Author, DeliveryReported, MessagePosted
from core.domain.ids import Address, EventKey, RemoteId, ThreadKey, new_id
from core.ports import capabilities_of
from core.storage.tables import (
    Contact,
    ContactAddress,
    Conversation,
    Message,
    Participant,
    RemoteMessage,
    Ticket,
    TicketEvent,
)
from tests.integration.console.browser import Browser
from tests.integration.console.test_pages import signed_in
from tests.integration.console.world import Desk

ADA = Author(address=Address("ada@people.example"), name="Ada")
BOB = Address("bob@people.example")
DESK = "help@desk.example"
THREAD = ThreadKey("letters")


class Post(Loopback):
    """A loopback platform that carries letters."""

    def checked(self, envelope: Envelope) -> Envelope:
        return checked(envelope, {DESK})

    def subject_of_reply(self, subject: str | None, language: str) -> str:
        return f"Re: {subject}"

    def is_same_subject(self, one: str, other: str) -> bool:
        return bare_subject(one) == bare_subject(other)

    def begin_thread(self, seed: UUID) -> ThreadKey:
        return ThreadKey(f"begun/{seed}")


def letter(
    desk: Desk, words: str, *, name: str, subject: str = "VPN", **more: object
) -> MessagePosted:
    """A letter of Ada's, to the desk and a copy to Bob."""
    fields: dict[str, object] = {
        "account": desk.loopback.account,
        "key": EventKey(name),
        "thread": THREAD,
        "author": ADA,
        "at": datetime.now(UTC),
        "body": Body(text=words),
        "remote_ids": (RemoteId(name),),
        "subject": subject,
        "envelope": Envelope(cc=(BOB,), subject=subject),
        "raw": f"Subject: {subject}\r\n\r\n{words} <b>&".encode(),
    }
    return MessagePosted(**(fields | more))  # type: ignore[arg-type]


@pytest.fixture
async def post(desk: Desk) -> Post:
    """The platform of letters."""
    post = Post(desk.loopback.account, desk.loopback.platform)
    desk.channels[post.account] = post
    desk.accounts[post.account] = capabilities_of(post)
    return post


@pytest.fixture
async def ticket(desk: Desk, post: Post) -> str:
    """The path of the ticket of a letter."""
    await desk.intake.accept(letter(desk, "It does not connect", name="first"))
    async with desk.sessions() as session:
        conversation = (await session.scalars(select(Conversation.id))).one()
    browser = await signed_in(desk, "Eva")
    answer = await browser.send(f"/console/conversations/{conversation}/take-over")
    return answer.headers["location"].partition("?")[0]


async def message_saying(desk: Desk, words: str) -> Message:
    async with desk.sessions() as session:
        return (await session.scalars(select(Message).where(Message.text == words))).one()


async def deliver(desk: Desk, words: str) -> Message:
    """Send the message that says `words`."""
    message = await message_saying(desk, words)
    await desk.deliver(message.conversation_id)
    return message


# Between whom


@pytest.mark.parametrize(("to_all", "copies"), [(True, "bob@people.example"), (False, "")])
async def test_the_accounts_rule_says_who_gets_an_answer_at_first(
    desk: Desk, post: Post, ticket: str, to_all: bool, copies: str
) -> None:
    post.capabilities = replace(post.capabilities, replies_to_all=to_all)
    page = await (await signed_in(desk)).see(ticket)
    assert 'name="to" value="ada@people.example"' in page
    assert f'name="cc" value="{copies}"' in page
    assert 'name="subject" value="Re: VPN"' in page
    assert 'data-to="ada@people.example" data-cc="bob@people.example"' in page  # reply to all
    assert 'data-to="ada@people.example" data-cc=""' in page  # only the requester


async def test_a_letter_goes_where_the_agent_sends_it(desk: Desk, ticket: str) -> None:
    browser = await signed_in(desk)
    await browser.see(ticket)
    answer = await browser.send(
        f"{ticket}/say",
        text="Try again",
        to="Ada <ADA@people.example>",
        cc=f"carl@people.example; {DESK}",
        bcc="boss@people.example",
        subject="VPN, solved\r\nBcc: x@y.example",
    )
    assert answer.status_code == 303, answer.text
    message = await deliver(desk, "Try again")
    (sent,) = [one for one in desk.loopback.platform.received if one.message == message.id]
    assert sent.envelope == Envelope(
        to=(Address("ada@people.example"),),
        cc=(Address("carl@people.example"),),
        bcc=(Address("boss@people.example"),),
        subject="VPN, solved Bcc: x@y.example",
    )
    async with desk.sessions() as session:
        people = set(await session.scalars(select(Participant.address)))
    assert people == {BOB, "carl@people.example"}


@pytest.mark.parametrize(
    ("to", "said"),
    [
        ("ada", "No letter can go to “ada”: it is not an address."),
        ("", "A letter needs somebody to go to"),
        (DESK, "A letter needs somebody to go to"),
        (",".join(f"p{n}@people.example" for n in range(51)), "A letter goes to 50 addresses"),
    ],
)
async def test_what_cannot_be_addressed_is_refused(
    desk: Desk, ticket: str, to: str, said: str
) -> None:
    browser = await signed_in(desk)
    await browser.see(ticket)
    answer = await browser.send(f"{ticket}/say", text="Hello?", to=to, cc="", bcc="", htmx=True)
    assert answer.status_code == 422
    assert said in answer.text
    async with desk.sessions() as session:
        assert await session.scalar(select(Message.id).where(Message.text == "Hello?")) is None


async def test_a_channel_without_letters_asks_for_no_addresses(desk: Desk) -> None:
    await desk.queued()
    browser = await signed_in(desk)
    assert 'name="cc"' not in await browser.see("/console/tickets/1001")
    answer = await browser.send(
        "/console/tickets/1001/say", text="Hi", to="a@people.example", htmx=True
    )
    assert answer.status_code == 422
    assert "This channel has no letters" in answer.text


# What came back


@pytest.mark.parametrize(
    ("is_permanent", "mark", "warning"),
    [
        (True, "came back for good", "came back for good. Ask for another address."),
        (False, "came back for now", "came back last time. It may work later."),
    ],
)
async def test_what_came_back_is_marked_at_its_recipient(
    desk: Desk, ticket: str, is_permanent: bool, mark: str, warning: str
) -> None:
    browser = await signed_in(desk)
    await browser.see(ticket)
    await browser.send(f"{ticket}/say", text="Try again", to=ADA.address, cc=BOB)
    message = await deliver(desk, "Try again")
    remote = await _remote(desk, message)
    await desk.intake.accept(
        DeliveryReported(
            account=desk.loopback.account,
            key=EventKey("bounce"),
            thread=THREAD,
            author=Author(address=BOB),
            at=datetime.now(UTC),
            remote_id=remote,
            delivered=False,
            detail="5.1.1 unknown",
            recipient=BOB,
            is_permanent=is_permanent,
        )
    )
    page = await browser.see(ticket)
    assert f'title="5.1.1 unknown">{mark}</span>' in page
    assert f"Mail to {BOB} {warning}" in page
    assert page.count('class="outcome"') == 1


async def _remote(desk: Desk, message: Message) -> RemoteId:
    async with desk.sessions() as session:
        name = await session.scalar(
            select(RemoteMessage.remote_id).where(RemoteMessage.message_id == message.id)
        )
    assert name is not None
    return RemoteId(name)


async def test_who_came_back_before_is_warned_of(desk: Desk, ticket: str) -> None:
    async with desk.sessions.begin() as session:
        row = await session.get_one(ContactAddress, (desk.loopback.account, ADA.address))
        row.bounce = "hard"
    page = await (await signed_in(desk, language="es")).see(ticket)
    assert f"El correo a {ADA.address} fue devuelto definitivamente." in page


# The source


async def test_the_source_of_a_letter_is_shown_as_text(desk: Desk, ticket: str) -> None:
    await desk.intake.accept(*(letter(desk, f"more {n}", name=f"more{n}") for n in range(3)))
    message = await message_saying(desk, "more 1")
    browser = await signed_in(desk)
    path = f"/console/messages/{message.id}/source"
    assert f'href="{path}"' in await browser.see(ticket)
    assert "Subject: VPN\r\n\r\nmore 1 &lt;b&gt;&amp;</pre>" in await browser.see(path)
    saved = await browser.client.get(f"{path}?download=true")
    assert saved.content == b"Subject: VPN\r\n\r\nmore 1 <b>&"
    assert saved.headers["content-type"] == "application/octet-stream"
    assert saved.headers["content-disposition"].startswith("attachment;")
    assert "sandbox" in saved.headers["content-security-policy"]


async def test_a_message_without_a_source_says_so(desk: Desk, ticket: str) -> None:
    browser = await signed_in(desk)
    await browser.see(f"/console/messages/{new_id()}/source", status=404)
    async with desk.client() as stranger:
        message = await message_saying(desk, "It does not connect")
        answer = await stranger.get(f"/console/messages/{message.id}/source")
        assert answer.status_code == 303


# Another subject


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


async def test_nothing_is_split_while_it_is_being_sent(desk: Desk, ticket: str) -> None:
    split = await changed(desk)
    browser = await signed_in(desk)
    await browser.see(ticket)
    await browser.send(f"{ticket}/say", text="Try again", to=ADA.address)
    answer = await browser.send(f"{ticket}/{split}", later="yes", htmx=True)
    assert answer.status_code == 409
    assert "Wait until what is being sent has left" in answer.text


# A split undone


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


# Passed on by somebody else


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


# Beside


SUPPLIER = "care@supplier.example"


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


# Through the API


async def test_programs_address_letters_too(
    desk: Desk, ticket: str, api: Callable[..., Awaitable[httpx.AsyncClient]]
) -> None:
    client = await api(email="eva@example.org")
    path = f"/api/v1/tickets/{ticket.rpartition('/')[2]}/replies"
    body = {"text": "Try again", "envelope": {"to": [ADA.address, DESK], "cc": [BOB]}}
    answer = await client.post(path, json=body)
    assert answer.status_code == 201, answer.text
    said = answer.json()
    assert said["envelope"] == {"to": [ADA.address], "cc": [BOB], "bcc": [], "subject": None}
    assert said["recipients"] == []
    refused = await client.post(path, json={"text": "Try again", "envelope": {"to": ["ada"]}})
    assert refused.status_code == 422


async def test_who_writes_without_a_name_is_shown_by_their_address(desk: Desk, post: Post) -> None:
    nameless = Author(address=Address("cleo@people.example"))
    await desk.intake.accept(letter(desk, "No name", name="first", author=nameless))
    async with desk.sessions() as session:
        conversation = (await session.scalars(select(Conversation.id))).one()
    browser = await signed_in(desk, "Eva")
    await browser.send(f"/console/conversations/{conversation}/take-over")
    async with desk.sessions() as session:
        ticket = (await session.scalars(select(Ticket.id))).one()
    queue = await browser.see("/console/queue?view=mine")
    assert "cleo@people.example" in queue
    page = await browser.see(f"/console/tickets/{ticket}")
    assert ">cleo@people.example</a>" in page
    assert "Visitor" not in page
