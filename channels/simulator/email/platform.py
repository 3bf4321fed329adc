"""People with mailboxes: what they write goes to the desk by LMTP, what it sends comes to them."""

from __future__ import annotations

import asyncio
import smtplib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import count
from typing import Self

from channels.simulator.email.letters import Person, Written, bounce, write
from channels.simulator.email.server import MailServer, Taken
from channels.simulator.faults import Fault, Faults

_HOST = "127.0.0.1"
_TIMEOUT_SECONDS = 30.0
_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 10.0
HAND_IN = "hand in"
"""What faults of handing mail in are planned for: the mail is lost, or the desk's answer to it."""


class MailPlatform:
    """The far side of a mail account. `smtp_port` is what the account has to be set to."""

    def __init__(self, desk: str, *, credentials: tuple[str, str] | None = None) -> None:
        """Let people write to the address `desk`."""
        self.desk = desk
        self.faults = Faults()
        self.server = MailServer(self.faults, self._take, credentials)
        self.received: list[Taken] = []
        self.responders: dict[str, str] = {}  # programs: what they answer to every mail
        self.responders_thread = True  # they say which mail they answer
        self.lmtp_port = 0  # where the desk takes mail
        self.smtp_port = 0
        self.handed_in = 0
        self._held: list[Written] = []
        self._numbers = count(1)
        self._answering: set[asyncio.Task[None]] = set()

    @classmethod
    @asynccontextmanager
    async def running(
        cls, desk: str, *, port: int = 0, credentials: tuple[str, str] | None = None
    ) -> AsyncIterator[Self]:
        """Run the mail server on loopback while the block runs."""
        platform = cls(desk, credentials=credentials)
        loop = asyncio.get_running_loop()
        listening = await loop.create_server(platform.server.protocol, _HOST, port)
        async with listening:
            platform.smtp_port = listening.sockets[0].getsockname()[1]
            try:
                yield platform
            finally:
                for task in platform._answering:
                    task.cancel()
                await asyncio.gather(*platform._answering, return_exceptions=True)

    @property
    def is_answering(self) -> bool:
        """Whether a program is still at an answer."""
        return bool(self._answering)

    def compose(
        self,
        person: Person,
        text: str,
        *,
        subject: str = "A question",
        answers: Sequence[str] = (),
        name: str | None = None,
        at: datetime | None = None,
    ) -> Written:
        """Return a mail of `person` to the desk; `name` is its Message-ID without the domain.

        It was written now, or `at`.
        """
        domain = person.address.rpartition("@")[2]
        return write(
            person,
            self.desk,
            text,
            message_id=f"<{name or f'{next(self._numbers)}.simulator'}@{domain}>",
            at=at or datetime.now(UTC),
            subject=subject,
            answers=answers,
        )

    def compose_bounce(
        self, taken: Taken, recipient: str, *, status: str = "5.1.1", said: str = ""
    ) -> Written:
        """Return what a mail server tells the desk about a mail that did not reach `recipient`."""
        return bounce(
            taken.raw,
            recipient,
            taken.sender,
            status=status,
            said=said or f"550 {status} No such user",
            message_id=f"<{next(self._numbers)}.bounce@mail.simulator.example>",
        )

    async def hand_in(self, written: Written) -> None:
        """Give a mail to the desk, with the trouble that is planned: twofold, or after the next.

        Raises:
            smtplib.SMTPException, OSError: the desk did not take it; it would come again.
        """
        fault = self.faults.for_news()
        if fault is Fault.REORDERED:
            self._held.append(written)
            return
        for _ in range(2 if fault is Fault.DUPLICATED else 1):
            await self._give(written)
        while self._held:
            held = self._held.pop(0)
            try:
                await self._give(held)
            except BaseException:
                self._held.insert(0, held)
                raise

    async def hand_in_until_taken(self, written: Written) -> None:
        """Give a mail to the desk as a mail server does: again and again until it is taken."""
        pause = _FIRST_PAUSE_SECONDS
        while True:
            try:
                await self.hand_in(written)
            except (OSError, smtplib.SMTPException):
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
            else:
                return

    async def _give(self, written: Written) -> None:
        fault = self.faults.for_call(HAND_IN, among=(HAND_IN,))
        await asyncio.to_thread(self._give_by_lmtp, written, fault)
        self.handed_in += 1

    def _give_by_lmtp(self, written: Written, fault: Fault | None) -> None:
        with smtplib.LMTP(_HOST, self.lmtp_port, timeout=_TIMEOUT_SECONDS) as desk:
            if fault is Fault.CUT_BEFORE:
                desk.close()
                raise ConnectionResetError("cut on purpose, before the mail")
            desk.sendmail(written.sender, [written.recipient], written.raw)
            if fault is Fault.CUT_AFTER:
                desk.close()
                raise ConnectionResetError("cut on purpose, before the answer was read")

    async def _take(self, taken: Taken) -> None:
        self.received.append(taken)
        for recipient in taken.recipients:
            if (words := self.responders.get(recipient)) is not None:
                task = asyncio.create_task(self._answer(recipient, words, taken))
                self._answering.add(task)
                task.add_done_callback(self._answering.discard)

    async def _answer(self, responder: str, words: str, taken: Taken) -> None:
        """Answer as a careless program does: no header says that nobody wrote this."""
        subject = str(taken.mail["Subject"] or "")
        answered = str(taken.mail["Message-ID"] or "")
        await self.hand_in_until_taken(
            self.compose(
                Person(address=responder),
                words,
                subject=subject,
                answers=[answered] if self.responders_thread else (),
            )
        )
