"""Telegram's ids, to and from ours. The only module that knows their shape."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from core.domain.ids import Address, EventKey, RemoteId, ThreadKey

_SUPERGROUPS_END = -1_000_000_000_000
"""Ids of supergroups and channels are below this; those of basic groups between it and zero."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a conversation lives: a chat, or a topic in it."""

    chat: int
    topic: int | None = None
    is_direct: bool = False  # the topic is one of a channel's direct messages

    @property
    def is_private(self) -> bool:
        """Whether the chat is with one person; their ids are positive, those of groups negative."""
        return self.chat > 0


def thread_key(place: Place) -> ThreadKey:
    """Return `chat`, `chat/topic`, or `chat/~topic` for a channel's direct messages."""
    if place.topic is None:
        return ThreadKey(str(place.chat))
    return ThreadKey(f"{place.chat}/{'~' if place.is_direct else ''}{place.topic}")


def read_thread(thread: ThreadKey) -> Place:
    """Return where `thread` lives."""
    chat, _, topic = thread.partition("/")
    if not topic:
        return Place(chat=int(chat))
    return Place(
        chat=int(chat), topic=int(topic.removeprefix("~")), is_direct=topic.startswith("~")
    )


def remote_id(chat: int, message: int) -> RemoteId:
    """Return the name of a message; Telegram counts messages in each chat by itself."""
    return RemoteId(f"{chat}/{message}")


def album_id(chat: int, album: str) -> RemoteId:
    """Return the name of an album in a group; the first of its parts that is kept bears it."""
    return RemoteId(f"{chat}/album:{album}")


def read_remote(remote: RemoteId) -> tuple[int, int]:
    """Return chat and message."""
    chat, _, message = remote.partition("/")
    return int(chat), int(message)


def order(chat: int, message: int) -> str:
    """Return what sorts the messages of a thread.

    A group that becomes a supergroup counts from 1 again: its later messages sort behind.
    """
    return f"{int(chat < _SUPERGROUPS_END)}{message:019d}"


def person(user: int) -> Address:
    """Return the address of a user."""
    return Address(str(user))


def group(chat: int) -> Address:
    """Return the address of a chat, where somebody writes in its name."""
    return Address(f"chat:{chat}")


def read_person(address: Address) -> int:
    """Return the id of the chat that tells who `address` is."""
    return int(address.removeprefix("chat:"))


def post_key(chat: int, message: int) -> EventKey:
    """Return the key of a message."""
    return EventKey(f"post:{chat}/{message}")


def edit_key(chat: int, message: int, edit_date: int, content: str) -> EventKey:
    """Return the key of an edit; two can come within a second, and differ in `content`."""
    digest = sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return EventKey(f"edit:{chat}/{message}:{edit_date}:{digest}")


def press_key(callback: str) -> EventKey:
    """Return the key of a pressed button."""
    return EventKey(f"press:{callback}")


def reaction_key(
    update: int, chat: int, message: int, who: Address, reaction: str, *, added: bool
) -> EventKey:
    """Return the key of one reaction put on or taken off.

    The update's number is in it because somebody can change their mind and back in a second.
    """
    return EventKey(f"react:{chat}/{message}:{who}:{update}:{'+' if added else '-'}{reaction}")


def membership_key(update: int, chat: int, at: int) -> EventKey:
    """Return the key of a change of what the bot may do in a chat."""
    return EventKey(f"member:{chat}:{at}:{update}")


def participant_key(chat: int, message: int, user: int, *, joined: bool) -> EventKey:
    """Return the key of somebody joining or leaving, which a message in the group tells."""
    return EventKey(f"{'join' if joined else 'leave'}:{chat}/{message}:{user}")


def move_key(old: int, new: int) -> EventKey:
    """Return the key of a group's migration; both chats tell of it."""
    return EventKey(f"move:{old}:{new}")


def link(place: Place) -> str | None:
    """Return the address that opens `place`; only supergroups have one."""
    if place.chat >= _SUPERGROUPS_END or place.is_direct:
        return None
    return f"https://t.me/c/{_SUPERGROUPS_END - place.chat}/{place.topic or 1}"
