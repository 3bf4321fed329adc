"""The client that measurements use, against a server that answers byte by byte as told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bench.http import Connection


@asynccontextmanager
async def _answering(*pieces: bytes) -> AsyncIterator[int]:
    """Serve one connection with `pieces` after its first request; yield the port."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def test_a_body_ends_with_its_length() -> None:
    pieces = (b"HTTP/1.1 202 Accepted\r\nContent-", b"Length: 4\r\n\r\nok", b"ay")
    async with _answering(*pieces) as port, Connection(port) as connection:
        assert await connection.get("/") == (202, b"okay")


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
async def test_events_come_whole_whatever_chunks_and_line_ends_are(end: bytes) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    sent = end.join([b"id: 1", b'data: {"seq": 1}', b"", b": ping", b"", b'data: {"seq": 2}', b""])
    halves = (sent[:12], sent[12:])
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(half), half) for half in halves) + b"0\r\n\r\n"
    async with _answering(head, chunks) as port, Connection(port) as connection:
        events = await connection.open_events("/")
        assert [event async for event in events] == [{"seq": 1}, {"seq": 2}]
