"""Copies of sent mail come to a folder of a real Dovecot, and harm nothing where they cannot."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from channels.email.channel import EmailChannel
from channels.simulator.email import MailPlatform
from core.runtime.machine.polling import until
from tests.support.dovecot import HOST, PASSWORD, USER, Dovecot, running_dovecot
from tests.unit.email.transport.builders import ACCOUNT, outbound, settings
from tests.unit.email.transport.memory import MemoryBlobs, context

FOLDER = "Second"


@pytest.fixture(scope="module")
def dovecot() -> Iterator[Dovecot]:
    with running_dovecot() as server:
        yield server


@asynccontextmanager
async def channel_to(
    people: MailPlatform, dovecot: Dovecot, **changes: Any
) -> AsyncIterator[EmailChannel]:
    known = {
        "address": USER,
        "imap_host": HOST,
        "imap_port": dovecot.imap_port,
        "imap_security": "none",
        "imap_password": PASSWORD,
        "smtp_host": "127.0.0.1",
        "smtp_port": people.smtp_port,
        "smtp_security": "none",
        "smtp_signs_in": "false",
        "sent_folder": FOLDER,
    }
    channel = EmailChannel(ACCOUNT, settings(**{**known, **changes}), context(MemoryBlobs()))
    try:
        yield channel
    finally:
        await channel.close()


@pytest.fixture
async def people() -> AsyncIterator[MailPlatform]:
    async with MailPlatform.running(USER) as platform:
        yield platform


async def test_what_was_sent_is_in_the_folder_read_already(
    dovecot: Dovecot, people: MailPlatform
) -> None:
    dovecot.empty(FOLDER)
    async with channel_to(people, dovecot) as channel:
        await asyncio.gather(*(channel.deliver(outbound(f"mail {n}")) for n in range(3)))

    def copied() -> list[str]:
        return dovecot.flags(FOLDER)

    async def all_are() -> bool:
        return len(await asyncio.to_thread(copied)) == 3

    assert await until(all_are, every=0.05, seconds=10)
    assert all("\\Seen" in flags for flags in copied())
    with dovecot.mailbox() as mailbox:
        mailbox.select(FOLDER)
        _, parts = mailbox.fetch("1", "(BODY[])")
    part = parts[0]
    assert isinstance(part, tuple)
    assert part[1] in [taken.raw for taken in people.received]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"sent_folder": "Nowhere"}, "Nowhere|exist"),
        ({"imap_password": "wrong"}, "(?i)auth"),
        ({"imap_port": 1}, "could not be reached"),
    ],
    ids=["no folder", "wrong password", "no server"],
)
async def test_a_copy_that_fails_harms_nothing(
    dovecot: Dovecot,
    people: MailPlatform,
    caplog: pytest.LogCaptureFixture,
    changes: dict[str, Any],
    reason: str,
) -> None:
    with caplog.at_level(logging.WARNING, "channels.email.sent"):
        async with channel_to(people, dovecot, **changes) as channel:
            receipt = await channel.deliver(outbound())
    assert receipt.remote_ids
    assert len(people.received) == 1
    (said,) = (record.getMessage() for record in caplog.records)
    assert "no copy of" in said
    assert re.search(reason, said)


async def test_no_copies_are_made_unless_that_is_asked_for(
    dovecot: Dovecot, people: MailPlatform
) -> None:
    dovecot.empty(FOLDER)
    async with channel_to(people, dovecot, sent_folder="") as channel:
        await channel.deliver(outbound())
    assert not dovecot.flags(FOLDER)
