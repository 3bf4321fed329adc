"""What people say: text, files and buttons, free of any platform."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from core.domain.errors import InvalidInput, TooLarge
from core.domain.ids import Address, ChoiceId

UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")
"""Characters that no UTF-8 database can hold: NUL and lone surrogates."""

MAX_TEXT_CHARS = 20_000
"""Longest text that is kept as one message; intake refuses more."""

MAX_FILES = 1_000
"""Most files that come with one message; intake refuses more."""


def check_words(words: str, *, may_be_empty: bool = False) -> None:
    """Refuse what cannot be kept as one message of an agent; with files it needs no words.

    Raises:
        InvalidInput: the words are missing, or hold what cannot be stored.
        TooLarge: they are too many.
    """
    if not words.strip() and not may_be_empty:
        raise InvalidInput("the text is empty")
    if UNSTORABLE.search(words):
        raise InvalidInput("text must not hold NUL characters or lone surrogates")
    if len(words) > MAX_TEXT_CHARS:
        raise TooLarge(f"the text may have {MAX_TEXT_CHARS:,} characters at most")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRef:
    """A file. What arrives is fetched later, by a work item; what is sent is in the blob store."""

    name: str
    media_type: str  # as the sender has it; what it really is shows when it is fetched
    size_bytes: int | None = None
    remote: str  # what the channel needs to fetch it; of a file to send, its key in the blob store
    content_id: str | None = None  # how the HTML body of a mail names it
    is_inline: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """Text and files, in reading order."""

    text: str = ""  # CommonMark subset; what the assistant and the search index see
    html: str | None = None  # sanitised on the way in; kept for the console only
    quoted: str | None = None  # the part an e-mail reply repeats
    signature: str | None = None
    files: tuple[FileRef, ...] = ()
    unsupported: tuple[str, ...] = ()  # kinds without a text form, shown as "[poll]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """Between whom a letter goes, on platforms that have letters."""

    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    bcc: tuple[Address, ...] = ()
    subject: str | None = None


class Caution(StrEnum):
    """Why what a message asks for is not done without an agent."""

    UNVERIFIED = "unverified"  # nobody vouches for the author: no account data, no merging
    STRANGER = "stranger"  # found its thread, but the author had no part in it
    CLAIMS_AGENT = "claims_agent"  # names an agent or the desk itself as its author


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What pressing a button tells the assistant."""

    name: str
    entities: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A button under a message. `id` is all that the platform ever sees of `intent`."""

    id: ChoiceId
    label: str
    intent: Intent
    link: str | None = None  # a page on which it can be chosen too, where no button can be pressed
