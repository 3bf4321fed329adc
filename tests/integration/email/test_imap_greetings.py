"""Connections to mail servers that fall silent, or go, before they are ready to be asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from channels.email.imap import ImapConnection, ImapFailed
from tests.support.dovecot import HOST

GREETING = b"* OK ready\r\n"
PATIENCE_SECONDS = 20.0


class Server:
    """Says `words`, and leaves or stays; answers nothing."""

    def __init__(self, words: bytes, *, leaves: bool = False) -> None:
        self._words = words
        self._leaves = leaves
        self.was_asked = asyncio.Event()
        self.was_left = asyncio.Event()
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(self._words)
        try:
            while not self._leaves and await reader.readline():
                self.was_asked.set()
        except ConnectionResetError:
            pass  # what an ended attempt leaves
        writer.close()
        self.was_left.set()


@asynccontextmanager
async def running(server: Server) -> AsyncIterator[Server]:
    async with await asyncio.start_server(server.serve, HOST, 0) as listening:
        server.port = listening.sockets[0].getsockname()[1]
        yield server


async def connected(server: Server, timeout_seconds: float) -> ImapConnection:
    return await ImapConnection.open(
        HOST, server.port, tls=None, starts_tls=False, timeout_seconds=timeout_seconds
    )


@pytest.mark.parametrize("words", [b"", GREETING], ids=["silent", "greets alone"])
async def test_a_server_that_falls_silent_is_given_up_in_time(words: bytes) -> None:
    async with running(Server(words)) as server, asyncio.timeout(PATIENCE_SECONDS):
        with pytest.raises(ImapFailed, match="could not be reached"):
            await connected(server, timeout_seconds=0.3)
        await server.was_left.wait()


@pytest.mark.parametrize("words", [b"", GREETING, b"* BYE full\r\n"], ids=["", "greeted", "bye"])
async def test_a_server_that_leaves_at_once_is_not_waited_for(words: bytes) -> None:
    async with running(Server(words, leaves=True)) as server, asyncio.timeout(PATIENCE_SECONDS):
        with pytest.raises(ImapFailed):
            await connected(server, timeout_seconds=1_000)


async def test_an_attempt_can_be_given_up_while_the_server_has_not_answered() -> None:
    async with running(Server(GREETING)) as server, asyncio.timeout(PATIENCE_SECONDS):
        attempt = asyncio.create_task(connected(server, timeout_seconds=1_000))
        await server.was_asked.wait()
        attempt.cancel()
        with pytest.raises(asyncio.CancelledError):
            await attempt
        await server.was_left.wait()
