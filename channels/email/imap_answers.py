"""What IMAP's answers say, and how names and sets of UIDs are written. Pure."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from aioimaplib.aioimaplib import Response

from channels.email.headers import one_line

_FETCHED = re.compile(rb"^(?:\* )?\d+ FETCH \(")
_NUMBER = re.compile(rb"\[(UIDVALIDITY|UIDNEXT) (\d+)\]", re.IGNORECASE)
_UID = re.compile(rb"\bUID (\d+)")
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d+)")
_ARRIVED = re.compile(rb'\bINTERNALDATE "([^"]+)"')
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderState:
    """What the server says of a folder that was just opened."""

    uid_validity: int  # another number: the UIDs known so far mean nothing
    uid_next: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A mail on the server, not loaded yet."""

    uid: int
    size_bytes: int
    arrived_at: datetime | None  # INTERNALDATE


def folder_state(response: Response) -> FolderState:
    """Return what the answer to SELECT or EXAMINE says."""
    numbers = {
        found[1].upper(): int(found[2])
        for line in _lines(response)
        if (found := _NUMBER.search(line))
    }
    return FolderState(
        uid_validity=numbers.get(b"UIDVALIDITY", 0), uid_next=numbers.get(b"UIDNEXT")
    )


def found_uids(response: Response) -> list[int]:
    """Return what the answer to UID SEARCH names, in order."""
    found = {int(word) for line in response.lines[:-1] for word in line.split() if word.isdigit()}
    return sorted(found)


def listed(response: Response) -> dict[int, Listed]:
    """Return size and time of each mail in the answer to UID FETCH, by UID."""
    mails = {}
    for text, _ in _items(response):
        uid, size, arrived = _UID.search(text), _SIZE.search(text), _ARRIVED.search(text)
        if uid and size:
            mails[int(uid[1])] = Listed(
                uid=int(uid[1]),
                size_bytes=int(size[1]),
                arrived_at=_internal_date(arrived[1]) if arrived else None,
            )
    return mails


def contents(response: Response) -> dict[int, bytes]:
    """Return the bytes of each mail in the answer to UID FETCH, by UID.

    A server may add answers that nobody asked for, after a mail's own: that somebody else has
    flagged it, with its UID and without a body (RFC 9051, 7.5.2).
    """
    found = {}
    for text, content in _items(response):
        if content and (uid := _UID.search(text)):
            found[int(uid[1])] = content
    return found


def uid_set(uids: Iterable[int]) -> str:
    """Return UIDs as a sequence set: runs become ranges."""
    runs: list[list[int]] = []
    for uid in sorted(set(uids)):
        if runs and uid == runs[-1][1] + 1:
            runs[-1][1] = uid
        else:
            runs.append([uid, uid])
    return ",".join(f"{a}" if a == b else f"{a}:{b}" for a, b in runs)


def modified_utf7(name: str) -> str:
    """Return a folder's name as IMAP writes it (RFC 3501, 5.1.3)."""
    written = []
    for run in re.split(r"([^ -~]+)", name):
        if any(c < " " or c > "~" for c in run):
            encoded = base64.b64encode(run.encode("utf-16-be")).decode("ascii")
            written.append("&" + encoded.rstrip("=").replace("/", ",") + "-")
        else:
            written.append(run.replace("&", "&-"))
    return "".join(written)


def _lines(response: Response) -> list[bytes]:
    return [bytes(line) for line in response.lines]


def last_line(response: Response) -> bytes:
    """Return the line that says how the command went."""
    lines = _lines(response)
    return lines[-1] if lines else b"no reason given"


def words_of(line: bytes) -> str:
    """Return a line of the server's as words for an admin."""
    return one_line(line.decode("utf-8", "replace"), 200)


def _items(response: Response) -> list[tuple[bytes, bytes]]:
    """Return, of each FETCH answer, its text and the literal (or quoted string) in it."""
    items: list[tuple[bytearray, bytearray]] = []
    for line in response.lines[:-1]:
        if isinstance(line, bytearray):  # aioimaplib gives literals, and only them, so
            if items:
                items[-1][1].extend(line)
        elif _FETCHED.match(line):
            items.append((bytearray(line), bytearray()))
        elif items:
            items[-1][0].extend(b" " + line)
    return [(bytes(text), bytes(content) or _quoted_body(bytes(text))) for text, content in items]


def _quoted_body(text: bytes) -> bytes:
    found = re.search(rb'BODY\[[A-Z]*\] "((?:[^"\\]|\\.)*)"', text)
    return re.sub(rb"\\(.)", rb"\1", found[1]) if found else b""


def _internal_date(written: bytes) -> datetime | None:
    """Return `17-Jul-1996 02:44:25 -0700` as a time; None where it is none."""
    try:
        day, clock, zone = written.decode("ascii").split()
        number, month, year = day.split("-")
        text = (
            f"{int(year):04}-{_MONTHS.index(month.lower()) + 1:02}-{int(number):02}T{clock}{zone}"
        )
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S%z").astimezone(UTC)
    except (ValueError, OverflowError):
        return None
