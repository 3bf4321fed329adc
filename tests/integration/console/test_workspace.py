"""The workspace shows what happened on the platform; agents settle and mend what they said."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from channels.loopback import Loopback
from core.domain.channel import DeliveryState, HeldBack, Outbound, Receipt, Shortfall
from core.domain.content import Body, Caution, Envelope
from core.domain.errors import Unavailable
from core.domain.events import (
    Author,
    Event,
    MessageEdited,
    MessagePosted,
    MessageRemoved,
    ReactionChanged,
)
from core.domain.ids import Address, EventKey, RemoteId, ThreadKey, new_id
from core.ports import capabilities_of
from core.storage.tables import Conversation, Message
from tests.integration.console.browser import Browser, signed_in
from tests.integration.console.world import Desk

ADA = Author(address=Address("ada"), name="Ada")
THREAD = ThreadKey("there")


class Linked(Loopback):
    """A loopback whose threads have links, and whose messages can be changed."""

    def link(self, thread: str) -> str | None:
        return f"https://platform.example/{thread}"

    async def edit(self, message: Outbound, receipt: Receipt) -> Receipt:
        return receipt

    async def remove(self, thread: ThreadKey, receipt: Receipt) -> None:
        pass


@pytest.fixture
async def ticket(desk: Desk) -> str:
    """The path of a ticket whose requester said one thing on a linked platform."""
    linked = Linked(desk.loopback.account)
    desk.channels[linked.account] = linked
    desk.accounts[linked.account] = capabilities_of(linked)
    await happens(desk, posted(desk, "It is verson 5"))
    async with desk.sessions() as session:
        conversation = (await session.scalars(select(Conversation.id))).one()
    browser = await signed_in(desk, "Eva")
    answer = await browser.send(f"/console/conversations/{conversation}/take-over")
    return answer.headers["location"].partition("?")[0]


def posted(
    desk: Desk, words: str, *, name: str = "first", body: Body | None = None, **more: object
) -> MessagePosted:
    fields: dict[str, object] = {
        "account": desk.loopback.account,
        "key": EventKey(name),
        "thread": THREAD,
        "author": ADA,
        "at": datetime.now(UTC),
        "body": body or Body(text=words),
        "remote_ids": (RemoteId(name),),
    }
    return MessagePosted(**(fields | more))  # type: ignore[arg-type]


async def happens(desk: Desk, *events: Event) -> None:
    await desk.intake.accept(*events)


async def test_a_thread_can_be_opened_on_its_platform(desk: Desk, ticket: str) -> None:
    page = await (await signed_in(desk)).see(ticket)
    assert 'href="https://platform.example/there"' in page


async def test_an_edit_keeps_what_was_said_before(desk: Desk, ticket: str) -> None:
    await happens(
        desk,
        MessageEdited(
            account=desk.loopback.account,
            key=EventKey("edit"),
            thread=THREAD,
            author=ADA,
            at=datetime.now(UTC),
            remote_id=RemoteId("first"),
            body=Body(text="It is version 5"),
        ),
    )
    page = await (await signed_in(desk)).see(ticket)
    assert "It is version 5" in page
    assert "show earlier text" in page
    assert "It is verson 5" in page.partition("show earlier text")[2]


async def test_what_was_removed_stays_readable_for_agents(desk: Desk, ticket: str) -> None:
    await happens(
        desk,
        MessageRemoved(
            account=desk.loopback.account,
            key=EventKey("gone"),
            thread=THREAD,
            author=ADA,
            at=datetime.now(UTC),
            remote_id=RemoteId("first"),
        ),
    )
    page = await (await signed_in(desk)).see(ticket)
    assert "Removed by its author" in page
    assert "said gone" in page
    assert "It is verson 5" in page


async def test_reactions_show(desk: Desk, ticket: str) -> None:
    await happens(
        desk,
        ReactionChanged(
            account=desk.loopback.account,
            key=EventKey("reaction"),
            thread=THREAD,
            author=ADA,
            at=datetime.now(UTC),
            remote_id=RemoteId("first"),
            reaction="👍",
            added=True,
        ),
    )
    assert '<span class="reaction">👍</span>' in await (await signed_in(desk)).see(ticket)


async def test_a_letter_shows_its_addresses_quote_and_signature(desk: Desk, ticket: str) -> None:
    body = Body(
        text="Yes.", quoted="> Did it help?", signature="Ada, Countess", unsupported=("poll",)
    )
    envelope = Envelope(
        to=(Address("desk@x.test"),), cc=(Address("bob@x.test"),), subject="Re: VPN"
    )
    await happens(desk, posted(desk, "", name="letter", body=body, envelope=envelope))
    page = await (await signed_in(desk)).see(ticket)
    for words in ("desk@x.test", "bob@x.test", "Re: VPN", "Quoted text", "Ada, Countess", "poll"):
        assert words in page, words


async def test_a_letter_of_nothing_but_marks_is_shown_as_it_was_typed(
    desk: Desk, ticket: str
) -> None:
    body = Body(text="* one\n" * 3_000, quoted="- two\n" * 3_000, signature="[" * 20_000)
    await happens(desk, posted(desk, "", name="letter", body=body))
    page = await (await signed_in(desk)).see(ticket)
    assert page.count("* one\n") == 2_999
    assert page.count("- two\n") == 2_999
    assert "<li>one</li>" not in page


@pytest.mark.parametrize(
    ("caution", "words"),
    [
        (Caution.UNVERIFIED, "Sender not verified"),
        (Caution.STRANGER, "Not a participant"),
        (Caution.CLAIMS_AGENT, "Claims to be one of us"),
    ],
)
async def test_who_is_not_sure_to_be_who_they_say_is_marked(
    desk: Desk, ticket: str, caution: Caution, words: str
) -> None:
    await happens(desk, posted(desk, "Pay me", name="second", caution=caution))
    assert words in await (await signed_in(desk)).see(ticket)


async def test_somebody_else_in_the_thread_is_named(desk: Desk, ticket: str) -> None:
    bob = Author(address=Address("bob"), name="Bob")
    await happens(desk, posted(desk, "Me too", name="bobs", author=bob))
    page = await (await signed_in(desk)).see(ticket)
    assert '<span class="author">Bob</span>' in page.replace("\n", "").replace("  ", "")


async def test_who_cannot_be_reached_is_said_to_be(desk: Desk, ticket: str) -> None:
    async with desk.sessions.begin() as session:
        await session.execute(update(Conversation).values(unreachable_since=datetime.now(UTC)))
    assert "The requester cannot be reached here." in await (await signed_in(desk)).see(ticket)


async def said(desk: Desk, browser: Browser, ticket: str, state: DeliveryState) -> str:
    """Let the agent say something that has come to `state`; return the path of the message."""
    await browser.see(ticket)
    assert (await browser.send(f"{ticket}/say", text="Try agian")).status_code == 303
    async with desk.sessions.begin() as session:
        message = (await session.scalars(select(Message).where(Message.text == "Try agian"))).one()
        await desk.deliver(message.conversation_id)
        await session.execute(
            update(Message).where(Message.id == message.id).values(delivery=state)
        )
        return f"{ticket}/messages/{message.id}"


async def test_an_agent_corrects_their_words(desk: Desk, ticket: str) -> None:
    browser = await signed_in(desk)
    message = await said(desk, browser, ticket, DeliveryState.SENT)
    assert f'action="{message}/correct' in await browser.see(ticket)
    answer = await browser.send(f"{message}/correct", text="Try again", htmx=True)
    assert answer.status_code == 200, answer.text
    assert "Try again" in answer.text
    assert "show earlier text" in answer.text
    assert answer.headers["hx-trigger"] == "corrected"


async def test_an_agent_takes_their_words_back(desk: Desk, ticket: str) -> None:
    browser = await signed_in(desk)
    message = await said(desk, browser, ticket, DeliveryState.SENT)
    answer = await browser.send(f"{message}/withdraw", htmx=True)
    assert answer.status_code == 200, answer.text
    assert "Removed by its author" in answer.text


async def test_another_agents_words_are_left_alone(desk: Desk, ticket: str) -> None:
    message = await said(desk, await signed_in(desk), ticket, DeliveryState.SENT)
    eve = await signed_in(desk, "Eve")
    assert f'action="{message}/correct' not in await eve.see(ticket)
    answer = await eve.send(f"{message}/correct", text="Nonsense", htmx=True)
    assert answer.status_code == 409
    assert "Another agent said this" in answer.text


async def test_a_message_of_another_ticket_is_not_there(desk: Desk, ticket: str) -> None:
    browser = await signed_in(desk)
    await browser.see(ticket)
    answer = await browser.send(f"{ticket}/messages/{new_id()}/withdraw")
    assert answer.status_code == 404


async def test_what_a_platform_that_is_away_has_not_taken_is_shown_to_wait_with_the_reason(
    desk: Desk, ticket: str
) -> None:
    browser = await signed_in(desk)
    linked = desk.channels[desk.loopback.account]
    assert isinstance(linked, Linked)
    linked.platform.faults.append(Unavailable("the platform could not be reached"))
    await said(desk, browser, ticket, DeliveryState.WAITING)
    shown = await browser.see(ticket)
    assert "Waiting to be sent: the platform could not be reached" in shown


@pytest.mark.parametrize(
    ("detail", "language", "words"),
    [
        (HeldBack.REST, "en", "Sent in part; the rest was held back"),
        (HeldBack.REST, "es", "Enviado en parte; el resto se retuvo"),
        (Shortfall.CHANGE_IN_DOUBT, "en", "The change may not have arrived whole"),
        (Shortfall.CHANGE_IN_DOUBT, "es", "Puede que el cambio no haya llegado completo"),
    ],
)
async def test_what_is_to_know_of_a_message_that_was_sent_is_shown_in_the_agents_language(
    desk: Desk, ticket: str, detail: str, language: str, words: str
) -> None:
    message = await said(desk, await signed_in(desk), ticket, DeliveryState.SENT)
    async with desk.sessions.begin() as session:
        is_it = Message.id == UUID(message.rpartition("/")[2])
        await session.execute(update(Message).where(is_it).values(delivery_detail=detail))
    assert words in await (await signed_in(desk, "Bea", language=language)).see(ticket)


@pytest.mark.parametrize(
    ("decision", "state"),
    [
        ("resend", DeliveryState.WAITING),
        ("arrived", DeliveryState.SENT),
        ("never", DeliveryState.DROPPED),
    ],
)
async def test_what_may_not_have_arrived_is_for_the_agent_to_settle(
    desk: Desk, ticket: str, decision: str, state: DeliveryState
) -> None:
    browser = await signed_in(desk)
    message = await said(desk, browser, ticket, DeliveryState.SENT)
    await desk.park(message.rpartition("/")[2])
    assert "It arrived" in await browser.see(ticket)
    answer = await browser.send(f"{message}/parked", decision=decision, htmx=True)
    assert answer.status_code == 200, answer.text
    async with desk.sessions() as session:
        settled = (await session.scalars(select(Message).where(Message.text == "Try agian"))).one()
    assert settled.delivery == state


async def test_what_was_taken_back_offers_no_sending_again(desk: Desk, ticket: str) -> None:
    browser = await signed_in(desk)
    message = await said(desk, browser, ticket, DeliveryState.SENT)
    name = message.rpartition("/")[2]
    await desk.park(name)
    async with desk.sessions.begin() as session:
        gone = update(Message).where(Message.id == UUID(name)).values(removed_at=func.now())
        await session.execute(gone)
    shown = await browser.see(ticket)
    assert "It did not arrive" in shown
    assert "Send again" not in shown
    bea = await signed_in(desk, "Bea", language="es")
    await bea.see(ticket)
    for reader, words in ((browser, "This message was taken back"), (bea, "Este mensaje fue reti")):
        answer = await reader.send(f"{message}/parked", decision="resend", htmx=True)
        assert answer.status_code == 409
        assert words in answer.text
