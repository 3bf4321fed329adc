"""A mail server to try a desk with: takes everybody's mail, hands on what is for the desk."""

from __future__ import annotations

import asyncio
import smtplib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Self

from channels.simulator.email.kept import KeptMail
from channels.simulator.email.server import MailServer, Taken
from channels.simulator.faults import Faults

_HOST = "127.0.0.1"
_TIMEOUT_SECONDS = 30.0
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 10.0


class PostOffice:
    """One mail server for the desk and for everybody who writes to it; nothing leaves it."""

    def __init__(
        self, desk: str, *, lmtp_port: int, mails: KeptMail, say: Callable[[str], None]
    ) -> None:
        """Hand mail to the address `desk` to `lmtp_port`, where the desk takes it."""
        self.desk = desk.lower()
        self.lmtp_port = lmtp_port
        self.smtp_port = 0
        self._mails = mails
        self._say = say
        self._on_the_way: asyncio.Queue[Taken] = asyncio.Queue()

    @classmethod
    @asynccontextmanager
    async def running(
        cls,
        desk: str,
        *,
        smtp_port: int,
        lmtp_port: int,
        mails: KeptMail,
        say: Callable[[str], None],
    ) -> AsyncIterator[Self]:
        """Serve on loopback while the block runs; port 0 is any that is free.

        Raises:
            OSError: the port cannot be had.
        """
        office = cls(desk, lmtp_port=lmtp_port, mails=mails, say=say)
        server = MailServer(Faults(), office._take)
        listening = await asyncio.get_running_loop().create_server(
            server.protocol, _HOST, smtp_port
        )
        async with listening:
            office.smtp_port = listening.sockets[0].getsockname()[1]
            carrying = asyncio.create_task(office._carry())
            try:
                yield office
            finally:
                carrying.cancel()
                await asyncio.gather(carrying, return_exceptions=True)

    def settings(self) -> Mapping[str, str]:
        """Return what an account of the desk has to be set to, by the names of its settings."""
        return {
            "address": self.desk,
            "lmtp_host": _HOST,
            "lmtp_port": str(self.lmtp_port),
            "smtp_host": _HOST,
            "smtp_port": str(self.smtp_port),
            "smtp_security": "none",
            "smtp_signs_in": "false",
        }

    def is_desk(self, address: str) -> bool:
        """Say whether mail to `address` is the desk's; whatever follows a plus is."""
        local, at, domain = address.lower().rpartition("@")
        return f"{local.partition('+')[0]}{at}{domain}" == self.desk

    async def _take(self, taken: Taken) -> None:
        is_of_desk = self.is_desk(taken.sender)
        path = await asyncio.to_thread(self._mails.keep, taken, is_of_desk=is_of_desk)
        self._say(f"{readable(taken)}\n-- kept as {path}")
        for recipient in taken.recipients:
            if self.is_desk(recipient):
                only = Taken(sender=taken.sender, recipients=(recipient,), raw=taken.raw)
                self._on_the_way.put_nowait(only)

    async def _carry(self) -> None:
        """Hand mail to the desk, one after the other, each until it is taken or refused."""
        while True:
            taken = await self._on_the_way.get()
            pause = _FIRST_PAUSE_SECONDS
            while (trouble := await asyncio.to_thread(self._hand_in, taken)) is not None:
                if pause == _FIRST_PAUSE_SECONDS:
                    self._say(f"-- {trouble}; the mail waits here")
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)

    def _hand_in(self, taken: Taken) -> str | None:
        """Make one attempt; return why it has to be made again, or None."""
        try:
            with smtplib.LMTP(_HOST, self.lmtp_port, timeout=_TIMEOUT_SECONDS) as desk:
                desk.sendmail(taken.sender, taken.recipients, taken.raw)
        except (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused) as error:
            code, said = _answer(error)
            if code < 500:
                return f"the desk answers {code} {said}"
            self._say(f"-- the desk refuses the mail: {code} {said}")
        except (OSError, smtplib.SMTPException) as error:
            return f"the desk takes no mail at port {self.lmtp_port} ({_words(str(error))})"
        else:
            self._say("-- the desk has taken it")
        return None


def readable(taken: Taken) -> str:
    """Return a mail as it can be shown in a terminal, whatever it holds."""
    mail = taken.mail
    lines = [
        "",
        f"From:    {_words(str(mail['From'] or taken.sender))}",
        f"To:      {_words(', '.join(taken.recipients))}",
        f"Subject: {_words(str(mail['Subject'] or ''))}",
        "",
        *("    " + _words(line) for line in taken.text.splitlines()),
    ]
    files = [_words(part.get_filename() or "a file") for part in mail.iter_attachments()]
    return "\n".join([*lines, *(f"    [{name}]" for name in files)])


def _words(line: str) -> str:
    """Return a line without what a terminal would obey."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in line)


def _answer(
    error: smtplib.SMTPResponseException | smtplib.SMTPRecipientsRefused,
) -> tuple[int, str]:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        ((code, said),) = error.recipients.values()
        return code, _words(said.decode("utf-8", "replace"))
    words = error.smtp_error
    return error.smtp_code, _words(
        words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    )
