"""How many pixels a picture says it has, read from its header without decoding it."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

_HEAD_BYTES = 64
_MOST_SEGMENTS = 2_000


def pixels_of(path: Path, media_type: str) -> int | None:
    """Return width times height of a PNG, JPEG, GIF or WebP file; None where it does not tell."""
    with path.open("rb") as file:
        return pixels_in(file, media_type)


def pixels_in(file: BinaryIO, media_type: str) -> int | None:
    """Do what `pixels_of` does for a file that is open at its beginning."""
    head = file.read(_HEAD_BYTES)
    match media_type:
        case "image/png" if head[12:16] == b"IHDR":
            size = int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")
        case "image/gif" if len(head) >= 10:
            size = int.from_bytes(head[6:8], "little"), int.from_bytes(head[8:10], "little")
        case "image/webp":
            size = _webp(head)
        case "image/jpeg":
            size = _jpeg(file)
        case _:
            return None
    return size[0] * size[1] or None


def _webp(head: bytes) -> tuple[int, int]:
    """Read a WebP header (RFC 9649, 2.5 to 2.7)."""
    match head[12:16]:
        case b"VP8X":
            return (
                1 + int.from_bytes(head[24:27], "little"),
                1 + int.from_bytes(head[27:30], "little"),
            )
        case b"VP8L":
            bits = int.from_bytes(head[21:25], "little")
            return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
        case b"VP8 ":
            return (
                int.from_bytes(head[26:28], "little") & 0x3FFF,
                int.from_bytes(head[28:30], "little") & 0x3FFF,
            )
    return 0, 0


def _jpeg(file: BinaryIO) -> tuple[int, int]:
    """Walk a JPEG's segments to the one that begins the frame (ITU-T T.81, B.1)."""
    file.seek(2)
    for _ in range(_MOST_SEGMENTS):
        begin = file.read(2)
        if len(begin) < 2 or begin[0] != 0xFF:
            break
        marker = begin[1]
        if marker == 0xFF:  # fill
            file.seek(-1, 1)
            continue
        if marker == 0x01 or 0xD0 <= marker <= 0xD7:  # stands alone
            continue
        length = int.from_bytes(file.read(2), "big")
        if 0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}:
            frame = file.read(5)
            return int.from_bytes(frame[3:5], "big"), int.from_bytes(frame[1:3], "big")
        if length < 2 or marker == 0xDA:
            break
        file.seek(length - 2, 1)
    return 0, 0
