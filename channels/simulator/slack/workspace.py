"""What is in the simulated workspace: people, channels, messages, files."""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

TEAM = "T0SIMULATE"
APP = "A0SIMULATE"
BOT = "B0SIMULATE"
BOT_USER = "U0SIMBOT"


@dataclass(slots=True)
class Person:
    """A member of the workspace."""

    id: str
    name: str
    email: str
    direct: str  # their direct channel with the desk
    locale: str = "en-US"

    def profile(self) -> dict[str, Any]:
        """Return the user object. https://docs.slack.dev/reference/objects/user-object"""
        return {
            "id": self.id,
            "team_id": TEAM,
            "name": self.name.lower().replace(" ", "."),
            "real_name": self.name,
            "locale": self.locale,
            "is_bot": False,
            "is_email_confirmed": True,
            "profile": {"real_name": self.name, "display_name": "", "email": self.email},
        }


@dataclass(slots=True)
class Message:
    """A message, people's or the desk's."""

    channel: str
    ts: str
    user: str
    text: str
    thread_ts: str | None = None
    blocks: list[dict[str, Any]] = field(default_factory=list)
    files: list[dict[str, Any]] = field(default_factory=list)
    metadata: dict[str, Any] | None = None
    edited_ts: str | None = None
    username: str | None = None
    icon_url: str | None = None
    is_deleted: bool = False

    @property
    def is_ours(self) -> bool:
        """Whether the desk wrote it."""
        return self.user == BOT_USER

    def content(self, *, with_metadata: bool = False) -> dict[str, Any]:
        """Return the message object. https://docs.slack.dev/reference/events/message"""
        content: dict[str, Any] = {
            "type": "message",
            "user": self.user,
            "ts": self.ts,
            "text": self.text,
            "team": TEAM,
        }
        if self.is_ours:
            content |= {"bot_id": BOT, "app_id": APP}
        if self.username:
            content["username"] = self.username
        if self.blocks:
            content["blocks"] = self.blocks
        if self.files:
            content["files"] = self.files
        if self.thread_ts:
            content["thread_ts"] = self.thread_ts
        if self.edited_ts:
            content["edited"] = {"user": self.user, "ts": self.edited_ts}
        if self.metadata is not None and with_metadata:
            content["metadata"] = self.metadata
        return content


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """Something to tell the desk: `kind` is that of Socket Mode's envelopes."""

    id: str
    kind: str  # events_api, interactive or slash_commands
    payload: Mapping[str, Any]


@dataclass(slots=True)
class StoredFile:
    """A file in the workspace."""

    id: str
    name: str
    media_type: str
    content: bytes
    title: str = ""
    is_shared: bool = False
    is_deleted: bool = False


@dataclass(slots=True)
class Workspace:
    """All of it. Time stamps are unique and grow, as Slack's do within a channel."""

    people: dict[str, Person] = field(default_factory=dict)
    channels: dict[str, str] = field(default_factory=dict)  # names by id
    messages: list[Message] = field(default_factory=list)
    by_name: dict[tuple[str, str], Message] = field(default_factory=dict)
    files: dict[str, StoredFile] = field(default_factory=dict)
    homes: dict[str, Mapping[str, Any]] = field(default_factory=dict)  # views, by person
    asides: list[tuple[str, str]] = field(default_factory=list)  # who was told what alone
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _last_us: int = 0

    def number(self) -> int:
        """Return a number that was not given before."""
        return next(self._numbers)

    def ts(self) -> str:
        """Return a time stamp later than all before."""
        self._last_us = max(self._last_us + 1, time.time_ns() // 1000)
        return f"{self._last_us // 1_000_000}.{self._last_us % 1_000_000:06d}"

    def person(self, name: str, email: str | None = None, locale: str = "en-US") -> Person:
        """Add a member."""
        number = self.number()
        person = Person(
            id=f"U{number:08d}",
            name=name,
            email=email or f"{name.lower().replace(' ', '.')}@example.com",
            direct=f"D{number:08d}",
            locale=locale,
        )
        self.people[person.id] = person
        self.channels[person.direct] = f"@{name}"
        return person

    def channel(self, name: str) -> str:
        """Add a public channel that the desk was invited to; return its id."""
        known = next((key for key, value in self.channels.items() if value == name), None)
        if known is not None:
            return known
        channel = f"C{self.number():08d}"
        self.channels[channel] = name
        return channel

    def add(self, message: Message) -> Message:
        """Put a message where it belongs."""
        self.messages.append(message)
        self.by_name[message.channel, message.ts] = message
        return message

    def find(self, channel: str, ts: str) -> Message | None:
        """Return a message that was not deleted."""
        message = self.by_name.get((channel, ts))
        return None if message is None or message.is_deleted else message

    def in_channel(self, channel: str, thread_ts: str | None = None) -> list[Message]:
        """Return what stands in a channel or thread, oldest first."""
        return sorted(
            (
                message
                for message in self.messages
                if message.channel == channel
                and not message.is_deleted
                and (thread_ts is None or thread_ts in {message.ts, message.thread_ts})
            ),
            key=lambda message: message.ts,
        )

    def store(self, name: str, media_type: str, content: bytes) -> StoredFile:
        """Add a file."""
        file = StoredFile(f"F{self.number():08d}", name, media_type, content, title=name)
        self.files[file.id] = file
        return file

    def direct_of(self, channel: str) -> Person | None:
        """Return whose direct channel `channel` is; a person's id stands for it."""
        for person in self.people.values():
            if channel in {person.direct, person.id}:
                return person
        return None
