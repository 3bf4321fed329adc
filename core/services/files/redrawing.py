"""Pictures drawn anew: what is seen of them and nothing else, such as where they were taken."""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass

from core.domain.errors import InvalidInput, TooLarge
from core.services.files.pictures import pixels_in

MAX_PIXELS = 20_000_000
"""Larger pictures are not decoded: each takes four bytes."""

_JPEG_QUALITY = 88
_KINDS = {
    "image/png": b"\x89PNG\r\n\x1a\n",
    "image/jpeg": b"\xff\xd8\xff",
    "image/gif": b"GIF8",
    "image/webp": b"RIFF",
}
# What Pillow raises for files that are damaged, or made to look so.
_DAMAGED = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    OverflowError,
    EOFError,
    struct.error,
    zlib.error,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A picture that holds its pixels alone."""

    content: bytes
    media_type: str


def redrawn(content: bytes, side: int) -> Drawn:
    """Return the picture `content`, upright and `side` pixels wide and high at most.

    Of one that moves it is the first image. PNG stays PNG, as does what lets something shine
    through; the rest becomes JPEG.

    Raises:
        TooLarge: it has more than `MAX_PIXELS`.
        InvalidInput: it is no PNG, JPEG, GIF or WebP file, or a damaged one.
    """
    # Imported where it is used: it is megabytes, and most processes never draw.
    from PIL import Image, ImageOps

    media_type = next((kind for kind, head in _KINDS.items() if content.startswith(head)), "")
    # Asked before Pillow is, which makes room for a WebP picture as it opens it.
    if (pixels := pixels_in(io.BytesIO(content), media_type)) is None:
        raise InvalidInput("a picture is a PNG, JPEG, GIF or WebP file")
    _check(pixels)
    try:
        with Image.open(io.BytesIO(content), formats=["PNG", "JPEG", "GIF", "WEBP"]) as opened:
            _check(opened.width * opened.height)
            opened.draft("RGB", (side, side))  # a JPEG is decoded no larger than it is needed
            upright = ImageOps.exif_transpose(opened)
            upright.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=2.0)
            is_png = media_type == "image/png" or upright.has_transparency_data
            seen = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
    except (*_DAMAGED, Image.DecompressionBombError) as error:
        raise InvalidInput("a picture is a PNG, JPEG, GIF or WebP file") from error
    bare = Image.frombytes(seen.mode, seen.size, seen.tobytes())  # without what it came with
    written = io.BytesIO()
    if is_png:
        bare.save(written, "PNG", optimize=True)
    else:
        bare.save(written, "JPEG", quality=_JPEG_QUALITY, optimize=True)
    return Drawn(content=written.getvalue(), media_type="image/png" if is_png else "image/jpeg")


def _check(pixels: int) -> None:
    if pixels > MAX_PIXELS:
        raise TooLarge("a picture may have 20 million pixels at most")
