"""One connection to an IMAP server: the commands the desk needs, on top of aioimaplib.

What aioimaplib leaves to its caller is done here and in `imap_protocol`: a lost connection ends
every command at once, STARTTLS, refusals in XOAUTH2, folder names, news between two commands.
"""

from __future__ import annotations

import asyncio
import base64
import re
import ssl
from collections.abc import Coroutine, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self, TypeVar

from aioimaplib.aioimaplib import (
    AUTH,
    NONAUTH,
    SELECTED,
    AioImapException,
    Command,
    Response,
    quoted,
)

from channels.email.errors import IMAP_REMEDY
from channels.email.headers import one_line
from channels.email.imap_protocol import WatchfulProtocol
from core.domain.errors import BadCredentials

_T = TypeVar("_T")
_FETCHED = re.compile(rb"^(?:\* )?\d+ FETCH \(")
_NUMBER = re.compile(rb"\[(UIDVALIDITY|UIDNEXT) (\d+)\]", re.IGNORECASE)
_UID = re.compile(rb"\bUID (\d+)")
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d+)")
_ARRIVED = re.compile(rb'\bINTERNALDATE "([^"]+)"')
_TRY_LATER = re.compile(rb"\[(?:UNAVAILABLE|LIMIT|INUSE|SERVERBUG)\]", re.IGNORECASE)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


class ImapFailed(Exception):
    """The server said no, said nothing, or is gone; begin again with a new connection."""


class NoSuchFolder(ImapFailed):
    """The folder does not exist or may not be opened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderState:
    """What the server says of a folder that was just opened."""

    uid_validity: int  # another number: the UIDs known so far mean nothing
    uid_next: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A mail on the server, not loaded yet."""

    uid: int
    size_bytes: int
    arrived_at: datetime | None  # INTERNALDATE


class ImapConnection:
    """A connection, from greeting to goodbye; any error ends its use."""

    def __init__(self, protocol: WatchfulProtocol, timeout_seconds: float) -> None:
        self._protocol = protocol
        self._timeout = timeout_seconds

    @classmethod
    async def open(
        cls,
        host: str,
        port: int,
        *,
        tls: ssl.SSLContext | None,
        starts_tls: bool,
        timeout_seconds: float,
    ) -> Self:
        """Connect, with TLS from the start or by STARTTLS, as asked.

        Raises:
            ImapFailed: the server is not there or not willing.
            BadCredentials: its certificate is not trusted.
        """
        loop = asyncio.get_running_loop()
        protocol = WatchfulProtocol(loop)
        connection = cls(protocol, timeout_seconds)
        try:
            async with asyncio.timeout(timeout_seconds):
                await loop.create_connection(
                    lambda: protocol, host, port, ssl=None if starts_tls else tls
                )
                await connection._race(protocol.wait(f"{AUTH}|{NONAUTH}"))
                if starts_tls and tls is not None:
                    await connection._start_tls(tls, host)
        except ssl.SSLCertVerificationError as error:
            connection.abort()
            raise BadCredentials(
                f"the certificate of {host} is not trusted: {one_line(error.verify_message)}",
                "Check the server's name, or set tls_ca_file to the certificates to trust.",
            ) from error
        except (OSError, TimeoutError, AioImapException) as error:
            connection.abort()
            raise ImapFailed(f"{host}:{port} could not be reached") from error
        except BaseException:
            connection.abort()
            raise
        return connection

    async def _start_tls(self, tls: ssl.SSLContext, host: str) -> None:
        protocol = self._protocol
        command = Command("STARTTLS", protocol.new_tag(), loop=protocol.loop)
        response = await self._race(protocol.execute(command))
        if response.result != "OK":
            raise ImapFailed(f"{host} does not offer STARTTLS")
        if protocol.incomplete_line:
            raise ImapFailed(f"{host} said something between STARTTLS and TLS")
        protocol.transport = await protocol.loop.start_tls(
            protocol.transport, protocol, tls, server_hostname=host
        )
        await self._race(protocol.capability())

    async def sign_in(self, user: str, password: str) -> None:
        """Sign in with a password.

        Raises:
            BadCredentials: the server does not accept them.
            ImapFailed: it cannot say now.
        """
        if "LOGINDISABLED" in self._protocol.capabilities:
            raise BadCredentials("the server takes no password on this connection", IMAP_REMEDY)
        try:
            response = await self._within(self._protocol.login(quoted(user), password))
        except ValueError:
            raise BadCredentials("the password holds control characters", IMAP_REMEDY) from None
        await self._signed_in(response)

    async def sign_in_with_token(self, user: str, token: str) -> None:
        """Sign in with an access token (XOAUTH2); raises as `sign_in`."""
        await self._signed_in(await self._within(self._protocol.xoauth2(user, token)))

    async def _signed_in(self, response: Response) -> None:
        if response.result != "OK":
            said = _last_line(response)
            if _TRY_LATER.search(said):
                raise ImapFailed(_words(said))
            raise BadCredentials(_words(said), IMAP_REMEDY)
        # What a server can do it may say only now.
        await self._within(self._protocol.capability())

    async def select(self, folder: str, *, read_only: bool) -> FolderState:
        """Open `folder`.

        Raises:
            NoSuchFolder: it cannot be opened.
        """
        name = quoted(modified_utf7(folder))
        protocol = self._protocol
        if read_only:
            response = await self._within(protocol.simple_command("EXAMINE", name))
        else:
            response = await self._within(protocol.select(name))
        if response.result != "OK":
            raise NoSuchFolder(f"folder {folder!r}: {_words(_last_line(response))}")
        protocol.state = SELECTED  # aioimaplib knows only SELECT to open a folder
        numbers = {
            found[1].upper(): int(found[2])
            for line in _lines(response)
            if (found := _NUMBER.search(line))
        }
        return FolderState(
            uid_validity=numbers.get(b"UIDVALIDITY", 0), uid_next=numbers.get(b"UIDNEXT")
        )

    async def search(self, *criteria: str) -> list[int]:
        """Return the UIDs that match, in order."""
        # No charset: Exchange refuses the word, and nothing here needs one.
        response = await self._checked(self._protocol.search(*criteria, charset=None, by_uid=True))
        found = {
            int(word) for line in response.lines[:-1] for word in line.split() if word.isdigit()
        }
        return sorted(found)

    async def describe(self, uids: Sequence[int]) -> dict[int, Listed]:
        """Return size and time of those mails that still exist."""
        response = await self._checked(
            self._protocol.fetch(
                uid_set(uids), "(UID RFC822.SIZE INTERNALDATE)", by_uid=True, timeout=self._timeout
            ),
            has_timeout=True,
        )
        listed = {}
        for text, _ in _items(response):
            uid, size, arrived = _UID.search(text), _SIZE.search(text), _ARRIVED.search(text)
            if uid and size:
                listed[int(uid[1])] = Listed(
                    uid=int(uid[1]),
                    size_bytes=int(size[1]),
                    arrived_at=_internal_date(arrived[1]) if arrived else None,
                )
        return listed

    async def fetch(self, uids: Sequence[int], section: str = "") -> dict[int, bytes]:
        """Return the bytes of those mails that still exist; no flag changes.

        `section` may be "HEADER" for the headers alone.
        """
        response = await self._checked(
            self._protocol.fetch(
                uid_set(uids), f"(UID BODY.PEEK[{section}])", by_uid=True, timeout=self._timeout
            ),
            has_timeout=True,
        )
        found = {}
        for text, content in _items(response):
            if uid := _UID.search(text):
                found[int(uid[1])] = content
        return found

    async def add_flag(self, uids: Sequence[int], flag: str) -> None:
        """Set `flag`, such as a backslash and Seen."""
        await self._checked(
            self._protocol.store(uid_set(uids), "+FLAGS.SILENT", f"({flag})", by_uid=True)
        )

    async def move(self, uids: Sequence[int], folder: str) -> None:
        """Move mails to `folder`."""
        name = quoted(modified_utf7(folder))
        if "MOVE" in self._protocol.capabilities:
            await self._checked(self._protocol.move(uid_set(uids), name, by_uid=True))
        else:
            await self._checked(self._protocol.copy(uid_set(uids), name, by_uid=True))
            await self.delete(uids)

    async def delete(self, uids: Sequence[int]) -> None:
        """Delete mails; on a server without UIDPLUS, mark them deleted and no more."""
        await self.add_flag(uids, "\\Deleted")
        if "UIDPLUS" in self._protocol.capabilities:
            # Never a plain EXPUNGE: it would also remove what others have marked.
            await self._checked(self._protocol.expunge(uid_set(uids), by_uid=True))

    @property
    def can_idle(self) -> bool:
        """Say whether the server tells by itself what is new."""
        return "IDLE" in self._protocol.capabilities

    def expect_news(self) -> None:
        """Count as news, from now on, what the server tells."""
        self._protocol.news.clear()

    async def wait_for_news(self, seconds: float) -> None:
        """Return when the server has told of a new mail since `expect_news`, or after `seconds`."""
        if self._protocol.news.is_set():
            return
        if self.can_idle:
            await self._idle(seconds)
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._race(self._protocol.news.wait())
        await self._checked(self._protocol.simple_command("NOOP"))

    async def _idle(self, seconds: float) -> None:
        protocol = self._protocol
        idling = asyncio.ensure_future(protocol.idle())
        try:
            await self._within(_first(idling, protocol.wait_for_idle_response()))
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._race(_first(idling, protocol.news.wait()))
            if not idling.done():
                protocol.idle_done()
            response = await self._within(idling)
            if response.result != "OK":
                raise ImapFailed(f"IDLE: {_words(_last_line(response))}")
        except AioImapException as error:
            raise ImapFailed(f"IDLE: {error}") from error
        finally:
            idling.cancel()
            with suppress(asyncio.CancelledError, AioImapException):
                await idling
            protocol.idle_queue = asyncio.Queue()  # nobody reads what is queued there

    async def sign_out(self) -> None:
        """Say goodbye, and end the connection however that goes."""
        try:
            await self._within(self._protocol.logout())
        except ImapFailed:
            pass
        finally:
            self.abort()

    def abort(self) -> None:
        """End the connection."""
        if self._protocol.transport is not None:
            self._protocol.transport.abort()

    async def _checked(
        self, command: Coroutine[Any, Any, Response], *, has_timeout: bool = False
    ) -> Response:
        """Return the response to a command that has to succeed."""
        response = await (self._race(command) if has_timeout else self._within(command))
        if response.result != "OK":
            raise ImapFailed(_words(_last_line(response)))
        return response

    async def _within(self, waited: Coroutine[Any, Any, _T] | asyncio.Future[_T]) -> _T:
        try:
            async with asyncio.timeout(self._timeout):
                return await self._race(waited)
        except TimeoutError as error:
            raise ImapFailed("the server does not answer") from error

    async def _race(self, waited: Coroutine[Any, Any, _T] | asyncio.Future[_T]) -> _T:
        """Return what `waited` comes to, unless the connection is lost first."""
        task: asyncio.Future[_T] = asyncio.ensure_future(waited)
        lost: asyncio.Future[Any] = self._protocol.lost
        try:
            await asyncio.wait({task, lost}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise ImapFailed("the connection was lost")
            return task.result()
        except AioImapException as error:
            raise ImapFailed(one_line(f"{type(error).__name__}: {error}")) from error
        finally:
            if not task.done():
                task.cancel()
                with suppress(asyncio.CancelledError, AioImapException):
                    await task


async def _first(done: asyncio.Future[Any], other: Coroutine[Any, Any, Any]) -> None:
    """Return when `done` or `other` is done; `done` is left alone."""
    task: asyncio.Future[Any] = asyncio.ensure_future(other)
    try:
        await asyncio.wait({done, task}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        task.cancel()


def uid_set(uids: Iterable[int]) -> str:
    """Return UIDs as a sequence set: runs become ranges."""
    runs: list[list[int]] = []
    for uid in sorted(set(uids)):
        if runs and uid == runs[-1][1] + 1:
            runs[-1][1] = uid
        else:
            runs.append([uid, uid])
    return ",".join(f"{a}" if a == b else f"{a}:{b}" for a, b in runs)


def modified_utf7(name: str) -> str:
    """Return a folder's name as IMAP writes it (RFC 3501, 5.1.3)."""
    written = []
    for run in re.split(r"([^ -~]+)", name):
        if any(c < " " or c > "~" for c in run):
            encoded = base64.b64encode(run.encode("utf-16-be")).decode("ascii")
            written.append("&" + encoded.rstrip("=").replace("/", ",") + "-")
        else:
            written.append(run.replace("&", "&-"))
    return "".join(written)


def _lines(response: Response) -> list[bytes]:
    return [bytes(line) for line in response.lines]


def _last_line(response: Response) -> bytes:
    lines = _lines(response)
    return lines[-1] if lines else b"no reason given"


def _words(line: bytes) -> str:
    return one_line(line.decode("utf-8", "replace"), 200)


def _items(response: Response) -> list[tuple[bytes, bytes]]:
    """Return, of each FETCH answer, its text and the literal (or quoted string) in it."""
    items: list[tuple[bytearray, bytearray]] = []
    for line in response.lines[:-1]:
        if isinstance(line, bytearray):  # aioimaplib gives literals, and only them, so
            if items:
                items[-1][1].extend(line)
        elif _FETCHED.match(line):
            items.append((bytearray(line), bytearray()))
        elif items:
            items[-1][0].extend(b" " + line)
    return [(bytes(text), bytes(content) or _quoted_body(bytes(text))) for text, content in items]


def _quoted_body(text: bytes) -> bytes:
    found = re.search(rb'BODY\[[A-Z]*\] "((?:[^"\\]|\\.)*)"', text)
    return re.sub(rb"\\(.)", rb"\1", found[1]) if found else b""


def _internal_date(written: bytes) -> datetime | None:
    """Return `17-Jul-1996 02:44:25 -0700` as a time; None where it is none."""
    try:
        day, clock, zone = written.decode("ascii").split()
        number, month, year = day.split("-")
        text = (
            f"{int(year):04}-{_MONTHS.index(month.lower()) + 1:02}-{int(number):02}T{clock}{zone}"
        )
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S%z").astimezone(UTC)
    except (ValueError, OverflowError):
        return None
