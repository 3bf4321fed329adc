"""A proxy on loopback between a client and a server, whose connections can be cut."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Self

_HOST = "127.0.0.1"
_PIECE = 65_536


class CuttableProxy:
    """Passes bytes on, both ways, until told otherwise."""

    def __init__(self, target_port: int) -> None:
        self.port = 0
        self.connections = 0  # so far
        self.refuses = False  # new connections end at once
        self._target_port = target_port
        self._writers: set[asyncio.StreamWriter] = set()
        self._bytes_left: int | None = None

    @classmethod
    @asynccontextmanager
    async def to(cls, target_port: int) -> AsyncIterator[Self]:
        """Run a proxy to `target_port` while the block runs."""
        proxy = cls(target_port)
        server = await asyncio.start_server(proxy._serve, _HOST, 0)
        proxy.port = server.sockets[0].getsockname()[1]
        try:
            yield proxy
        finally:
            server.close()
            proxy.cut()
            await server.wait_closed()

    def cut(self) -> None:
        """End all connections without a word."""
        for writer in tuple(self._writers):
            writer.transport.abort()

    def cut_after(self, count: int) -> None:
        """Cut everything once the server has said `count` more bytes."""
        self._bytes_left = count

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refuses:
            writer.transport.abort()
            return
        self.connections += 1
        far_reader, far_writer = await asyncio.open_connection(_HOST, self._target_port)
        self._writers |= {writer, far_writer}
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pass_on(reader, far_writer, counts=False))
                both.create_task(self._pass_on(far_reader, writer, counts=True))
        finally:
            self._writers -= {writer, far_writer}

    async def _pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, counts: bool
    ) -> None:
        with suppress(OSError):
            while piece := await reader.read(_PIECE):
                if counts and self._bytes_left is not None:
                    self._bytes_left -= len(piece)
                    if self._bytes_left <= 0:
                        self._bytes_left = None
                        self.cut()
                        return
                writer.write(piece)
                await writer.drain()
        writer.transport.abort()
