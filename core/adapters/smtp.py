"""Mail to agents: notices, by an SMTP server of the admin's."""

from __future__ import annotations

from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from urllib.parse import unquote, urlsplit

import aiosmtplib

from core.domain.errors import DeliveryError, InvalidInput, NotTakenYet, Rejected, Unavailable

_SAYS_GOODBYE = 421


class SmtpPostman:
    """Sends mails through `smtp://[user:password@]host[:port]`, or `smtps://`.

    `smtp` uses STARTTLS where the server offers it; with a password it insists on it.
    """

    def __init__(self, url: str, sender: str) -> None:
        """Take the server's address apart.

        Raises:
            InvalidInput: it is not one.
        """
        parts = urlsplit(url)
        if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
            raise InvalidInput("DESK_NOTIFY_SMTP_URL is smtp://[user:password@]host[:port]")
        self._host = parts.hostname
        self._tls = parts.scheme == "smtps"
        self._port = parts.port or (465 if self._tls else 587)
        self._user = None if parts.username is None else unquote(parts.username)
        self._password = None if parts.password is None else unquote(parts.password)
        self._sender = sender

    async def send(self, to: str, subject: str, words: str, html: str) -> None:
        """Send one mail, its `words` as text and as an HTML page.

        Raises:
            Rejected: the address takes no mail.
            NotTakenYet: it was not taken, for the address's sake or its own: greylisting, a full
                mailbox. Others may well be.
            Unavailable: the server takes nothing now; try again later.
        """
        letter = EmailMessage()
        letter["From"] = self._sender
        letter["To"] = to
        letter["Subject"] = " ".join(subject.split())
        letter["Date"] = format_datetime(datetime.now(UTC))
        letter["Message-ID"] = make_msgid(domain=self._sender.rpartition("@")[2].strip("> "))
        letter["Auto-Submitted"] = "auto-generated"
        letter["X-Auto-Response-Suppress"] = "All"
        letter.set_content(words)
        letter.add_alternative(html, subtype="html")
        try:
            await aiosmtplib.send(
                letter,
                hostname=self._host,
                port=self._port,
                username=self._user,
                password=self._password,
                use_tls=self._tls,
                start_tls=None if self._password is None or self._tls else True,
                timeout=20,
            )
        except aiosmtplib.SMTPRecipientsRefused as error:
            raise _refused(error.recipients[0]) from error
        except aiosmtplib.SMTPDataError as error:
            raise _refused(error) from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise Unavailable(f"the mail server did not take a notice: {error}") from error


def _refused(error: aiosmtplib.SMTPResponseException) -> DeliveryError:
    """Return what it means that a mail was refused once its recipient was named."""
    said = f"{error.code} {error.message}"
    if error.code >= 500:
        return Rejected(f"the mail server takes no mail for this address: {said}")
    if error.code == _SAYS_GOODBYE:
        return Unavailable(f"the mail server did not take a notice: {said}")
    return NotTakenYet(f"the mail server takes no mail for this address now: {said}")
