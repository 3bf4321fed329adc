"""What becomes of archives when they are unpacked: of zips their directory says it.

Streams (gzip, bzip2, xz) say nothing of it: they are unpacked into nothing, as far as it takes.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from core.domain.files import FileRefusal, Refused, ending_of

_MAX_ENTRIES = 10_000
_MAX_DIRECTORY_BYTES = 4 * 1024 * 1024
_MAX_UNPACKED_BYTES = 2 * 1024**3
_SUSPICIOUS_BYTES = 100 * 1024**2
_MAX_RATIO = 100
_MAX_MEMORY_BYTES = 256 * 1024**2
_PIECE_BYTES = 1024**2
_MAX_ARCHIVES_WITHIN = 10
_ARCHIVES = frozenset(
    {"zip", "7z", "rar", "gz", "tgz", "bz2", "xz", "zst", "tar", "cab", "arj", "lzh", "iso"}
)
_OFFICE = (
    ("word/", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("xl/", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("ppt/", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
)
_LONGEST_TYPE = 100


class _TooMuchAtOnceError(Exception):
    """The directory is larger than anybody's is."""


class _Sparing(io.BufferedReader):
    """A file of which not much is read at once.

    A directory is read whole, before a list of its entries is made. How large it is an archive
    says in two places (APPNOTE.TXT, 4.3.14 and 4.3.16), which need not agree: what counts is
    what is really asked for.
    """

    def read(self, size: int | None = -1, /) -> bytes:
        """Read as any file, or refuse."""
        if size is not None and size > _MAX_DIRECTORY_BYTES:
            raise _TooMuchAtOnceError
        return super().read(size)


def look_into_zip(path: Path) -> str | Refused:
    """Return the media type of the zip archive at `path`, or why it is not taken.

    Office documents are archives too, and told apart by what they hold.
    """
    try:
        with _Sparing(path.open("rb", buffering=0)) as file, zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
            if refused := _refusal(entries, path.stat().st_size):
                return refused
            return _kind(archive, entries)
    except _TooMuchAtOnceError:
        return Refused(reason=FileRefusal.ARCHIVE_BOMB, detail="too many entries")
    except (zipfile.BadZipFile, ValueError, EOFError, NotImplementedError, RuntimeError):
        return Refused(reason=FileRefusal.DAMAGED_ARCHIVE)


def look_into_stream(path: Path) -> Refused | None:
    """Return why a gzip, bzip2 or xz file is not taken; None also for any other file.

    What is damaged is no objection: it bursts nowhere.
    """
    with path.open("rb") as file:
        head = file.read(8)
    pieces = next((unpack for begin, unpack in _STREAMS if head.startswith(begin)), None)
    if pieces is None:
        return None
    packed, unpacked = path.stat().st_size, 0
    try:
        for piece in pieces(path):
            unpacked += len(piece)
            if unpacked > _MAX_UNPACKED_BYTES or (
                unpacked > _SUSPICIOUS_BYTES and unpacked > _MAX_RATIO * packed
            ):
                detail = f"more than {unpacked:,} bytes out of {packed:,}"
                return Refused(reason=FileRefusal.ARCHIVE_BOMB, detail=detail)
    except (OSError, EOFError, zlib.error, lzma.LZMAError):
        pass
    return None


def _pieces_of_gzip(path: Path) -> Iterator[bytes]:
    with gzip.open(path) as stream:
        while piece := stream.read(_PIECE_BYTES):
            yield piece


def _pieces_of_bzip2(path: Path) -> Iterator[bytes]:
    with bz2.open(path) as stream:
        while piece := stream.read(_PIECE_BYTES):
            yield piece


def _pieces_of_xz(path: Path) -> Iterator[bytes]:
    # Not `lzma.open`: a stream may ask for four gigabytes of memory.
    unpacker = lzma.LZMADecompressor(memlimit=_MAX_MEMORY_BYTES)
    with path.open("rb") as file:
        while not unpacker.eof:
            more = file.read(_PIECE_BYTES) if unpacker.needs_input else b""
            if unpacker.needs_input and not more:
                return
            yield unpacker.decompress(more, _PIECE_BYTES)


_STREAMS: Sequence[tuple[bytes, Callable[[Path], Iterator[bytes]]]] = (
    (b"\x1f\x8b", _pieces_of_gzip),
    (b"BZh", _pieces_of_bzip2),
    (b"\xfd7zXZ\x00", _pieces_of_xz),
)


def _refusal(entries: Sequence[zipfile.ZipInfo], archive_bytes: int) -> Refused | None:
    unpacked = sum(entry.file_size for entry in entries)
    packed = sum(entry.compress_size for entry in entries)
    within = sum(ending_of(entry.filename) in _ARCHIVES for entry in entries)
    problem = None
    if len(entries) > _MAX_ENTRIES:
        problem = f"{len(entries):,} entries"
    elif unpacked > _MAX_UNPACKED_BYTES or (
        unpacked > _SUSPICIOUS_BYTES and unpacked > _MAX_RATIO * archive_bytes
    ):
        problem = f"{unpacked:,} bytes out of {archive_bytes:,}"
    elif packed > archive_bytes:
        problem = "its entries overlap"
    elif within > _MAX_ARCHIVES_WITHIN:
        problem = f"{within} archives within"
    return None if problem is None else Refused(reason=FileRefusal.ARCHIVE_BOMB, detail=problem)


def _kind(archive: zipfile.ZipFile, entries: Sequence[zipfile.ZipInfo]) -> str:
    names = [entry.filename for entry in entries]
    if "META-INF/MANIFEST.MF" in names or "AndroidManifest.xml" in names:
        return "application/java-archive"
    if "[Content_Types].xml" in names:
        for folder, media_type in _OFFICE:
            if any(name.startswith(folder) for name in names):
                return media_type
    # OpenDocument and EPUB name their type in a first entry that is not compressed.
    if (
        names[:1] == ["mimetype"]
        and entries[0].file_size <= _LONGEST_TYPE
        and entries[0].compress_type == zipfile.ZIP_STORED
    ):
        said = archive.read(entries[0]).decode("ascii", "replace").strip()
        if said.startswith(("application/vnd.oasis.opendocument.", "application/epub+zip")):
            return said
    return "application/zip"
