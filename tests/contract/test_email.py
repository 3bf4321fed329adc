"""E-mail keeps what every channel promises: by IMAP from a real Dovecot, and by LMTP."""

from __future__ import annotations

import asyncio
import smtplib
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from channels.email.channel import EmailChannel
from channels.email.settings import EmailSettings, Security
from channels.simulator.email import MailPlatform, Person, write
from channels.simulator.faults import Fault
from core.adapters.blobs import ObjectBlobs
from core.domain.ids import AccountId, ThreadKey
from core.ports import ChannelContext
from core.storage.engine import Sessions
from tests.contract.channel_conformance import RemoteChannelConformance, Store, store_for
from tests.support.cuttable import CuttableProxy
from tests.support.dovecot import PASSWORD, USER, Dovecot, running_dovecot
from tests.support.no_tickets import NoTickets

ACCOUNT = AccountId("support")
ANA = Person(address="ana@people.example", name="Ana")
_BOMB_DEPTH = 300
_ROOT = "<root@people.example>"


def context(folder: Path) -> ChannelContext:
    return ChannelContext(
        blobs=ObjectBlobs.at(folder.as_uri()),
        tickets=NoTickets(),
        base_url="http://desk.example",
        key=b"a key that only this test knows",
        default_language="en",
    )


def bomb(person: Person) -> bytes:
    """A mail within a mail within a mail …"""
    shells = "".join(
        f'Content-Type: multipart/mixed; boundary="b{depth}"\r\n\r\n--b{depth}\r\n'
        for depth in range(_BOMB_DEPTH)
    )
    head = f"From: {person.address}\r\nMIME-Version: 1.0\r\n"
    return f"{head}{shells}Content-Type: text/plain\r\n\r\nhello\r\n".encode()


@dataclass
class Mailing:
    """People and their mail server, and the account under test."""

    channel: EmailChannel
    store: Store
    people: MailPlatform
    stack: AsyncExitStack
    names: list[str | None] = field(default_factory=list)
    """What was handed in, in order; None for what is malformed."""
    written: dict[str, bytes] = field(default_factory=dict)

    def _mail(self, text: str, name: str) -> bytes:
        """Return a mail of the one thread of this test; the same one for the same name."""
        if name not in self.written:
            identity = name.replace(" ", "-")
            written = self.people.compose(ANA, text, answers=[_ROOT], name=identity)
            self.written[name] = written.raw
        return self.written[name]

    def fail_next_send(self, fault: Fault) -> None:
        self.people.faults.plan(fault, method="send")

    async def sent(self) -> list[str]:
        return [taken.text for taken in self.people.received]

    async def edit(self, text: str, name: str) -> None:
        raise NotImplementedError("this platform has no edits")

    def thread(self) -> ThreadKey:
        return ThreadKey("mail/" + "a" * 21)

    async def malformed_was_refused(self) -> bool:
        return False

    def chain(self, words: Sequence[str]) -> list[bytes]:
        """Return mails in which somebody says `words`, each an answer to the one before."""
        begun = datetime.now(UTC) - timedelta(minutes=len(words))
        ids = [f"<{number}.chain@people.example>" for number in range(len(words))]
        return [
            write(
                ANA,
                USER,
                word,
                message_id=ids[number],
                at=begun + timedelta(minutes=number),
                answers=ids[:number],
            ).raw
            for number, word in enumerate(words)
        ]

    async def receive(self, channel: EmailChannel) -> None:
        """Receive with `channel` until the test ends."""
        receiving = asyncio.create_task(channel.receive(self.store.intake))

        async def stop() -> None:
            assert not receiving.done(), "receive ended by itself"
            receiving.cancel()
            with suppress(asyncio.CancelledError):
                await receiving
            await channel.close()

        self.stack.push_async_callback(stop)


@dataclass
class ByImap(Mailing):
    """The account reads a mailbox of a Dovecot."""

    dovecot: Dovecot | None = None
    proxy: CuttableProxy | None = None
    settings: EmailSettings | None = None
    context: ChannelContext | None = None

    @property
    def _server(self) -> Dovecot:
        assert self.dovecot is not None
        return self.dovecot

    async def post(self, text: str, name: str) -> None:
        await asyncio.to_thread(self._server.deliver, self._mail(text, name))
        self.names.append(name)

    async def post_malformed(self) -> None:
        await asyncio.to_thread(self._server.deliver, bomb(ANA))
        self.names.append(None)

    async def post_reversed(self, words: Sequence[str]) -> None:
        for raw in reversed(self.chain(words)):
            await asyncio.to_thread(self._server.deliver, raw)

    async def acknowledged(self) -> list[str]:
        flags = await asyncio.to_thread(self._server.flags)
        names = self.names if self.names else []
        return [
            name
            for name, flag in zip(names, flags, strict=False)
            if name is not None and "\\Seen" in flag
        ]

    async def start_another(self) -> None:
        assert self.settings is not None
        assert self.context is not None
        await self.receive(EmailChannel(ACCOUNT, self.settings, self.context))

    async def lose_credentials(self) -> None:
        assert self.proxy is not None
        self._server.set_password("another")
        self._server.until_password_counts("another")
        self.proxy.cut()


@dataclass
class ByLmtp(Mailing):
    """Mail comes straight from the mail server, which comes again when it was not taken."""

    done: list[str] = field(default_factory=list)
    waiting: asyncio.Queue[tuple[str | None, bytes]] = field(default_factory=asyncio.Queue)

    async def post(self, text: str, name: str) -> None:
        self.waiting.put_nowait((name, self._mail(text, name)))

    async def post_malformed(self) -> None:
        self.waiting.put_nowait((None, bomb(ANA)))

    async def post_reversed(self, words: Sequence[str]) -> None:
        for raw in reversed(self.chain(words)):
            self.waiting.put_nowait((None, raw))

    async def acknowledged(self) -> list[str]:
        return list(self.done)

    async def start_another(self) -> None:
        """Nothing to do: a port is one process's own."""

    async def lose_credentials(self) -> None:
        raise NotImplementedError

    async def hand_in(self) -> None:
        """Hand in what is waiting, in order, each until it was taken."""
        while True:
            name, raw = await self.waiting.get()
            while not await self._was_taken(raw):
                await asyncio.sleep(0.1)
            if name is not None:
                self.done.append(name)

    async def _was_taken(self, raw: bytes) -> bool:
        port = self.channel.lmtp_port
        if port is None:
            return False

        def give() -> None:
            with smtplib.LMTP("127.0.0.1", port, timeout=20) as server:
                server.sendmail(ANA.address, [USER], raw)

        try:
            await asyncio.to_thread(give)
        except smtplib.SMTPException:
            return False
        return True


@pytest.fixture(scope="module")
def dovecot_server() -> Iterator[Dovecot]:
    with running_dovecot() as server:
        yield server


@pytest.fixture
async def people() -> AsyncIterator[MailPlatform]:
    async with MailPlatform.running(USER) as platform:
        yield platform


def outgoing(people: MailPlatform) -> dict[str, object]:
    """Return the settings that make mail go to `people`."""
    return {
        "address": USER,
        "smtp_host": "127.0.0.1",
        "smtp_port": people.smtp_port,
        "smtp_security": Security.NONE,
        "smtp_signs_in": False,
        "timeout_seconds": 5,
    }


class TestByImap(RemoteChannelConformance):
    test_an_edit_that_comes_before_its_message_counts = None  # type: ignore[assignment]  # mail has no edits

    @pytest.fixture
    async def proxy(self, dovecot_server: Dovecot) -> AsyncIterator[CuttableProxy]:
        dovecot_server.set_password(PASSWORD)
        dovecot_server.until_password_counts(PASSWORD)
        dovecot_server.empty("INBOX")
        async with CuttableProxy.to(dovecot_server.imap_port) as proxy:
            yield proxy

    @pytest.fixture
    def settings(self, people: MailPlatform, proxy: CuttableProxy) -> EmailSettings:
        return EmailSettings.model_validate(
            {
                **outgoing(people),
                "imap_host": "127.0.0.1",
                "imap_port": proxy.port,
                "imap_security": Security.NONE,
                "imap_password": SecretStr(PASSWORD),
            }
        )

    @pytest.fixture
    def channel(self, settings: EmailSettings, tmp_path: Path) -> EmailChannel:
        return EmailChannel(ACCOUNT, settings, context(tmp_path))

    @pytest.fixture
    def store(
        self, sessions: Sessions, database_url: str, tmp_path: Path, channel: EmailChannel
    ) -> Store:
        return store_for(sessions, database_url, tmp_path, channel)

    @pytest.fixture
    async def platform(
        self,
        channel: EmailChannel,
        store: Store,
        people: MailPlatform,
        dovecot_server: Dovecot,
        proxy: CuttableProxy,
        settings: EmailSettings,
        tmp_path: Path,
    ) -> AsyncIterator[ByImap]:
        async with AsyncExitStack() as stack:
            platform = ByImap(
                channel=channel,
                store=store,
                people=people,
                stack=stack,
                dovecot=dovecot_server,
                proxy=proxy,
                settings=settings,
                context=context(tmp_path),
            )
            await platform.receive(channel)
            await _until_there_is_a_cursor(store)
            yield platform


class TestByLmtp(RemoteChannelConformance):
    test_an_edit_that_comes_before_its_message_counts = None  # type: ignore[assignment]  # mail has no edits
    test_lost_credentials_are_reported_with_a_remedy = None  # type: ignore[assignment]  # LMTP has none
    test_two_processes_store_each_message_once = None  # type: ignore[assignment]  # a port belongs to one process

    @pytest.fixture
    def channel(self, people: MailPlatform, tmp_path: Path) -> EmailChannel:
        settings = EmailSettings.model_validate(
            {**outgoing(people), "lmtp_host": "127.0.0.1", "lmtp_port": 0}
        )
        return EmailChannel(ACCOUNT, settings, context(tmp_path))

    @pytest.fixture
    def store(
        self, sessions: Sessions, database_url: str, tmp_path: Path, channel: EmailChannel
    ) -> Store:
        return store_for(sessions, database_url, tmp_path, channel)

    @pytest.fixture
    async def platform(
        self, channel: EmailChannel, store: Store, people: MailPlatform
    ) -> AsyncIterator[ByLmtp]:
        async with AsyncExitStack() as stack:
            platform = ByLmtp(channel=channel, store=store, people=people, stack=stack)
            await platform.receive(channel)
            handing = asyncio.create_task(platform.hand_in())
            yield platform
            handing.cancel()
            with suppress(asyncio.CancelledError):
                await handing


async def _until_there_is_a_cursor(store: Store) -> None:
    """Wait until the account has begun: what is delivered before is not its business."""
    async with asyncio.timeout(20):
        while await store.intake.cursor(ACCOUNT, "imap:INBOX") is None:
            await asyncio.sleep(0.02)
