"""Files that people send: where one stands, and why one is not taken in."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath

_LONGEST_NAME = 180
_NOT_SHOWN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


class FileState(StrEnum):
    """Where an attachment stands."""

    WAITING = "waiting"  # to be fetched from the platform, or for the virus scanner
    FETCHED = "fetched"  # its bytes are in the blob store
    REFUSED = "refused"  # looked at, and not kept
    FAILED = "failed"  # the platform did not give it


class FileRefusal(StrEnum):
    """Why a file is not taken in."""

    EMPTY = "empty"
    TOO_LARGE = "too_large"
    DISGUISED = "disguised"  # says it is harmless, and is a program or a web page
    EXECUTABLE = "executable"
    ARCHIVE_BOMB = "archive_bomb"
    DAMAGED_ARCHIVE = "damaged_archive"
    ACTIVE_PICTURE = "active_picture"  # SVG that runs scripts or loads from elsewhere
    HUGE_PICTURE = "huge_picture"
    INFECTED = "infected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A file may be kept. `media_type` is what its content shows."""

    media_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A file is not kept. `detail` is for agents: the name of a virus, say."""

    reason: FileRefusal
    detail: str = ""

    def __str__(self) -> str:
        """Return the form in which the refusal is kept; `refusal_of` reads it."""
        return f"{self.reason}: {self.detail}" if self.detail else str(self.reason)


Verdict = Accepted | Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptFile:
    """A file in the blob store that an agent puts into a message."""

    name: str
    media_type: str
    size_bytes: int
    blob_key: str


def refusal_of(stored: str) -> Refused:
    """Return the refusal that was kept as `stored`.

    Raises:
        ValueError: it is none.
    """
    reason, _, detail = stored.partition(": ")
    return Refused(reason=FileRefusal(reason), detail=detail)


def plain_name(name: str) -> str:
    """Return a file's name without folders, controls and marks that turn the reading direction.

    Such marks make "exe.pdf" of "fdp.exe". Never empty, 180 characters at most; the ending stays.
    """
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    shown = "".join(c for c in last if unicodedata.category(c) not in _NOT_SHOWN)
    shown = " ".join(shown.split()).strip(". ") or "file"
    if len(shown) > _LONGEST_NAME:
        ending = PurePosixPath(shown).suffix[:20]
        shown = shown[: _LONGEST_NAME - len(ending)] + ending
    return shown


def ending_of(name: str) -> str:
    """Return what follows the last dot of a name, in lower case; empty where there is no dot."""
    return PurePosixPath(plain_name(name)).suffix.lower().removeprefix(".")
