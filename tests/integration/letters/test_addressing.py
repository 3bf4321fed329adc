"""Letters go to whom agents choose; what came back, and what a letter was made of, is shown."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime

import httpx
import pytest
from sqlalchemy import select, update

from core.domain.content import Envelope
from core.domain.events import Author, DeliveryReported
from core.domain.ids import Address, EventKey, RemoteId, new_id
from core.storage.tables import (
    ContactAddress,
    Conversation,
    Message,
    Participant,
    RemoteMessage,
    Ticket,
)
from tests.integration.console.browser import signed_in
from tests.integration.console.world import Desk
from tests.integration.letters.world import (
    ADA,
    BOB,
    DESK,
    THREAD,
    Post,
    deliver,
    letter,
    message_saying,
)


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


@pytest.mark.parametrize(
    ("language", "waits", "refused"),
    [
        (
            "en",
            "Not taken yet for bob@people.example, tried again: 450 Greylisted",
            "Not taken for ada@people.example: 550 No such user",
        ),
        (
            "es",
            "Aún no aceptado para bob@people.example, se intenta de nuevo: 450 Greylisted",
            "No aceptado para ada@people.example: 550 No such user",
        ),
    ],
)
async def test_who_has_not_got_a_letter_that_others_have_is_told_in_the_agents_language(
    desk: Desk, ticket: str, language: str, waits: str, refused: str
) -> None:
    browser = await signed_in(desk, language=language)
    await browser.see(ticket)
    await browser.send(f"{ticket}/say", text="Try again", to=ADA.address, cc=BOB)
    message = await message_saying(desk, "Try again")
    async with desk.sessions.begin() as session:
        await session.execute(
            update(Message)
            .where(Message.id == message.id)
            .values(
                delivery="sent",
                reported={
                    ADA.address: {"outcome": "refused", "detail": "550 No such user"},
                    BOB: {"outcome": "waiting", "detail": "450 Greylisted"},
                },
            )
        )
    page = await browser.see(ticket)
    assert waits in page
    assert refused in page
