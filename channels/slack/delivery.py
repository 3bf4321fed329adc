"""Sends, changes, deletes and finds again the desk's messages on Slack."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from slack_sdk.errors import SlackApiError

from channels.slack import ids, render
from channels.slack.errors import code_of
from channels.slack.fields import Fields
from channels.slack.web_api import WebApi, as_json
from core.domain.channel import InPart, Outbound, Receipt
from core.domain.content import FileRef
from core.domain.errors import (
    BadCredentials,
    CannotSay,
    NotFound,
    Rejected,
    SentInPart,
    StorageUnavailable,
    Throttled,
    Unavailable,
)
from core.domain.ids import MessageId, RemoteId
from core.ports import BlobStore

_GONE = frozenset({"message_not_found", "file_not_found", "file_deleted"})
_CLOCKS_DIFFER_BY = timedelta(minutes=5)
_PAGE = 200
_MAX_PAGES = 10
_REMEMBERED = 1_000


class Deliveries:
    """What goes out through one account.

    A message may take several calls: a long text splits, and files come after it. What was sent
    of it is remembered here until all of it was, so that another attempt goes on where the last
    one failed. After the process died `find` learns the same from Slack.
    """

    def __init__(self, api: WebApi, blobs: BlobStore, max_file_bytes: int) -> None:
        self._api = api
        self._blobs = blobs
        self._max_file_bytes = max_file_bytes
        self._sent: OrderedDict[MessageId, dict[int, tuple[RemoteId, ...]]] = OrderedDict()

    async def send(self, message: Outbound) -> Receipt:
        """See `core.ports.Channel.deliver`."""
        posts = render.render(message)
        if not posts and not message.body.files:
            raise Rejected("the message is empty")
        for file in message.body.files:
            self._check_size(file, file.size_bytes)
        sent = self._parts_of(message.message)
        try:
            await self._send_rest(message, posts, sent)
        except (Unavailable, Throttled, BadCredentials) as error:
            if not sent:
                raise
            # Another process may go on with it, which has to find out what is there.
            raise CannotSay(error) from error
        except Rejected as error:
            if not sent:
                raise
            parts = len(_parts(message, posts))
            what = f"{len(sent)} of {parts} parts were sent, then: {error}"
            raise SentInPart(what) from error
        self._sent.pop(message.message, None)
        return _receipt(sent)

    async def _send_rest(
        self,
        message: Outbound,
        posts: Sequence[render.Post],
        sent: dict[int, tuple[RemoteId, ...]],
    ) -> None:
        """Send the parts that are not among those `sent`, and add them."""
        where = render.address(message) | await self._speaker(message)
        for part, post in enumerate(posts, 1):
            if part not in sent:
                sent[part] = (await self._post(where, post),)
        if message.body.files and 0 not in sent:
            sent[0] = await self._upload(message)

    async def find(self, message: Outbound) -> Receipt | InPart | None:
        """See `core.ports.FindsDeliveries.find_delivery`."""
        expected = _parts(message, render.render(message))
        sent = await self._look_for(message)
        if not sent:
            return None
        if not expected <= sent.keys():
            return InPart(remote_ids=_receipt(sent).remote_ids)
        self._sent.pop(message.message, None)
        return _receipt({part: sent[part] for part in expected})

    async def change(self, message: Outbound, receipt: Receipt) -> Receipt:
        """See `core.ports.EditsMessages.edit`; files stay as they are."""
        posts = render.render(message)
        old = [name for name in map(ids.message_of, receipt.remote_ids) if name is not None]
        kept = [name for name in receipt.remote_ids if ids.message_of(name) is None]
        new: list[RemoteId] = []
        for post, (channel, ts) in zip(posts, old, strict=False):
            await self._api.call("chat.update", channel=channel, ts=ts, **post.arguments())
            new.append(ids.remote_id(channel, ts))
        for channel, ts in old[len(posts) :]:
            await self._delete("chat.delete", channel=channel, ts=ts)
        where = render.address(message) | await self._speaker(message)
        # A change is tried again where its end is not known: a post that it added stays one.
        there = await self._look_for(message) if len(posts) > len(old) else {}
        for part, post in enumerate(posts[len(old) :], len(old) + 1):
            new += there.get(part) or (await self._post(where, post),)
        self._sent.pop(message.message, None)
        return Receipt(remote_ids=(*new, *kept))

    async def remove(self, receipt: Receipt) -> None:
        """See `core.ports.RemovesMessages.remove`."""
        for name in receipt.remote_ids:
            place = ids.message_of(name)
            if place is not None:
                await self._delete("chat.delete", channel=place[0], ts=place[1])
            else:
                await self._delete("files.delete", file=name)

    async def _look_for(self, message: Outbound) -> dict[int, tuple[RemoteId, ...]]:
        """Return what of `message` is on Slack, by part.

        Posts are told by their metadata; an upload, which has none, by the names of its files.
        """
        sent = self._parts_of(message.message)
        identity = await self._api.identity()
        names = sorted(_file_name(file) for file in message.body.files)
        place = await self._place(message)
        async for found in self._recent(place, _made_at(message.message)):
            metadata = found.inner("metadata")
            payload = metadata.inner("event_payload")
            if metadata.text("event_type") == render.METADATA_TYPE and payload.text(
                "message"
            ) == str(message.message):
                part = payload.number("part") or 1
                sent[part] = (ids.remote_id(place.channel, found.required("ts")),)
            elif names and found.text("user") == identity.bot_user:
                files = found.each("files")
                if sorted(file.text("title") or file.text("name") for file in files) == names:
                    sent[0] = tuple(ids.file_remote_id(file.text("id")) for file in files)
        return sent

    def _parts_of(self, message: MessageId) -> dict[int, tuple[RemoteId, ...]]:
        """Return what of `message` is known to be sent, to be added to: 0 is for its files."""
        parts = self._sent.setdefault(message, {})
        self._sent.move_to_end(message)
        while len(self._sent) > _REMEMBERED:
            self._sent.popitem(last=False)
        return parts

    async def _post(self, where: Mapping[str, Any], post: render.Post) -> RemoteId:
        answer = await self._api.call("chat.postMessage", **where, **post.arguments())
        return ids.remote_id(answer.text("channel"), answer.text("ts"))

    async def _speaker(self, message: Outbound) -> dict[str, Any]:
        shown = render.speaker(message)
        if shown and not (await self._api.identity()).is_granted("chat:write.customize"):
            return {}
        return shown

    async def _content(self, file: FileRef) -> bytes:
        try:
            content = await self._blobs.get(file.remote)
        except NotFound as error:
            raise Rejected(f"the file {file.name} is not there any more") from error
        except StorageUnavailable as error:
            raise Unavailable(f"the file {file.name} cannot be read now") from error
        self._check_size(file, len(content))
        return content

    def _check_size(self, file: FileRef, size_bytes: int | None) -> None:
        if size_bytes == 0:
            raise Rejected(f"the file {file.name} is empty: Slack takes no empty files")
        if size_bytes is not None and size_bytes > self._max_file_bytes:
            raise Rejected(f"the file {file.name} is too large to send")

    async def _upload(self, message: Outbound) -> tuple[RemoteId, ...]:
        """Send files as one post. https://docs.slack.dev/messaging/working-with-files"""
        place = await self._place(message)
        uploaded = []
        for file in message.body.files:
            name, content = _file_name(file), await self._content(file)
            slot = await self._api.call(
                "files.getUploadURLExternal", filename=name, length=len(content)
            )
            await self._api.upload(slot.required("upload_url"), content)
            uploaded.append({"id": slot.required("file_id"), "title": name})
        await self._api.call(
            "files.completeUploadExternal",
            files=as_json(uploaded),
            channel_id=place.channel,
            thread_ts=place.thread_ts,
        )
        return tuple(ids.file_remote_id(file["id"]) for file in uploaded)

    async def _place(self, message: Outbound) -> ids.Place:
        """Return where `message` goes, by the channel's id where only the person is known."""
        place = ids.place_of(message.thread)
        if ids.is_person(place.channel):
            answer = await self._api.call("conversations.open", users=place.channel)
            return ids.Place(channel=answer.inner("channel").required("id"))
        return place

    async def _recent(self, place: ids.Place, since: datetime) -> AsyncIterator[Fields]:
        """Yield what was posted there."""
        oldest = (since - _CLOCKS_DIFFER_BY).timestamp()
        method = "conversations.history" if place.thread_ts is None else "conversations.replies"
        cursor: str | None = None
        for _ in range(_MAX_PAGES):
            answer = await self._api.call(
                method,
                channel=place.channel,
                ts=place.thread_ts,
                oldest=f"{oldest:.6f}",
                include_all_metadata=True,
                limit=_PAGE,
                cursor=cursor,
            )
            for found in answer.each("messages"):
                yield found
            cursor = answer.inner("response_metadata").text("next_cursor") or None
            if cursor is None:
                return

    async def _delete(self, method: str, **arguments: str) -> None:
        try:
            await self._api.call(method, **arguments)
        except Rejected as error:
            cause = error.__cause__
            if not (isinstance(cause, SlackApiError) and code_of(cause) in _GONE):
                raise


def _parts(message: Outbound, posts: Sequence[render.Post]) -> set[int]:
    """Return the numbers of the parts of `message`: of its `posts`, and 0 for its files."""
    texts = set(range(1, len(posts) + 1))
    return texts | {0} if message.body.files else texts


def _receipt(sent: Mapping[int, tuple[RemoteId, ...]]) -> Receipt:
    """Return the receipt of all parts: texts in order, then files."""
    return Receipt(
        remote_ids=tuple(
            name
            for part in sorted(sent, key=lambda part: part or len(sent) + 1)
            for name in sent[part]
        )
    )


def _file_name(file: FileRef) -> str:
    return "".join(_printable(file.name)).strip()[:255] or "file"


def _printable(name: str) -> Iterator[str]:
    for character in name:
        yield character if character.isprintable() and character not in '/\\"' else "_"


def _made_at(message: MessageId) -> datetime:
    """Return when a message was written: its id begins with it (RFC 9562, version 7)."""
    return datetime.fromtimestamp((message.int >> 80) / 1000, UTC)
