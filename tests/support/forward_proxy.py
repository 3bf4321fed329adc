"""A forward proxy on loopback (RFC 9110, 9.3.6 and RFC 9112, 3.2.2) that knows hosts of its own."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass
class ForwardProxy:
    """Lets calls through to `hosts`, each at a port of this machine; refuses all others."""

    hosts: Mapping[str, int] = field(default_factory=dict)
    password: str | None = None  # as in `Proxy-Authorization`
    asked: list[str] = field(default_factory=list)  # method and target of each call
    url: str = ""

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await self._pass(reader, writer)
        finally:
            writer.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("ascii")
        method, target, _ = head.partition("\r\n")[0].split(" ")
        self.asked.append(f"{method} {target}")
        is_tunnel = method == "CONNECT"
        url = urlsplit(f"//{target}" if is_tunnel else target)
        port = self.hosts.get(url.hostname or "")
        if self.password is not None and f"Proxy-Authorization: {self.password}\r\n" not in head:
            return await _refuse(writer, "407 Proxy Authentication Required")
        if port is None:
            return await _refuse(writer, "403 Forbidden")
        there, to = await asyncio.open_connection("127.0.0.1", port)
        try:
            if is_tunnel:
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                to.write(head.replace(target, url.path, 1).encode("ascii"))
            await asyncio.gather(_copy(reader, to), _copy(there, writer))
        finally:
            to.close()


async def _refuse(writer: asyncio.StreamWriter, why: str) -> None:
    writer.write(f"HTTP/1.1 {why}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
    await writer.drain()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(65536):
        writer.write(piece)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()


@asynccontextmanager
async def forward_proxy(
    hosts: Mapping[str, int], password: str | None = None, context: ssl.SSLContext | None = None
) -> AsyncIterator[ForwardProxy]:
    """Run a proxy for as long as the block does, over TLS where there is a `context`."""
    found = ForwardProxy(hosts=hosts, password=password)
    server = await asyncio.start_server(found._serve, "127.0.0.1", 0, ssl=context)
    scheme, host = ("http", "127.0.0.1") if context is None else ("https", "localhost")
    found.url = f"{scheme}://{host}:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield found
