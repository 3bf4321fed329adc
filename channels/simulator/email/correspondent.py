"""Somebody at a terminal who writes to the desk, and answers what it wrote."""

from __future__ import annotations

import smtplib
from collections.abc import Sequence
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import make_msgid, parseaddr

from channels.simulator.email.kept import Kept
from channels.simulator.email.letters import Person, Written, write
from core.domain.errors import InvalidInput

_HOST = "127.0.0.1"
_TIMEOUT_SECONDS = 30.0
_RE = "re:"


def person(words: str) -> Person:
    """Return who `words` name: an address, or a name and an address in angle brackets.

    Raises:
        InvalidInput: it is no address of plain characters.
    """
    name, address = parseaddr(words)
    local, at, domain = address.rpartition("@")
    is_plain = address.isascii() and words.isprintable() and " " not in address
    if not (local and at and domain and is_plain):
        raise InvalidInput(f"{words!r} is not a mail address, such as ana@example.org")
    return Person(address=address, name=name)


def letter(author: Person, to: str, subject: str, text: str) -> Written:
    """Return a mail about something new.

    Raises:
        InvalidInput: the subject has more than one line.
    """
    return _written(author, to, subject, text, ())


def answer(kept: Kept, author: Person, text: str) -> Written:
    """Return what somebody's program sends who presses "reply" and writes above the quote."""
    mail = kept.mail
    to = _addresses(mail, "Reply-To") or _addresses(mail, "From")
    subject = str(mail["Subject"] or "")
    if not subject.lower().startswith(_RE):
        subject = f"Re: {subject}"
    body = mail.get_body(("plain",))
    quoted = "" if body is None else str(body.get_content()).strip()
    words = [text, "", f"On {mail['Date']}, {to[0]} wrote:"]
    words += [f"> {line}".rstrip() for line in quoted.splitlines()]
    answered = str(mail["References"] or "").split() + str(mail["Message-ID"] or "").split()
    return _written(author, to[0], subject, "\n".join(words), answered)


def post(written: Written, smtp_port: int) -> None:
    """Give a mail to the mail server.

    Raises:
        InvalidInput: there is none, or it does not take the mail.
    """
    try:
        with smtplib.SMTP(_HOST, smtp_port, timeout=_TIMEOUT_SECONDS) as server:
            server.sendmail(written.sender, [written.recipient], written.raw)
    except (OSError, smtplib.SMTPException) as error:
        raise InvalidInput(
            f"no mail server takes mail at port {smtp_port} ({error}); start it: desk mail server"
        ) from None


def _written(author: Person, to: str, subject: str, text: str, answered: Sequence[str]) -> Written:
    if not subject.isprintable():
        raise InvalidInput("a subject is one line of text")
    domain = author.address.rpartition("@")[2]
    return write(
        author,
        to,
        text,
        message_id=make_msgid(domain=domain),
        at=datetime.now(UTC),
        subject=subject,
        answers=answered,
    )


def _addresses(mail: EmailMessage, header: str) -> list[str]:
    value = mail[header]
    return [] if value is None else [address.addr_spec for address in value.addresses]
