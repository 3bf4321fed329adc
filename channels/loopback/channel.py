"""A channel whose platform lives in the same process: what is posted and sent is in two lists."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from channels.loopback.ids import edit_key, press_key, sent_id
from channels.loopback.parse import parse_event, posting
from core.domain.channel import Capabilities, Outbound, Receipt, UncertainPolicy
from core.domain.content import Body, FileRef
from core.domain.errors import DeliveryError, InvalidInput, Rejected, StorageUnavailable
from core.domain.events import Author, ChoicePressed, Event, MessageEdited, MessagePosted
from core.domain.ids import AccountId, Address, ChoiceId, RemoteId, ThreadKey
from core.ports import Cursor, Inbox

_CURSOR = "events"
_PAUSE_SECONDS = 0.2
_PIECE_BYTES = 64 * 1024


@dataclass(slots=True)
class Platform:
    """The far side: what people did there, in order, and what reached them."""

    happened: list[Event] = field(default_factory=list)
    received: list[Outbound] = field(default_factory=list)
    faults: deque[DeliveryError | None] = field(default_factory=deque)
    """What the next sends come to: an error, or None for success."""
    look_faults: deque[DeliveryError] = field(default_factory=deque)
    """What the next questions whether something was sent come to."""
    loses_answers: bool = False
    """A send takes effect, then its answer is lost, as when a connection breaks."""
    files: dict[str, bytes] = field(default_factory=dict)
    """What people sent along, by the name that their messages give it."""
    file_faults: deque[DeliveryError] = field(default_factory=deque)
    """What the next fetches come to, half-way."""
    edited: list[Outbound] = field(default_factory=list)
    removed: list[RemoteId] = field(default_factory=list)
    typing: list[ThreadKey] = field(default_factory=list)
    people: dict[str, Author] = field(default_factory=dict)
    """What it says of people, by address."""
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def post(
        self,
        account: AccountId,
        thread: str,
        text: str,
        *,
        remote_id: str | None = None,
        who: str = "somebody",
        language: str | None = None,
        order: str = "",
    ) -> MessagePosted:
        """Let `who` say `text`; the same `remote_id` again is a redelivery.

        `order` sorts what is told in another order than it was said in.
        """
        raw = posting(
            remote_id=remote_id or f"in-{len(self.happened)}",
            thread=thread,
            who=who,
            text=text,
            language=language,
            order=order,
            at=datetime.now(UTC),
        )
        event = parse_event(account, raw)
        self.happen(event)
        return event

    def edit(self, posted: MessagePosted, text: str, revision: int = 1) -> None:
        """Let the author change what they said."""
        (remote,) = posted.remote_ids
        self.happen(
            MessageEdited(
                account=posted.account,
                key=edit_key(remote, revision),
                thread=posted.thread,
                author=posted.author,
                at=datetime.now(UTC),
                remote_id=remote,
                body=Body(text=text),
            )
        )

    def press(self, message: Outbound, label: str, who: str = "somebody") -> None:
        """Let `who` press the button `label` under `message`."""
        (choice,) = (choice.id for choice in message.choices if choice.label == label)
        self.happen(
            ChoicePressed(
                account=message.account,
                key=press_key(f"{choice}"),
                thread=message.thread,
                author=Author(address=Address(who)),
                at=datetime.now(UTC),
                choice=ChoiceId(choice),
            )
        )

    def happen(self, event: Event) -> None:
        """Add an occurrence."""
        self.happened.append(event)
        self._news.set()

    async def news(self) -> None:
        """Wait until something happens."""
        await self._news.wait()
        self._news.clear()


class Loopback:
    """Implements `core.ports.Channel` and all that a platform without web pages can do."""

    def __init__(
        self,
        account: AccountId,
        platform: Platform | None = None,
        when_uncertain: UncertainPolicy = UncertainPolicy.PARK,
    ) -> None:
        self.account = account
        self.platform = platform or Platform()
        self.capabilities = Capabilities(edits=True, removes=True, when_uncertain=when_uncertain)

    def is_private(self, thread: ThreadKey) -> bool:
        """See `core.ports.KnowsPrivacy.is_private`; rooms that many read begin with #."""
        return not thread.startswith("#")

    async def receive(self, inbox: Inbox) -> None:
        """See `core.ports.Channel.receive`; the cursor is committed with the events."""
        while True:
            try:
                await self._read_on(inbox)
            except StorageUnavailable:
                # What is not acknowledged stays where it is: the cursor is read again.
                await asyncio.sleep(_PAUSE_SECONDS)

    async def _read_on(self, inbox: Inbox) -> None:
        """Take all that happened after the cursor, then what happens next; never returns."""
        position = int(await inbox.cursor(self.account, _CURSOR) or 0)
        while True:
            batch = self.platform.happened[position:]
            if batch:
                await self._take(inbox, batch, position)
                position += len(batch)
            else:
                await self.platform.news()

    async def _take(self, inbox: Inbox, batch: Sequence[Event], position: int) -> None:
        """Have `batch`, which begins at `position`, stored; what can never be, put aside."""
        try:
            await inbox.accept(*batch, cursor=self._cursor(position + len(batch)))
        except InvalidInput as error:
            if len(batch) > 1:
                for number, event in enumerate(batch):
                    await self._take(inbox, [event], position + number)
            else:
                await inbox.quarantine(self.account, batch[0].raw, str(error))
                await inbox.accept(cursor=self._cursor(position + 1))

    def _cursor(self, position: int) -> Cursor:
        return Cursor(account=self.account, name=_CURSOR, value=str(position))

    def read(self, raw: bytes) -> Sequence[Event]:
        """See `core.ports.ReadsPayloads.read`."""
        return [parse_event(self.account, raw)]

    async def deliver(self, message: Outbound) -> Receipt:
        """See `core.ports.Channel.deliver`."""
        fault = self.platform.faults.popleft() if self.platform.faults else None
        if fault is None or self.platform.loses_answers:
            self.platform.received.append(message)
        if fault is not None:
            raise fault
        return _receipt(message)

    async def fetch(self, file: FileRef) -> AsyncIterator[bytes]:
        """See `core.ports.FetchesFiles.fetch`."""
        try:
            content = self.platform.files[file.remote]
        except KeyError:
            raise Rejected("there is no such file") from None
        for begin in range(0, len(content), _PIECE_BYTES):
            if self.platform.file_faults and begin:
                raise self.platform.file_faults.popleft()
            yield content[begin : begin + _PIECE_BYTES]
        if self.platform.file_faults:
            raise self.platform.file_faults.popleft()

    async def edit(self, message: Outbound, receipt: Receipt) -> Receipt:
        """See `core.ports.EditsMessages.edit`."""
        if self.platform.faults and (fault := self.platform.faults.popleft()):
            raise fault
        self.platform.edited.append(message)
        return receipt

    async def remove(self, thread: ThreadKey, receipt: Receipt) -> None:  # noqa: ARG002
        """See `core.ports.RemovesMessages.remove`."""
        if self.platform.faults and (fault := self.platform.faults.popleft()):
            raise fault
        self.platform.removed.extend(receipt.remote_ids)

    async def show_typing(self, thread: ThreadKey) -> None:
        """See `core.ports.ShowsTyping.show_typing`."""
        self.platform.typing.append(thread)

    async def look_up(self, address: Address) -> Author:
        """See `core.ports.LooksUpPeople.look_up`."""
        if self.platform.faults and (fault := self.platform.faults.popleft()):
            raise fault
        return self.platform.people.get(address, Author(address=address))

    async def find_delivery(self, message: Outbound) -> Receipt | None:
        """See `core.ports.FindsDeliveries.find_delivery`."""
        if self.platform.look_faults:
            raise self.platform.look_faults.popleft()
        sent = any(received.message == message.message for received in self.platform.received)
        return _receipt(message) if sent else None


def _receipt(message: Outbound) -> Receipt:
    return Receipt(remote_ids=(sent_id(message.message),))
