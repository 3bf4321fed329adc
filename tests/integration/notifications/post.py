"""A mail server on loopback that takes what agents are mailed."""

from __future__ import annotations

from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message as Letter

from aiosmtpd.smtp import SMTP, Envelope, Session


class Post:
    """A mail server on loopback."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []
        self.after_content = "250 OK"
        self.put_off: dict[str, str] = {}  # what it says to whom it takes nothing for now
        self.url = ""

    async def handle_RCPT(  # noqa: N802  # the server's own name for it
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address.startswith("gone@"):
            return "550 nobody here"
        if address in self.put_off:
            return self.put_off[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802  # the server's own name for it
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        assert isinstance(envelope.content, bytes)
        if self.after_content.startswith("250"):
            self.letters.append(message_from_bytes(envelope.content))
        return self.after_content


def words_of(letter: Letter) -> str:
    """Return a letter's plain text."""
    for part in letter.walk():
        content = part.get_payload(decode=True)
        if part.get_content_type() == "text/plain" and isinstance(content, bytes):
            return content.decode()
    return ""


def subject_of(letter: Letter) -> str:
    """Return a letter's subject as people read it."""
    return str(make_header(decode_header(letter["Subject"]))).replace("\r\n", "")
