"""Mails as bytes, of which a test says only what matters."""

from __future__ import annotations

import base64

from channels.email.reading.mail import Mail
from channels.email.reading.read import read_mail


def raw(body: str | bytes = "Hello", **headers: str) -> bytes:
    """Return a mail; underscores in the names of headers stand for hyphens."""
    given = {"From": "Ana Prado <ana@home.example>", "To": "desk@shop.example"}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"{name}: {value}" for name, value in given.items() if value]
    head = "\r\n".join(lines).encode("utf-8", "surrogateescape")
    content = body if isinstance(body, bytes) else body.replace("\n", "\r\n").encode()
    return head + b"\r\n\r\n" + content


def read(body: str | bytes = "Hello", **headers: str) -> Mail:
    """Return what is read of such a mail."""
    return read_mail(raw(body, **headers))


def part(content: str | bytes, media_type: str = "text/plain", **headers: str) -> bytes:
    """Return a part; content in bytes is sent as base64."""
    lines = [f"Content-Type: {media_type}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if isinstance(content, bytes):
        lines.append("Content-Transfer-Encoding: base64")
        content = base64.encodebytes(content).decode()
    return ("\r\n".join(lines) + "\r\n\r\n" + content).encode()


def multipart(*parts: bytes, subtype: str = "mixed", boundary: str = "b1") -> tuple[str, bytes]:
    """Return Content-Type and body of a multipart."""
    mark = f"--{boundary}".encode()
    body = b"".join(mark + b"\r\n" + one + b"\r\n" for one in parts) + mark + b"--\r\n"
    return f'multipart/{subtype}; boundary="{boundary}"', body
