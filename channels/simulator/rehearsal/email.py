"""A rehearsal with simulated mailboxes: everybody writes one thread of mails, by LMTP."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from random import Random

from channels.simulator.email import MailPlatform, Person, Taken
from channels.simulator.email.platform import HAND_IN
from channels.simulator.faults import Fault
from channels.simulator.rehearsal.script import Kind
from channels.simulator.rehearsal.stage import Tell

INLETS = ("lmtp",)
_DESK = "desk@rehearsal.invalid"
_HOST = "127.0.0.1"
_SEND = "send"
_BETWEEN_MAILS = timedelta(seconds=1)  # dates of mails have no fractions
_BEGAN_BEFORE = timedelta(hours=6)
_NAMED = 20  # of the mails before, in References


class EmailStage:
    """Implements `Stage`. `greylists` and `answer_by_machine` are troubles of mail alone."""

    def __init__(self, inlet: str) -> None:
        self.inlet = inlet
        self._platform = MailPlatform(_DESK)
        self._people: list[Person] = []
        self._machine = Person(address="machine@rehearsal.invalid")
        self._threads: list[list[str]] = []  # the Message-IDs that each of them has seen
        self._dates: list[datetime] = []
        self._read = 0  # how much of what the platform received has been looked at
        self._port = 0

    @asynccontextmanager
    async def running(self, talks: int) -> AsyncIterator[None]:
        """See `Stage.running`."""
        self._people = [
            Person(address=f"person-{n}@rehearsal.invalid", name=f"Rehearsal {n}")
            for n in range(talks)
        ]
        self._threads = [[] for _ in range(talks)]
        self._dates = [datetime.now(UTC) - _BEGAN_BEFORE] * talks
        async with MailPlatform.running(_DESK) as self._platform:
            with socket.create_server((_HOST, 0)) as free:
                self._port = free.getsockname()[1]
            self._platform.lmtp_port = self._port
            yield

    def settings(self) -> Mapping[str, str]:
        """See `Stage.settings`."""
        return {
            "address": _DESK,
            "lmtp_host": _HOST,
            "lmtp_port": str(self._port),
            "smtp_host": _HOST,
            "smtp_port": str(self._platform.smtp_port),
            "smtp_security": "none",
            "smtp_signs_in": "false",
        }

    def serve(self, address: str) -> None:
        """See `Stage.serve`: mail is handed in at a port of its own."""

    def place(self, talk: int) -> Kind:  # noqa: ARG002
        """See `Stage.place`: a thread of mails is one person's."""
        return Kind.DIRECT

    def say(self, talk: int, text: str) -> tuple[object, Tell]:
        """See `Stage.say`; each mail answers the last one of its thread, the desk's or theirs."""
        self._look()
        thread = self._threads[talk]
        self._dates[talk] += _BETWEEN_MAILS
        written = self._platform.compose(
            self._people[talk],
            text,
            subject="A question" if not thread else "Re: A question",
            answers=thread[:1] + thread[1:][-_NAMED:],
            at=self._dates[talk],
        )
        thread.append(written.message_id)
        return written, lambda: self._platform.hand_in_until_taken(written)

    def throttle(self, chance: Random) -> None:  # noqa: ARG002
        """See `Stage.throttle`."""
        self._platform.faults.plan(Fault.THROTTLED, method=_SEND)

    async def cut(self, chance: Random) -> None:
        """See `Stage.cut`."""
        fault = chance.choice((Fault.CUT_BEFORE, Fault.CUT_AFTER))
        self._platform.faults.plan(fault, method=chance.choice((_SEND, HAND_IN)))

    def greylist(self) -> None:
        """Refuse the first mail of the desk to each person for the moment."""
        self._platform.server.greylists = True

    async def answer_by_machine(self) -> None:
        """Let somebody write once whose program answers every mail and does not say so."""
        self._platform.responders[self._machine.address] = "I am away and read nothing."
        await self._platform.hand_in_until_taken(self._platform.compose(self._machine, "hello"))

    @property
    def to_machine(self) -> int:
        """How many mails the desk has sent to that program."""
        return sum(self._machine.address in taken.recipients for taken in self._platform.received)

    def heard(self) -> Sequence[int]:
        """See `Stage.heard`."""
        counted = Counter(name for taken in self._platform.received for name in taken.recipients)
        return [counted[person.address] for person in self._people]

    def _look(self) -> None:
        """Put what the desk has sent meanwhile into the threads."""
        fresh = self._platform.received[self._read :]
        self._read += len(fresh)
        numbers = {person.address: n for n, person in enumerate(self._people)}
        for taken in fresh:
            for recipient in taken.recipients:
                if (number := numbers.get(recipient)) is not None:
                    self._threads[number].append(_message_id(taken))


def _message_id(taken: Taken) -> str:
    return str(taken.mail["Message-ID"]).strip()
