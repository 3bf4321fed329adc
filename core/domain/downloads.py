"""How files that strangers sent are given to browsers: so that none of them is ever run."""

from __future__ import annotations

from urllib.parse import quote

from core.domain.files import plain_name

PICTURES_TO_SHOW = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
"""What a page may show; everything else is for saving."""

_NEVER_NAMED = ("text/html", "image/svg+xml", "application/xhtml+xml", "text/xml")
"""Types that a browser might run; such files are sent as bytes of no kind."""

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ._-+()")


def disposition(name: str, *, is_shown: bool) -> str:
    """Return the value of `Content-Disposition` (RFC 6266, RFC 8187) for a file's name."""
    plain = plain_name(name)
    ascii_name = "".join(c if c in _PLAIN else "_" for c in plain)
    how = "inline" if is_shown else "attachment"
    value = f'{how}; filename="{ascii_name}"'
    if ascii_name != plain:
        value += f"; filename*=UTF-8''{quote(plain, safe='')}"
    return value


def file_headers(
    name: str, media_type: str, size_bytes: int | None, *, may_show: bool
) -> dict[str, str]:
    """Return the headers that go with a file's bytes. `media_type` is what its content shows."""
    is_named = not media_type.startswith(_NEVER_NAMED)
    headers = {
        "Cache-Control": "private, max-age=3600",
        "Content-Disposition": disposition(
            name, is_shown=may_show and media_type in PICTURES_TO_SHOW
        ),
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Content-Type": media_type if is_named else "application/octet-stream",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }
    if size_bytes is not None:
        headers["Content-Length"] = str(size_bytes)
    return headers
