"""A ClamAV daemon for tests: speaks the protocol on loopback and knows one virus."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

# In two parts, so that scanners that look at this folder leave it alone.
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR" + rb"-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


@dataclass(slots=True)
class Daemon:
    """The far side: how it is set."""

    max_stream_bytes: int = 25_000_000
    is_broken: bool = False  # answers what clamd says when its database is being loaded

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        command = await reader.readuntil(b"\0")
        if command == b"zPING\0":
            writer.write(b"PONG\0")
        elif command == b"zINSTREAM\0":
            writer.write(await self._scan(reader) + b"\0")
        await writer.drain()
        writer.close()

    async def _scan(self, reader: asyncio.StreamReader) -> bytes:
        content = b""
        while length := int.from_bytes(await reader.readexactly(4), "big"):
            content += await reader.readexactly(length)
            if len(content) > self.max_stream_bytes:
                return b"INSTREAM size limit exceeded. ERROR"
        if self.is_broken:
            return b"stream: Can't allocate memory ERROR"
        return b"stream: Eicar-Test-Signature FOUND" if EICAR in content else b"stream: OK"


@asynccontextmanager
async def clamd(socket: Path | None = None) -> AsyncIterator[tuple[Daemon, str]]:
    """Serve a daemon; yield it and where it is."""
    daemon = Daemon()
    if socket is not None:
        server = await asyncio.start_unix_server(daemon.answer, socket)
        location = str(socket)
    else:
        server = await asyncio.start_server(daemon.answer, "127.0.0.1", 0)
        location = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield daemon, location
