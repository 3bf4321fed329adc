"""E-mail on a real Dovecot: intake beside django-helpdesk's, and how soon a mail is answered."""

from __future__ import annotations

import asyncio
import secrets
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from bench.channels.django_helpdesk import DjangoHelpdesk, Mailbox
from bench.channels.letters import letters
from bench.desk import running_desk
from bench.program import running
from bench.questions import distinct_questions
from bench.report import Figure, at_least, at_most
from bench.stored import Server
from bench.timings import median, percentile
from channels.simulator.email import MailPlatform, Person
from core.runtime.database.postgres import embedded_postgres
from core.runtime.machine.home import Home
from core.runtime.supervision import supervised

if TYPE_CHECKING:
    from tests.support.dovecot import Dovecot

_DOVECOT = (Path("/usr/sbin/dovecot"), Path("/usr/lib/dovecot/lmtp"))
_ACCOUNT = "DESK_EMAIL__BENCH__"
_OURS, _THEIRS = "INBOX", "Second"  # folders of the same mailbox, filled with the same mails
_LEAST_TIMES = 3.0
_ANSWER_SECONDS = 2.0
_ANSWERS = 30
_WARM_UP = 3
_PATIENCE_SECONDS = 300.0
_POLL_SECONDS = 0.02

_OUR_MAILS = sql.SQL("SELECT count(*) FROM message WHERE speaker = 'customer'")
_THEIR_MAILS = sql.SQL("SELECT count(*) FROM helpdesk_followup")


class NotTakenIn(RuntimeError):
    """Mails were not stored, or one was not answered, in good time."""


@dataclass(slots=True)
class _Taken:
    """What one of the two took in, over all rounds."""

    mails: int = 0
    seconds: float = 0.0
    rates: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return self.mails / self.seconds

    def add(self, mails: int, seconds: float) -> None:
        """Count a round."""
        self.mails += mails
        self.seconds += seconds
        self.rates.append(mails / seconds)

    def __str__(self) -> str:
        return (
            f"{self.rate:,.1f} mails/s ({min(self.rates):,.1f} to {max(self.rates):,.1f} "
            f"in {len(self.rates)} rounds)"
        )


async def measure(
    home: Path, *, mails: int, rounds: int, say: Callable[[str], None]
) -> list[Figure]:
    """Measure intake side by side, then the answers of a whole desk."""
    if missing := _missing():
        return [Figure(what="e-mail on a real Dovecot", target="…", measured=missing)]
    # Kept with the tests, which need it more often, and which bring their own tools.
    from tests.support.dovecot import running_dovecot

    with ExitStack() as stack:
        dovecot = stack.enter_context(running_dovecot())
        async with embedded_postgres(home, say=say) as url:
            figures = await _side_by_side(home, Server(url), dovecot, mails, rounds, say)
        say("mail: starting the desk")
        return [*figures, await _answers(home, dovecot, say)]


def _missing() -> str | None:
    """Return what this machine lacks for the measurement, and how to get it."""
    if not all(path.exists() for path in _DOVECOT):
        return "Dovecot is not installed: apt-get install dovecot-imapd dovecot-lmtpd"
    if find_spec("pytest") is None:
        return "the development tools are not installed: make check"
    return None


async def _side_by_side(
    home: Path,
    server: Server,
    dovecot: Dovecot,
    mails: int,
    rounds: int,
    say: Callable[[str], None],
) -> list[Figure]:
    from tests.support.dovecot import PASSWORD, USER

    folder = Home.at(home).root / "bench"
    folder.mkdir(exist_ok=True)
    await server.create("bench_mail", messages=0)
    mailbox = Mailbox(port=dovecot.imap_port, user=USER, password=PASSWORD, folder=_THEIRS)
    helpdesk = DjangoHelpdesk(folder, server.url_of("bench_helpdesk_copy"), mailbox)
    say("mail: installing django-helpdesk")
    versions = await helpdesk.install()
    template = DjangoHelpdesk(folder, server.url_of("bench_helpdesk"), mailbox)
    await server.create_empty("bench_helpdesk")
    await template.prepare()
    written = letters(mails, USER)
    ours, theirs = _Taken(), _Taken()
    for number in range(1, rounds + 1):
        say(f"mail: round {number} of {rounds}")
        for name in (_OURS, _THEIRS):
            await asyncio.to_thread(dovecot.empty, name)
            await asyncio.to_thread(dovecot.append, name, written)
        async with server.copied("bench_mail") as database:
            await server.checkpoint()
            async with _receiver(home, server.url_of(database), dovecot.imap_port):
                ours.add(*await _counted(server.url_of(database), _OUR_MAILS, mails))
        async with server.copied("bench_helpdesk") as database:
            await server.checkpoint()
            taking = asyncio.create_task(helpdesk.get_email())
            theirs.add(*await _counted(server.url_of(database), _THEIR_MAILS, mails, taking))
            await taking
    return [
        Figure(what=f"mail intake over IMAP, django-helpdesk ({versions})", measured=str(theirs)),
        Figure(what="mail intake over IMAP, the desk", measured=str(ours)),
        at_least("… the desk over django-helpdesk", ours.rate / theirs.rate, _LEAST_TIMES, "x"),
    ]


async def _counted(
    url: str, statement: sql.SQL, mails: int, work: asyncio.Task[None] | None = None
) -> tuple[int, float]:
    """Return how many mails were stored after the first ones seen, and in how many seconds.

    So neither side's start counts.
    """
    end = time.monotonic() + _PATIENCE_SECONDS
    first: tuple[int, float] | None = None
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        while time.monotonic() < end:
            is_over = work is not None and work.done()
            rows = await connection.execute(statement)
            found = await rows.fetchone()
            count, now = (int(found[0]) if found else 0), time.perf_counter()
            if first is None and count:
                first = count, now
            if first is not None and count >= mails:
                return count - first[0], now - first[1]
            if is_over:
                raise NotTakenIn(f"{count} of {mails} mails were taken in")
            await asyncio.sleep(_POLL_SECONDS)
    raise NotTakenIn(f"not all of {mails} mails were taken in within {_PATIENCE_SECONDS:g} s")


@asynccontextmanager
async def _receiver(home: Path, database_url: str, imap_port: int) -> AsyncIterator[None]:
    """Run the desk's receiving process on a mailbox whose mail is all to be taken in."""
    environment = {
        **_account(imap_port, smtp_port=25),
        f"{_ACCOUNT}IMPORT_ALL": "true",
        "DATABASE_URL": database_url,
        "DESK_HOME": str(home),
        supervised.VARIABLE: "1",
    }
    command = [sys.executable, "-m", "core.wiring.program", "receive"]
    log = Home.at(home).logs / "bench-mail.log"
    async with running(command, log=log, environment=environment):
        yield


def _account(imap_port: int, *, smtp_port: int) -> dict[str, str]:
    from tests.support.dovecot import PASSWORD, USER

    values = {
        "ADDRESS": USER,
        "IMAP_HOST": "127.0.0.1",
        "IMAP_PORT": str(imap_port),
        "IMAP_SECURITY": "none",
        "IMAP_PASSWORD": PASSWORD,
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": str(smtp_port),
        "SMTP_SECURITY": "none",
        "SMTP_SIGNS_IN": "false",
    }
    return {f"{_ACCOUNT}{name}": value for name, value in values.items()}


async def _answers(home: Path, dovecot: Dovecot, say: Callable[[str], None]) -> Figure:
    """Have people write one after the other to a whole desk, and be answered by mail."""
    from tests.support.dovecot import USER

    await asyncio.to_thread(dovecot.empty, _OURS)
    waits = []
    run = secrets.token_hex(3)  # a home that is kept knows the people of the last run
    async with MailPlatform.running(USER) as people:
        account = _account(dovecot.imap_port, smtp_port=people.smtp_port)
        async with running_desk(home, account) as desk:
            await desk.all_is_embedded()
            say("mail: delivery to first answer")
            for number, question in enumerate(distinct_questions(_WARM_UP + _ANSWERS)):
                person = Person(address=f"asker{number}-{run}@people.example", name="Asker")
                written = people.compose(person, question, subject=question)
                began = time.perf_counter()
                await asyncio.to_thread(dovecot.deliver, written.raw, person.address)
                waits.append(await _answered(people, person.address) - began)
    waits = waits[_WARM_UP:]
    return at_most(
        "mail delivered to Dovecot → first answer at the sender's server, p50 (IDLE)",
        median(waits),
        _ANSWER_SECONDS,
        "s",
        note=f", p95 {percentile(waits, 95):.2f} s ({len(waits)} mails)",
    )


async def _answered(people: MailPlatform, address: str) -> float:
    """Return when the first mail to `address` was there."""
    end = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < end:
        if any(address in taken.recipients for taken in people.received):
            return time.perf_counter()
        await asyncio.sleep(_POLL_SECONDS / 4)
    raise NotTakenIn(f"a mail of {address} was not answered within {_PATIENCE_SECONDS:g} s")
