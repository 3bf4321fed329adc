"""The mail channel reads folders of a real Dovecot."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from channels.email.channel import EmailChannel
from channels.email.imap import ImapConnection, ImapFailed
from channels.email.imap_answers import modified_utf7, uid_set
from channels.email.settings import EmailSettings
from channels.simulator.email import Person, write
from core.domain.account import AccountState
from core.domain.ids import AccountId
from core.runtime.machine.polling import until
from tests.support.cuttable import CuttableProxy
from tests.support.dovecot import HOST, PASSWORD, USER, Dovecot, running_dovecot
from tests.unit.email.transport.memory import MemoryBlobs, MemoryInbox, context

ACCOUNT = AccountId("support")
ANA = Person(address="ana@people.example", name="Ana")
PATIENCE_SECONDS = 20.0


def mail(number: int | str, *, text: str | None = None, at: datetime | None = None) -> bytes:
    return write(
        ANA,
        USER,
        text or f"mail {number}",
        message_id=f"<{number}@people.example>",
        at=at or datetime.now(UTC),
    ).raw


@pytest.fixture(scope="module")
def dovecot() -> Iterator[Dovecot]:
    with running_dovecot() as server:
        yield server


@pytest.fixture(autouse=True)
def _empty_mailbox(dovecot: Dovecot) -> None:
    for folder in ("INBOX", "Second", "Done"):
        dovecot.empty(folder)


class Account:
    """An account, its inbox, and a receiver that can be stopped and started."""

    def __init__(self, port: int, **changes: Any) -> None:
        self.inbox = MemoryInbox()
        self.settings: dict[str, Any] = {
            "address": USER,
            "imap_host": HOST,
            "imap_port": port,
            "imap_security": "none",
            "imap_password": PASSWORD,
            "timeout_seconds": 5,
            **changes,
        }

    @asynccontextmanager
    async def receiving(self) -> AsyncIterator[None]:
        """Receive while the block runs."""
        settings = EmailSettings.model_validate(self.settings)
        channel = EmailChannel(ACCOUNT, settings, context(MemoryBlobs()))
        task = asyncio.create_task(channel.receive(self.inbox))
        try:
            yield
            assert not task.done(), "receive ended by itself"
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def begun(self, *folders: str) -> None:
        """Wait until every folder has a cursor."""

        async def have() -> bool:
            return all(f"imap:{folder}" in self.inbox.cursors for folder in folders or ["INBOX"])

        assert await until(have, every=0.01, seconds=PATIENCE_SECONDS), self.inbox.health

    async def has(self, count: int) -> None:
        """Wait until there are `count` messages."""

        async def they_are() -> bool:
            return len(self.inbox.texts) >= count

        await until(they_are, every=0.01, seconds=PATIENCE_SECONDS)
        assert len(self.inbox.texts) == count, self.inbox.health

    async def is_(self, state: AccountState) -> None:
        """Wait until the account reports `state`."""

        async def reported() -> bool:
            return bool(self.inbox.health) and self.inbox.health[-1].state is state

        assert await until(reported, every=0.01, seconds=PATIENCE_SECONDS), self.inbox.health


async def _until_flags(dovecot: Dovecot, folder: str, wanted: Sequence[str]) -> None:
    seen: list[str] = []

    async def are() -> bool:
        flags = await asyncio.to_thread(dovecot.flags, folder)
        seen[:] = [item.partition("FLAGS (")[2].partition(")")[0] for item in flags]
        return [flag.replace("\\Recent", "").strip() for flag in seen] == list(wanted)

    assert await until(are, every=0.05, seconds=PATIENCE_SECONDS), seen


async def test_only_mail_from_the_accounts_start_on_is_taken_in(dovecot: Dovecot) -> None:
    dovecot.deliver(mail("old"))
    account = Account(dovecot.imap_port)
    async with account.receiving():
        await account.begun()
        dovecot.deliver(mail("new"))
        await account.has(1)
    assert account.inbox.texts == ["mail new"]


async def test_older_mail_is_taken_in_where_that_is_asked_for(dovecot: Dovecot) -> None:
    for number in range(40):
        dovecot.deliver(mail(number))
    account = Account(dovecot.imap_port, import_all=True)
    async with account.receiving():
        await account.has(40)
    assert account.inbox.texts == [f"mail {number}" for number in range(40)]


async def test_what_came_while_nobody_received_is_taken_in_later(dovecot: Dovecot) -> None:
    account = Account(dovecot.imap_port)
    async with account.receiving():
        await account.begun()
    dovecot.deliver(mail(1))
    async with account.receiving():
        await account.has(1)


@pytest.mark.parametrize(
    ("after", "inbox", "done"),
    [
        ("leave", [""], []),
        ("flag", ["\\Seen"], []),
        ("move", [], ["\\Seen"]),
        ("delete", [], []),
    ],
)
async def test_what_becomes_of_a_mail_afterwards_is_a_setting(
    dovecot: Dovecot, after: str, inbox: list[str], done: list[str]
) -> None:
    move_to = "Done" if after == "move" else ""
    account = Account(dovecot.imap_port, after_processing=after, move_to=move_to)
    async with account.receiving():
        await account.begun()
        dovecot.deliver(mail(1))
        await account.has(1)
        await _until_flags(dovecot, "INBOX", inbox)
        await _until_flags(dovecot, "Done", done)


async def test_while_the_database_is_away_nothing_is_flagged(dovecot: Dovecot) -> None:
    account = Account(dovecot.imap_port)
    async with account.receiving():
        await account.begun()
        account.inbox.is_away = True
        dovecot.deliver(mail(1))
        await asyncio.sleep(0.3)
        assert "\\Seen" not in dovecot.flags()[0]
        account.inbox.is_away = False
        await account.has(1)
        await _until_flags(dovecot, "INBOX", ["\\Seen"])


async def test_a_mail_put_aside_is_starred_and_stays(dovecot: Dovecot) -> None:
    account = Account(dovecot.imap_port, after_processing="delete", max_bytes=2_000)
    account.inbox.refused = {"never"}
    async with account.receiving():
        await account.begun()
        dovecot.deliver(mail(1, text="word " * 1_000))
        dovecot.deliver(mail(2, text="never"))
        dovecot.deliver(mail(3))
        await account.has(1)
        await _until_flags(dovecot, "INBOX", ["\\Flagged", "\\Flagged"])
    too_large, refused = account.inbox.asides
    assert "above max_bytes" in too_large[1]
    assert b"Message-ID: <1@people.example>" in too_large[0]
    assert b"word word" not in too_large[0]
    assert b"never" in refused[0]
    async with account.receiving():
        await account.is_(AccountState.CONNECTED)
    assert len(dovecot.flags()) == 2


async def test_a_mail_whose_content_is_withheld_is_put_aside_and_the_next_are_read(
    dovecot: Dovecot, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch = ImapConnection.fetch

    async def withholding(
        self: ImapConnection, uids: Sequence[int], section: str = ""
    ) -> dict[int, bytes]:
        found = await fetch(self, uids, section)
        return {uid: raw for uid, raw in found.items() if section or b"withheld" not in raw}

    monkeypatch.setattr(ImapConnection, "fetch", withholding)
    account = Account(dovecot.imap_port)
    async with account.receiving():
        await account.begun()
        dovecot.deliver(mail(1, text="withheld"))
        dovecot.deliver(mail(2))
        await account.has(1)
        await _until_flags(dovecot, "INBOX", ["\\Flagged", "\\Seen"])
    ((headers, reason),) = account.inbox.asides
    assert b"Message-ID: <1@people.example>" in headers
    assert "does not give its content; it is still in folder 'INBOX'" in reason


async def test_what_a_dead_process_left_unflagged_is_flagged_by_the_next(dovecot: Dovecot) -> None:
    account = Account(dovecot.imap_port)
    async with account.receiving():
        await account.begun()
        dovecot.deliver(mail(1))
        await _until_flags(dovecot, "INBOX", ["\\Seen"])
    with dovecot.mailbox() as client:
        client.select("INBOX")
        client.uid("STORE", "1:*", "-FLAGS", "\\Seen")
    async with account.receiving():
        await _until_flags(dovecot, "INBOX", ["\\Seen"])


async def test_new_uids_neither_lose_nor_double_nor_import(dovecot: Dovecot) -> None:
    old = datetime.now(UTC) - timedelta(days=30)
    dovecot.append("Second", [mail("old", at=old)], at=old)
    account = Account(dovecot.imap_port, folders="Second")
    async with account.receiving():
        await account.begun("Second")
        dovecot.append("Second", [mail(1), mail(2)])
        await account.has(2)
    with dovecot.mailbox() as client:
        client.select("Second")
        kept = [
            (client.uid("FETCH", uid, "(RFC822)")[1][0][1], when)
            for uid, when in zip(
                client.uid("SEARCH", "ALL")[1][0].split(), [old, None, None], strict=True
            )
        ]
        client.select("INBOX")
        client.delete("Second")
        client.create("Second")
    for raw, when in kept:
        dovecot.append("Second", [raw], at=when)
    dovecot.append("Second", [mail(3)])
    async with account.receiving():
        await account.has(3)
        await account.is_(AccountState.CONNECTED)
    assert account.inbox.texts == ["mail 1", "mail 2", "mail 3"]


async def test_a_folder_that_is_not_there_is_told_and_the_others_are_read(
    dovecot: Dovecot,
) -> None:
    account = Account(dovecot.imap_port, folders="INBOX, Nowhere")
    async with account.receiving():
        await account.begun("INBOX")
        await account.is_(AccountState.DEGRADED)
        dovecot.deliver(mail(1))
        await account.has(1)
    assert "Nowhere" in account.inbox.health[-1].reason
    assert account.inbox.health[-1].remedy


async def test_a_wrong_password_is_reported_with_a_remedy(dovecot: Dovecot) -> None:
    account = Account(dovecot.imap_port, imap_password="wrong")
    async with account.receiving():
        await account.is_(AccountState.BAD_CREDENTIALS)
    assert account.inbox.health[-1].remedy
    assert "wrong" not in account.inbox.health[-1].reason


async def test_a_refused_access_token_does_not_hang(dovecot: Dovecot) -> None:
    imap = await ImapConnection.open(
        HOST, dovecot.imap_port, tls=None, starts_tls=False, timeout_seconds=10
    )
    async with asyncio.timeout(9):
        with pytest.raises(Exception, match=r"(?i)auth"):
            await imap.sign_in_with_token(USER, "no-such-token")
    imap.abort()


async def test_without_idle_the_mailbox_is_polled() -> None:
    with running_dovecot(without=["IDLE", "MOVE", "UIDPLUS"]) as server:
        account = Account(server.imap_port, poll_seconds=1, after_processing="move", move_to="Done")
        async with account.receiving():
            await account.begun()
            server.deliver(mail(1))
            await account.has(1)
            await _until_flags(server, "Done", ["\\Seen"])


@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_certificates_are_verified(security: str) -> None:
    with running_dovecot(tls=True) as server:
        port = server.imaps_port if security == "tls" else server.imap_port
        common = {"imap_security": security, "imap_host": "localhost"}
        distrusting = Account(port, **common)
        async with distrusting.receiving():
            await distrusting.is_(AccountState.BAD_CREDENTIALS)
        assert "not trusted" in distrusting.inbox.health[-1].reason
        trusting = Account(port, **common, tls_ca_file=server.certificate)
        async with trusting.receiving():
            await trusting.begun()
            server.deliver(mail(1))
            await trusting.has(1)


async def test_a_lost_connection_ends_a_command_at_once(dovecot: Dovecot) -> None:
    async with CuttableProxy.to(dovecot.imap_port) as proxy:
        imap = await ImapConnection.open(
            HOST, proxy.port, tls=None, starts_tls=False, timeout_seconds=30
        )
        await imap.sign_in(USER, PASSWORD)
        await imap.select("INBOX", read_only=True)
        imap.expect_news()
        waiting = asyncio.create_task(imap.wait_for_news(1_000))
        await asyncio.sleep(0.1)
        proxy.cut()
        async with asyncio.timeout(5):
            with pytest.raises(ImapFailed):
                await waiting


async def test_thousands_of_lines_at_once_are_read() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"* OK ready\r\n")
        while line := await reader.readline():
            tag, command = line.split()[:2]
            if command == b"CAPABILITY":
                writer.write(b"* CAPABILITY IMAP4rev1\r\n")
            elif command == b"UID":
                for uid in range(1, 2_001):
                    writer.write(b"* %d FETCH (UID %d RFC822.SIZE 10)\r\n" % (uid, uid))
            writer.write(tag + b" OK done\r\n")
        writer.close()

    server = await asyncio.start_server(serve, HOST, 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        imap = await ImapConnection.open(HOST, port, tls=None, starts_tls=False, timeout_seconds=30)
        await imap.sign_in(USER, PASSWORD)
        await imap.select("INBOX", read_only=True)
        assert len(await imap.describe(range(1, 2_001))) == 2_000
        imap.abort()


async def test_two_hundred_mails_in_two_folders_over_bad_connections(dovecot: Dovecot) -> None:
    """Lost 0, doubled 0: half are in both folders; connections break, the receiver is stopped."""
    chance = random.Random(4)
    async with CuttableProxy.to(dovecot.imap_port) as proxy:
        account = Account(proxy.port, folders="INBOX, Second")
        async with account.receiving():
            await account.begun("INBOX", "Second")
        for block in range(4):
            mails = [mail(number) for number in range(block * 50, block * 50 + 50)]
            proxy.cut_after(chance.randrange(2_000, 40_000))
            async with account.receiving():
                for number, raw in enumerate(mails):
                    await asyncio.to_thread(dovecot.deliver, raw)
                    if number % 2:
                        await asyncio.to_thread(dovecot.append, "Second", [raw])
                await asyncio.sleep(chance.uniform(0, 0.2))
        async with account.receiving():
            await account.has(200)
            await account.is_(AccountState.CONNECTED)
        assert proxy.connections > 8
    assert sorted(account.inbox.texts) == sorted(f"mail {number}" for number in range(200))


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("INBOX", "INBOX"),
        ("Gesendet & mehr", "Gesendet &- mehr"),
        ("Entwürfe", "Entw&APw-rfe"),
        ("台北", "&U,BTFw-"),
    ],
)
def test_folder_names_are_written_as_imap_wants_them(name: str, written: str) -> None:
    assert modified_utf7(name) == written


def test_uids_are_written_as_ranges() -> None:
    assert uid_set([5, 1, 2, 3, 9]) == "1:3,5,9"
