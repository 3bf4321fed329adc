"""What the desk gives the channel in tests, and an inbox that keeps what it is given."""

from __future__ import annotations

from typing import Any

from channels.simulator.slack import Person
from core.adapters.blobs import ObjectBlobs
from core.domain.account import Health
from core.domain.channel import Outbound
from core.domain.content import Body, FileRef
from core.domain.conversation import Speaker
from core.domain.events import Event
from core.domain.ids import (
    AccountId,
    ConversationId,
    MessageId,
    ThreadKey,
    new_id,
)
from core.ports import Acceptance, Cursor, Refusal
from tests.support.nothing_aside import NothingAside

ACCOUNT = AccountId("acme")


def outbound(person: Person, text: str = "Good morning", **fields: Any) -> Outbound:
    """Return a message to a person in their direct channel."""
    return Outbound(
        message=MessageId(new_id()),
        account=ACCOUNT,
        conversation=ConversationId(new_id()),
        thread=fields.pop("thread", ThreadKey(person.direct)),
        speaker=fields.pop("by", Speaker.AGENT),
        body=Body(text=text, files=fields.pop("files", ())),
        **fields,
    )


async def file(blobs: ObjectBlobs, name: str, content: bytes) -> FileRef:
    """Return a file to send, which the desk keeps."""
    await blobs.put(name, content)
    return FileRef(name=name, media_type="text/plain", size_bytes=len(content), remote=name)


class Kept(NothingAside):
    """An inbox that keeps what it is given."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.aside: list[str] = []
        self.health: list[Health] = []
        self.threads: set[str] = set()
        self.refusal: Refusal | None = None  # of all that comes

    async def accept(self, *events: Event, cursor: Cursor | None = None) -> tuple[Acceptance, ...]:
        self.events += events
        return tuple(
            Acceptance(key=event.key, is_new=True, refusal=self.refusal) for event in events
        )

    async def quarantine(self, account: AccountId, raw: bytes, reason: str) -> None:
        self.aside.append(reason)

    async def cursor(self, account: AccountId, name: str) -> str | None:
        return None

    async def threads_of(self, account: AccountId, remote_ids: Any) -> dict[Any, ThreadKey]:
        return {}

    async def has_thread(self, account: AccountId, thread: ThreadKey) -> bool:
        return thread in self.threads

    async def report(self, account: AccountId, health: Health) -> None:
        self.health.append(health)
