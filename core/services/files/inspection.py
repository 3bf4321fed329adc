"""Whether a file may be kept: small steps that look at its content, the first objection decides."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType

from core.domain.files import Accepted, FileRefusal, Refused, Verdict, ending_of
from core.services.files.archives import look_into_stream, look_into_zip
from core.services.files.media_type import HEAD_BYTES, media_type_of, program_kind
from core.services.files.pictures import pixels_of
from core.services.files.svg import activity_in

MAX_PIXELS = 120_000_000
"""Larger pictures are refused: who shows them must hold four bytes for each."""

_PICTURES = frozenset(
    {"png", "jpg", "jpeg", "jpe", "jfif", "gif", "webp", "bmp", "tif", "tiff", "heic", "heif"}
    | {"avif", "ico"}
)
_RECORDINGS = frozenset(
    {"mp3", "ogg", "oga", "opus", "wav", "m4a", "aac", "flac", "mp4", "m4v", "mov", "webm", "avi"}
    | {"mkv"}
)
_SEEN_OR_HEARD = _PICTURES | _RECORDINGS | {"pdf"}
_DOCUMENTS = frozenset(  # spreadsheets that programs write are often web pages within
    {"txt", "csv", "rtf", "doc", "docx", "xls", "xlsx", "ppt", "pptx", "odt", "ods", "odp"}
)
_SEEN_OR_HEARD_TYPES = ("image/", "audio/", "video/", "application/pdf")
_RUN_BY_BROWSERS = frozenset({"text/html", "image/svg+xml"})


class _Family(StrEnum):
    """What a file can be taken for, by those who look at its name."""

    PICTURE = "picture"
    RECORDING = "recording"
    PDF = "pdf"
    OTHER = "other"  # words, or an archive


_CERTAIN: Mapping[str, _Family] = MappingProxyType(
    {
        "image/png": _Family.PICTURE,
        "image/jpeg": _Family.PICTURE,
        "image/gif": _Family.PICTURE,
        "image/webp": _Family.PICTURE,
        "application/pdf": _Family.PDF,
        "application/zip": _Family.OTHER,
        "application/rtf": _Family.OTHER,
        "application/json": _Family.OTHER,
        "application/xml": _Family.OTHER,
        "message/rfc822": _Family.OTHER,
    }
)
"""Types of which the content leaves no doubt; so does any kind of text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectionRules:
    """What the desk takes in."""

    max_bytes: int
    refused_endings: frozenset[str]  # of programs; content counts under the usual ending


@dataclass(frozen=True, slots=True, kw_only=True)
class _Suspect:
    """A file under inspection. `media_type` is what its content shows so far."""

    path: Path
    name: str
    announced: str
    media_type: str
    program: str | None
    rules: InspectionRules


def inspect(path: Path, *, name: str, announced: str, rules: InspectionRules) -> Verdict:
    """Look at the file at `path`, which its sender calls `name` and says is an `announced`.

    Reads, and may take a while for a large file: call it in a thread.
    """
    if refused := size_refusal(path.stat().st_size, rules):
        return refused
    with path.open("rb") as file:
        program = program_kind(file.read(HEAD_BYTES))
    suspect = _Suspect(
        path=path,
        name=name,
        announced=announced.partition(";")[0].strip().lower(),
        media_type=media_type_of(path, name),
        program=program,
        rules=rules,
    )
    for step in _STEPS:
        if refused := step(suspect):
            return refused
    if suspect.media_type == "application/zip":
        found = look_into_zip(path)
        if isinstance(found, Refused):
            return found
        if found == "application/java-archive" and "jar" in rules.refused_endings:
            return Refused(reason=FileRefusal.EXECUTABLE, detail="jar")
        return Accepted(media_type=found)
    return Accepted(media_type=suspect.media_type)


def size_refusal(size_bytes: int | None, rules: InspectionRules) -> Refused | None:
    """Return why a file of this size is not taken; a size that is not known is no objection."""
    if size_bytes == 0:
        return Refused(reason=FileRefusal.EMPTY)
    if size_bytes is not None and size_bytes > rules.max_bytes:
        return Refused(reason=FileRefusal.TOO_LARGE)
    return None


def _disguise(suspect: _Suspect) -> Refused | None:
    """A program or a web page that calls itself a picture, a document or a recording."""
    ending = ending_of(suspect.name)
    if ending == "svg" and suspect.media_type == "image/svg+xml":
        return None
    is_no_page = ending in _SEEN_OR_HEARD or (
        suspect.announced.startswith(_SEEN_OR_HEARD_TYPES)
        and suspect.announced != suspect.media_type
    )
    if suspect.program not in {None, "sh"} and (is_no_page or ending in _DOCUMENTS):
        return Refused(reason=FileRefusal.DISGUISED, detail=suspect.program or "")
    if suspect.media_type in _RUN_BY_BROWSERS and is_no_page:
        return Refused(reason=FileRefusal.DISGUISED, detail=suspect.media_type)
    return None


def _another_kind(suspect: _Suspect) -> Refused | None:
    """A file that calls itself a picture, a recording or a PDF and is certainly something else.

    One picture under another's name is a picture all the same, and words are words: only who would
    see or hear something else than the name says is deceived.
    """
    named = _named(suspect)
    is_text = suspect.media_type.startswith("text/")
    found = _Family.OTHER if is_text else _CERTAIN.get(suspect.media_type)
    if named is None or found is None or named == found:
        return None
    if named is _Family.PDF and b"%PDF-" in _head(suspect.path):  # some begin with a line of others
        return None
    return Refused(reason=FileRefusal.DISGUISED, detail=suspect.media_type)


def _named(suspect: _Suspect) -> _Family | None:
    """Return what a file says that it is: by its ending, or as announced where it has none."""
    ending = ending_of(suspect.name)
    if ending in _PICTURES or (not ending and suspect.announced.startswith("image/")):
        return _Family.PICTURE
    if ending in _RECORDINGS or (not ending and suspect.announced.startswith(("audio/", "video/"))):
        return _Family.RECORDING
    if ending == "pdf" or (not ending and suspect.announced == "application/pdf"):
        return _Family.PDF
    return None


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(1_024)


def _bursting_stream(suspect: _Suspect) -> Refused | None:
    return None if suspect.media_type.startswith("text/") else look_into_stream(suspect.path)


def _program(suspect: _Suspect) -> Refused | None:
    refused = suspect.rules.refused_endings
    for kind in (suspect.program, ending_of(suspect.name)):
        if kind is not None and kind in refused:
            return Refused(reason=FileRefusal.EXECUTABLE, detail=kind)
    return None


def _active_picture(suspect: _Suspect) -> Refused | None:
    if suspect.media_type != "image/svg+xml":
        return None
    found = activity_in(suspect.path)
    return Refused(reason=FileRefusal.ACTIVE_PICTURE, detail=found) if found else None


def _huge_picture(suspect: _Suspect) -> Refused | None:
    pixels = pixels_of(suspect.path, suspect.media_type)
    if pixels is None or pixels <= MAX_PIXELS:
        return None
    return Refused(reason=FileRefusal.HUGE_PICTURE, detail=f"{pixels:,} pixels")


_STEPS: Sequence[Callable[[_Suspect], Refused | None]] = (
    _disguise,
    _program,
    _another_kind,
    _active_picture,
    _huge_picture,
    _bursting_stream,
)
