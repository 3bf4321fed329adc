"""What people say: text, files and buttons, free of any platform."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from core.domain.ids import ChoiceId

UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")
"""Characters that no UTF-8 database can hold: NUL and lone surrogates."""

MAX_TEXT_CHARS = 20_000
"""Longest text that is kept as one message; intake refuses more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRef:
    """A file as the platform names it; a work item fetches its bytes later."""

    name: str
    media_type: str
    size_bytes: int | None = None
    remote: str  # what the channel needs to fetch it


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
