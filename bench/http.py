"""A lean HTTP/1.1 client: kept-alive connections and event streams, and no time of its own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any


class Connection:
    """One kept-alive connection to a server on this machine; one request at a time."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def __aenter__(self) -> Connection:
        self._reader, self._writer = await asyncio.open_connection(
            "127.0.0.1", self._port, limit=1 << 20
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._writer is not None:
            self._writer.close()

    async def get(self, path: str, token: str = "") -> tuple[int, bytes]:
        """Return status and body."""
        headers, status = await self._send("GET", path, token, b"")
        return status, await self._body(headers)

    async def post(self, path: str, body: dict[str, Any], token: str = "") -> tuple[int, bytes]:
        """Return status and body."""
        headers, status = await self._send("POST", path, token, json.dumps(body).encode())
        return status, await self._body(headers)

    async def open_events(self, path: str, token: str = "") -> AsyncIterator[dict[str, Any]]:
        """Return, once the server has answered, the stream's events as they come."""
        headers, status = await self._send("GET", path, token, b"")
        if status != 200:
            raise ConnectionError(f"the event stream was answered with status {status}")
        return self._events(headers)

    async def _send(
        self, method: str, path: str, token: str, body: bytes
    ) -> tuple[dict[str, str], int]:
        assert self._writer is not None
        assert self._reader is not None
        lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{self._port}"]
        if token:
            lines.append(f"Authorization: Bearer {token}")
        if body:
            lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
        self._writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        fields = (line.partition(":") for line in head[1:] if line)
        return {name.lower(): value.strip() for name, _, value in fields}, int(head[0].split()[1])

    async def _body(self, headers: dict[str, str]) -> bytes:
        assert self._reader is not None
        if headers.get("transfer-encoding") == "chunked":
            return b"".join([chunk async for chunk in self._chunks()])
        return await self._reader.readexactly(int(headers.get("content-length", "0")))

    async def _chunks(self) -> AsyncIterator[bytes]:
        assert self._reader is not None
        while size := int(await self._reader.readline(), 16):
            yield await self._reader.readexactly(size)
            await self._reader.readexactly(2)
        await self._reader.readexactly(2)

    async def _events(self, headers: dict[str, str]) -> AsyncIterator[dict[str, Any]]:
        if headers.get("transfer-encoding") != "chunked":
            raise ConnectionError("the event stream is not sent in chunks")
        waiting = b""
        async for chunk in self._chunks():
            *lines, waiting = (waiting + chunk).split(b"\n")  # lines may also end in CR LF
            for line in lines:
                if line.startswith(b"data:"):
                    yield json.loads(line[5:])
