"""Slack's ids, to and from ours. The only module that knows their shape.

A message is named by its channel and its time stamp: `C024BE91L/1355517523.000005`.

A thread is one of three:

- `C024BE91L/1355517523.000005`: a thread of a channel, by its first message;
- `D024BE91L`: a direct conversation with the desk. It is one place however long it lasts, and
  replies inside one of its threads belong to it too: the core divides it into conversations;
- `U024BE7LH`: the direct conversation with a person whose channel is not known (yet). Slack takes
  a person where it takes a channel to post to, so nothing is lost where it cannot be found out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from core.domain.errors import UnknownPayload
from core.domain.ids import Address, EventKey, RemoteId, ThreadKey

_CHANNEL = re.compile(r"[CDG][A-Z0-9]{1,40}", re.ASCII)
_PERSON = re.compile(r"[UW][A-Z0-9]{1,40}", re.ASCII)
_FILE = re.compile(r"F[A-Z0-9]{1,40}", re.ASCII)
_TS = re.compile(r"[0-9]{1,12}\.[0-9]{1,9}", re.ASCII)
_TRIGGER = re.compile(r"[\x21-\x7e]{1,200}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a message goes: a channel or person, and in a channel's thread its first message."""

    channel: str
    thread_ts: str | None = None


def is_channel(text: str) -> bool:
    """Say whether `text` is the id of a channel, private channel or direct conversation."""
    return _CHANNEL.fullmatch(text) is not None


def is_person(text: str) -> bool:
    """Say whether `text` is the id of a person or bot user."""
    return _PERSON.fullmatch(text) is not None


def is_file(text: str) -> bool:
    """Say whether `text` is the id of a file."""
    return _FILE.fullmatch(text) is not None


def is_ts(text: str) -> bool:
    """Say whether `text` is the time stamp of a message: seconds since 1970, with a counter."""
    return _TS.fullmatch(text) is not None


def is_direct(channel: str) -> bool:
    """Say whether a channel is the direct conversation of one person with the desk."""
    return channel.startswith("D")


def thread_key(channel: str, root_ts: str) -> ThreadKey:
    """Return the thread that a message belongs to; `root_ts` is its own where it begins one."""
    return ThreadKey(channel if is_direct(channel) else f"{channel}/{root_ts}")


def direct_thread(person: str) -> ThreadKey:
    """Return the direct conversation with a person whose channel is not known."""
    return ThreadKey(person)


def place_of(thread: ThreadKey) -> Place:
    """Return where messages to `thread` go."""
    channel, _, root_ts = thread.partition("/")
    return Place(channel=channel, thread_ts=root_ts or None)


def address(person: str) -> Address:
    """Return a person as the core names them."""
    return Address(person)


def remote_id(channel: str, ts: str) -> RemoteId:
    """Return the name of a message."""
    return RemoteId(f"{channel}/{ts}")


def file_remote_id(file: str) -> RemoteId:
    """Return the name of a part that is a file: Slack names the message of an upload late."""
    return RemoteId(file)


def message_of(remote: RemoteId) -> tuple[str, str] | None:
    """Return channel and time stamp of a message, or None where `remote` is not one."""
    channel, _, ts = remote.partition("/")
    return (channel, ts) if is_channel(channel) and is_ts(ts) else None


def post_key(channel: str, ts: str) -> EventKey:
    """Return the key of a posting; a mention and the message that it is in are one posting."""
    return EventKey(f"post:{channel}/{ts}")


def edit_key(channel: str, ts: str, edited_ts: str) -> EventKey:
    """Return the key of one change of a message."""
    return EventKey(f"edit:{channel}/{ts}:{edited_ts}")


def remove_key(channel: str, ts: str) -> EventKey:
    """Return the key of a deletion."""
    return EventKey(f"remove:{channel}/{ts}")


def reaction_key(
    channel: str, ts: str, person: str, emoji: str, added: bool, event_ts: str
) -> EventKey:
    """Return the key of a reaction put on or taken off; either can happen again."""
    sign = "+" if added else "-"
    return EventKey(f"react:{channel}/{ts}:{person}:{sign}{emoji}:{event_ts}")


def press_key(channel: str, ts: str, person: str, action_ts: str) -> EventKey:
    """Return the key of a pressed button."""
    return EventKey(f"press:{channel}/{ts}:{person}:{action_ts}")


def profile_key(person: str, event_ts: str) -> EventKey:
    """Return the key of a change of a profile."""
    return EventKey(f"profile:{person}:{event_ts}")


def trigger_key(kind: str, trigger: str) -> EventKey:
    """Return the key of a command or shortcut; Slack makes a `trigger` for each use.

    Raises:
        UnknownPayload: this is no trigger.
    """
    if not _TRIGGER.fullmatch(trigger):
        raise UnknownPayload("a command or shortcut without its trigger")
    return EventKey(f"{kind}:{trigger}")
