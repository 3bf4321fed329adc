"""Files for tests, made on the spot."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping

from PIL import ExifTags, Image

PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
WINDOWS_PROGRAM = b"MZ\x90\x00\x03\x00\x00\x00" + b"\0" * 120 + b"PE\0\0"
LINUX_PROGRAM = b"\x7fELF\x02\x01\x01" + b"\0" * 57
MAC_PROGRAM = b"\xcf\xfa\xed\xfe\x07\x00\x00\x01" + b"\0" * 24
PAGE = b"<!DOCTYPE html>\n<html><body><script>alert(1)</script></body></html>"


def png(width: int = 2, height: int = 2) -> bytes:
    """Return a PNG as far as readers of headers go."""
    return b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", width, height) + b"\x08\2\0\0\0"


def square(side: int = 2) -> bytes:
    """Return a PNG of a grey square, which browsers show."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        checksum = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)

    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    rows = (b"\0" + b"\x80" * side) * side
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def photograph(width: int, height: int, *, turned: int = 1) -> bytes:
    """Return a JPEG, red on its left half, with a place and a way up (EXIF's orientation)."""
    image = Image.new("RGB", (width, height), "blue")
    image.paste("red", (0, 0, width // 2, height))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = turned
    exif[ExifTags.Base.Model] = "CAMERA"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (40.0, 24.0, 59.0)
    written = io.BytesIO()
    image.save(written, "JPEG", exif=exif, comment=b"at home")
    return written.getvalue()


def gif(width: int = 2, height: int = 2) -> bytes:
    return b"GIF89a" + struct.pack("<HH", width, height) + b"\0\0\0;"


def jpeg(width: int = 2, height: int = 2) -> bytes:
    """Return a JPEG with an application segment before its frame."""
    frame = b"\xff\xc0\0\x11\x08" + struct.pack(">HH", height, width) + b"\3" + b"\0" * 9
    return b"\xff\xd8\xff\xe0\0\x10JFIF\0" + b"\0" * 9 + frame + b"\xff\xd9"


def webp(width: int = 2, height: int = 2) -> bytes:
    """Return an extended WebP."""
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"RIFF\x20\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + size


def svg(inside: str = "<circle r='1'/>", attributes: str = "") -> bytes:
    return (
        "<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg' "
        f"xmlns:xlink='http://www.w3.org/1999/xlink' {attributes}>{inside}</svg>"
    ).encode()


def archive(entries: Mapping[str, bytes]) -> bytes:
    """Return a zip archive."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in entries.items():
            how = zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED
            opened.writestr(name, content, compress_type=how)
    return written.getvalue()


def bomb(entries: int = 2, unpacked_bytes: int = 0x7000_0000) -> bytes:
    """Return a small archive whose directory says that it unpacks to very much."""
    small = archive({f"{number}.txt": b"\0" * 1_000 for number in range(entries)})
    parts = small.split(b"PK\1\2")
    sized = [part[:20] + struct.pack("<I", unpacked_bytes) + part[24:] for part in parts[1:]]
    return b"PK\1\2".join([parts[0], *sized])


def two_faced_zip(directory_bytes: int) -> bytes:
    """Return an archive whose last record says of its directory that it is small.

    The ZIP64 record before it (APPNOTE.TXT, 4.3.14), which programs believe, tells the truth.
    """
    begin = archive({"a.txt": b"a"})
    at = len(begin)
    large = (b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, directory_bytes, at)
    locator = (b"PK\x06\x07", 0, at + directory_bytes, 1)
    end = (b"PK\x05\x06", 0, 0, 1, 1, 100, at, 0)
    return b"".join(
        [
            begin,
            bytes(directory_bytes),
            struct.pack("<4sQ2H2L4Q", *large),
            struct.pack("<4sLQL", *locator),
            struct.pack("<4s4H2LH", *end),
        ]
    )
