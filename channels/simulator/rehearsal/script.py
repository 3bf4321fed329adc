"""What people do in a rehearsal, and the marks by which it is found again in the database."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

_MARK = re.compile(r"\((\d+)-(\d+)(?:\.(\d+))?\)")


class Kind(StrEnum):
    """One kind of what people do. A conversation's place is one of the first four."""

    DIRECT = "direct"  # a message to the desk alone
    THREAD = "thread"  # in a thread of a channel, which begins with a mention
    GROUP = "group"  # in a group: a mention of the desk, or an answer to it
    TOPIC = "topic"  # the same in a topic of a forum
    FILE = "file"  # a message with a file
    ALBUM = "album"  # several files together, which are messages of their own
    EDIT = "edit"
    DELETION = "deletion"
    PRESS = "press"  # of a button under a message of the desk
    STALE = "stale"  # another press under it, which the desk must not take
    ASIDE = "aside"  # said where the desk is, but not to it: it must not be kept


ASIDE = "(to each other)"
"""Marks what is not for the desk."""


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """Which message a text is: of which conversation, which there, and after which edit of it."""

    talk: int
    number: int
    edit: int = 0

    def __str__(self) -> str:
        return f"({self.talk}-{self.number}{f'.{self.edit}' if self.edit else ''})"

    @property
    def original(self) -> Mark:
        """The message before any edit."""
        return Mark(self.talk, self.number)


def mark_in(text: str) -> Mark | None:
    """Return the mark in a text; None where it is none of a rehearsal."""
    found = _MARK.search(text)
    return None if found is None else Mark(int(found[1]), int(found[2]), int(found[3] or 0))


@dataclass(frozen=True, slots=True)
class File:
    """A file that somebody sends."""

    name: str
    content: bytes


@dataclass(slots=True)
class Post:
    """A message that somebody has written, and what they did with it since."""

    mark: Mark
    kind: Kind
    remote: object  # the platform's own record of it
    file: File | None = None
    edits: int = 0
    edited_at: float = 0.0  # on the drive's clock
    is_deleted: bool = False


@dataclass(slots=True)
class Talk:
    """One conversation: what was written there, in order, and which buttons were pressed."""

    number: int
    posts: list[Post] = field(default_factory=list)
    pressed: list[UUID] = field(default_factory=list)  # the choices behind the buttons
    pressed_again: list[UUID] = field(default_factory=list)  # and under the same messages later
