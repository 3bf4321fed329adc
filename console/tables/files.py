"""Tables that come as files: which characters they are written in, and how they are given out."""

from __future__ import annotations

import codecs

from starlette.responses import Response

from core.domain.errors import InvalidInput

_TYPE = "text/csv; charset=utf-8"
_BOM_16 = (b"\xff\xfe", b"\xfe\xff")


def decoded(raw: bytes) -> str:
    """Return the text of a file; spreadsheets write UTF-8, UTF-16 or the system's old characters.

    Raises:
        InvalidInput: it is text in no characters that can be told.
    """
    if raw.startswith(_BOM_16):
        text = raw.decode("utf-16", "replace")
    else:
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = _guessed(raw)
    if "\x00" in text:
        raise InvalidInput("nobody can tell in which characters this file is written")
    return text


def _guessed(raw: bytes) -> str:
    from charset_normalizer import from_bytes  # only who imports tables has to hold it

    # What Western spreadsheets save by default comes first: short tables leave much to guess.
    best = from_bytes(raw, cp_isolation=["cp1252", "mac_roman", "cp850", "utf_16"]).best()
    if best is None:
        raise InvalidInput("nobody can tell in which characters this file is written")
    return str(best)


def table(content: str | bytes, name: str) -> Response:
    """Return a table to be saved; the mark at its beginning tells spreadsheets that it is UTF-8."""
    encoded = content if isinstance(content, bytes) else content.encode()
    return Response(codecs.BOM_UTF8 + encoded, media_type=_TYPE, headers=_headers(name))


def table_head(name: str) -> Response:
    """Return what comes before such a table, whose length is known only once it is written."""
    response = Response(media_type=_TYPE, headers=_headers(name))
    del response.headers["Content-Length"]
    return response


def _headers(name: str) -> dict[str, str]:
    return {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
