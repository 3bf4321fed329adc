"""The virus scanner on a ClamAV daemon, over TCP or a Unix socket (clamd(8), INSTREAM)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from core.domain.errors import InvalidInput, ScannerUnavailable, TooLarge

_PIECE_BYTES = 64 * 1024
_PING_SECONDS = 3.0
_FOUND = re.compile(r"stream: (?P<virus>.+) FOUND\Z")
_Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Clamd:
    """Implements `core.ports.VirusScanner`."""

    def __init__(self, location: str, scan_seconds: float = 120.0) -> None:
        self._location = location
        self._scan_seconds = scan_seconds
        host, colon, port = location.rpartition(":")
        self._socket = Path(location) if "/" in location else None
        self._address = (host.strip("[]"), int(port)) if colon and port.isdigit() else None
        if self._socket is None and self._address is None:
            raise InvalidInput(f"a ClamAV daemon is host:port or a socket's path, not {location!r}")

    async def is_ready(self) -> bool:
        """See `core.ports.VirusScanner.is_ready`."""
        try:
            async with self._connected(_PING_SECONDS) as (reader, writer):
                writer.write(b"zPING\0")
                await writer.drain()
                return await _answer(reader) == "PONG"
        except ScannerUnavailable:
            return False

    async def scan(self, path: Path) -> str | None:
        """See `core.ports.VirusScanner.scan`."""
        async with self._connected(self._scan_seconds) as (reader, writer):
            writer.write(b"zINSTREAM\0")
            # A file that is too large is answered, and the connection closed, half-way.
            with suppress(ConnectionError):
                await _send(path, writer)
            answer = await _answer(reader)
        if answer == "stream: OK":
            return None
        if found := _FOUND.match(answer):
            return found["virus"]
        if "size limit exceeded" in answer:
            raise TooLarge("the virus scanner takes no file of this size")
        raise ScannerUnavailable(f"the virus scanner answered {answer[:200]!r}")

    @asynccontextmanager
    async def _connected(self, seconds: float) -> AsyncIterator[_Connection]:
        writer = None
        try:
            async with asyncio.timeout(seconds):
                reader, writer = await self._open()
                yield reader, writer
        except (OSError, EOFError, asyncio.LimitOverrunError) as error:
            raise ScannerUnavailable(f"no virus scanner answers at {self._location}") from error
        finally:
            if writer is not None:
                writer.close()
                with suppress(OSError):
                    await writer.wait_closed()

    async def _open(self) -> _Connection:
        if self._socket is not None:
            return await asyncio.open_unix_connection(self._socket)
        assert self._address is not None
        return await asyncio.open_connection(*self._address)


async def _send(path: Path, writer: asyncio.StreamWriter) -> None:
    """Send the file in pieces, each after its length; a length of zero ends it."""
    file = await asyncio.to_thread(path.open, "rb")
    try:
        while piece := await asyncio.to_thread(file.read, _PIECE_BYTES):
            writer.write(len(piece).to_bytes(4, "big") + piece)
            await writer.drain()
        writer.write(bytes(4))
        await writer.drain()
    finally:
        file.close()


async def _answer(reader: asyncio.StreamReader) -> str:
    answer = await reader.readuntil(b"\0")
    return answer[:-1].decode("utf-8", "replace")
