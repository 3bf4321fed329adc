from __future__ import annotations

import asyncio
import smtplib
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime

import pytest

from channels.email.channel import EmailChannel
from channels.simulator.email import Person, write
from core.domain.account import AccountState
from core.runtime.machine.polling import until
from tests.unit.email.transport.builders import ACCOUNT, ANA, DESK, NOW, THREAD, settings, tokens
from tests.unit.email.transport.memory import MemoryBlobs, MemoryInbox, context


class Door:
    """A desk that takes mail by LMTP."""

    def __init__(self, channel: EmailChannel, inbox: MemoryInbox, arrived: Counter[str]) -> None:
        self.channel, self.inbox, self.arrived = channel, inbox, arrived

    async def give(self, raw: bytes, recipient: str = DESK) -> None:
        """Hand a mail in."""
        port = self.channel.lmtp_port
        assert port is not None

        def give() -> None:
            with smtplib.LMTP("127.0.0.1", port, timeout=10) as server:
                server.sendmail(ANA, [recipient], raw)

        await asyncio.to_thread(give)

    async def dialogue(self, recipients: list[str], raw: bytes) -> list[int]:
        """Hand a mail in for several people; return all replies after the greeting."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.channel.lmtp_port)
        await reader.readline()
        writer.write(b"LHLO x\r\n")
        while not (await reader.readline()).startswith(b"250 "):
            pass
        writer.write(f"MAIL FROM:<{ANA}>\r\n".encode())
        for recipient in recipients:
            writer.write(f"RCPT TO:<{recipient}>\r\n".encode())
        writer.write(b"DATA\r\n" + raw + b".\r\nQUIT\r\n")
        replies = [int(line[:3]) async for line in reader]
        writer.close()
        await writer.wait_closed()
        return replies


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    inbox = MemoryInbox()
    configured = settings(max_bytes=50_000, aliases="sales@desk.example")
    arrived = Counter[str]()

    def now() -> datetime:
        arrived["mails"] += 1
        return datetime.now(UTC)

    channel = EmailChannel(ACCOUNT, configured, context(MemoryBlobs()), now)
    receiving = asyncio.create_task(channel.receive(inbox))

    async def listens() -> bool:
        return channel.lmtp_port is not None

    assert await until(listens, every=0.01, seconds=10)
    arrived.clear()
    yield Door(channel, inbox, arrived)
    assert not receiving.done(), "receive ended by itself"
    receiving.cancel()
    with suppress(asyncio.CancelledError):
        await receiving


def mail(text: str = "hello", number: int = 1) -> bytes:
    who = Person(address=ANA)
    return write(who, "somebody@else.example", text, message_id=f"<{number}@x>", at=NOW).raw


async def test_a_mail_is_stored_when_it_is_acknowledged(door: Door) -> None:
    await door.give(mail())
    assert door.inbox.texts == ["hello"]
    assert door.inbox.health[-1].state is AccountState.CONNECTED


async def test_while_the_database_is_away_the_server_keeps_the_mail(door: Door) -> None:
    door.inbox.is_away = True
    with pytest.raises(smtplib.SMTPDataError) as raised:
        await door.give(mail())
    assert raised.value.smtp_code == 451
    door.inbox.is_away = False
    await door.give(mail())
    assert door.inbox.texts == ["hello"]


async def test_each_recipient_has_an_answer(door: Door) -> None:
    replies = await door.dialogue(
        [DESK, "nobody@desk.example", "Sales@desk.example", "help+x@desk.example"], mail()
    )
    assert replies == [250, 250, 550, 250, 250, 354, 250, 250, 250, 221]
    assert door.inbox.texts == ["hello"]


async def test_the_token_may_stand_in_the_envelope_alone(door: Door) -> None:
    await door.give(mail(), str(tokens().reply_address(THREAD)))
    assert door.inbox.posted[0].thread == THREAD


async def test_a_mail_that_is_too_large_is_refused_for_each_recipient(door: Door) -> None:
    replies = await door.dialogue([DESK, "sales@desk.example"], b"word word\r\n" * 10_000)
    assert replies == [250, 250, 250, 354, 552, 552, 221]
    assert door.inbox.texts == []


async def test_long_lines_are_no_reason_to_refuse_a_mail(door: Door) -> None:
    raw = mail() + b"x" * 20_000 + b"\r\n"
    await door.give(raw)
    assert len(door.inbox.texts) == 1


async def test_a_port_that_is_taken_is_told_and_had_later(door: Door) -> None:
    inbox = MemoryInbox()
    configured = settings(lmtp_port=door.channel.lmtp_port)
    other = EmailChannel(ACCOUNT, configured, context())
    receiving = asyncio.create_task(other.receive(inbox))

    async def reported() -> bool:
        return bool(inbox.health)

    assert await until(reported, every=0.01, seconds=10)
    assert inbox.health[-1].state is AccountState.DEGRADED
    assert inbox.health[-1].remedy
    receiving.cancel()
    with suppress(asyncio.CancelledError):
        await receiving


async def test_sessions_that_wait_for_a_commit_share_the_next_one(door: Door) -> None:
    door.inbox.may_store.clear()
    first = asyncio.create_task(door.give(mail("0", number=0)))
    assert await until(lambda: _holds(door.inbox.batches == [1]), every=0.01, seconds=10)
    others = [asyncio.create_task(door.give(mail(str(n), number=n))) for n in range(1, 4)]
    assert await until(lambda: _holds(door.arrived["mails"] == 4), every=0.01, seconds=10)
    assert not any(one.done() for one in (first, *others))
    door.inbox.may_store.set()
    await asyncio.gather(first, *others)
    assert door.inbox.batches == [1, 3]
    assert sorted(door.inbox.texts) == ["0", "1", "2", "3"]


async def test_a_mail_that_cannot_be_stored_takes_no_other_with_it(door: Door) -> None:
    door.inbox.refused.add("bad")
    door.inbox.may_store.clear()
    giving = [
        asyncio.create_task(door.give(mail(words, number=n)))
        for n, words in enumerate(("one", "bad", "two"))
    ]
    assert await until(lambda: _holds(door.arrived["mails"] == 3), every=0.01, seconds=10)
    door.inbox.may_store.set()
    await asyncio.gather(*giving)
    assert sorted(door.inbox.texts) == ["one", "two"]
    assert [reason for _, reason in door.inbox.asides] == ["this can never be stored"]


async def _holds(truth: bool) -> bool:
    return truth
