"""Letters for tests: a platform that carries them, one of Ada's, and what became of it."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select

from channels.email.addressing import bare_subject, checked
from channels.loopback import Loopback
from core.domain.content import Body, Envelope
from core.domain.events import Author, MessagePosted
from core.domain.ids import Address, EventKey, RemoteId, ThreadKey
from core.storage.tables import (
    Message,
)
from tests.integration.console.world import Desk

ADA = Author(address=Address("ada@people.example"), name="Ada")
BOB = Address("bob@people.example")
DESK = "help@desk.example"
SUPPLIER = "care@supplier.example"
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


async def message_saying(desk: Desk, words: str) -> Message:
    async with desk.sessions() as session:
        return (await session.scalars(select(Message).where(Message.text == words))).one()


async def deliver(desk: Desk, words: str) -> Message:
    """Send the message that says `words`."""
    message = await message_saying(desk, words)
    await desk.deliver(message.conversation_id)
    return message
