"""Writes mail as people's programs do. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who writes to the desk."""

    address: str
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A mail that somebody wrote."""

    message_id: str  # with angle brackets
    sender: str
    recipient: str
    raw: bytes


def write(
    person: Person,
    to: str,
    text: str,
    *,
    message_id: str,
    at: datetime,
    subject: str = "A question",
    answers: Sequence[str] = (),
    copies: Sequence[str] = (),
    headers: Sequence[tuple[str, str]] = (),
    files: Sequence[tuple[str, bytes]] = (),
) -> Written:
    """Return what `person` writes; `answers` are Message-IDs, the oldest first."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = f"{person.name} <{person.address}>" if person.name else person.address
    mail["To"] = to
    if copies:
        mail["Cc"] = ", ".join(copies)
    mail["Subject"] = subject
    mail["Date"] = at
    for name, value in headers:
        mail[name] = value
    mail.set_content(text)
    for name, content in files:
        mail.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    named = [f"Message-ID: {message_id}\r\n"]
    if answers:
        named.append(f"In-Reply-To: {answers[-1]}\r\n")
        named.append("References: " + "\r\n ".join(answers) + "\r\n")
    return Written(
        message_id=message_id,
        sender=person.address,
        recipient=to,
        raw="".join(named).encode("ascii") + mail.as_bytes(),
    )


def bounce(
    returned: bytes, recipient: str, to: str, *, status: str, said: str, message_id: str
) -> Written:
    """Return what a mail server writes about a mail that did not arrive (RFC 3464)."""
    boundary = "simulator-report"
    headers = returned.split(b"\r\n\r\n", 1)[0]
    server = "MAILER-DAEMON@mail.simulator.example"
    action = "failed" if status.startswith("5") else "delayed"
    raw = (
        f"From: Mail Delivery System <{server}>\r\nTo: {to}\r\n"
        "Subject: Undelivered Mail Returned to Sender\r\n"
        f"Message-ID: {message_id}\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
        "Content-Type: multipart/report; report-type=delivery-status;\r\n"
        f' boundary="{boundary}"\r\n\r\n'
        f"--{boundary}\r\nContent-Type: text/plain\r\n\r\n"
        f"Your mail to <{recipient}> could not be delivered: {said}\r\n\r\n"
        f"--{boundary}\r\nContent-Type: message/delivery-status\r\n\r\n"
        "Reporting-MTA: dns; mail.simulator.example\r\n\r\n"
        f"Final-Recipient: rfc822; {recipient}\r\nAction: {action}\r\nStatus: {status}\r\n"
        f"Diagnostic-Code: smtp; {said}\r\n\r\n"
        f"--{boundary}\r\nContent-Type: text/rfc822-headers\r\n\r\n"
    ).encode("ascii")
    end = f"\r\n\r\n--{boundary}--\r\n".encode("ascii")
    return Written(message_id=message_id, sender="", recipient=to, raw=raw + headers + end)
