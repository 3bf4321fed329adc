"""One connection to an IMAP server: the commands the desk needs, on top of aioimaplib.

What aioimaplib leaves to its caller is done here and in `imap_protocol`: a lost connection ends
every command at once, STARTTLS, refusals in XOAUTH2, folder names, news between two commands.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from typing import Any, Self, TypeVar

from aioimaplib.aioimaplib import (
    SELECTED,
    AioImapException,
    Command,
    Response,
    quoted,
)

from channels.email.errors import IMAP_REMEDY
from channels.email.headers import one_line
from channels.email.imap_answers import (
    FolderState,
    Listed,
    contents,
    folder_state,
    found_uids,
    last_line,
    listed,
    modified_utf7,
    uid_set,
    words_of,
)
from channels.email.imap_protocol import WatchfulProtocol
from core.domain.errors import BadCredentials

_T = TypeVar("_T")
_TRY_LATER = re.compile(rb"\[(?:UNAVAILABLE|LIMIT|INUSE|SERVERBUG)\]", re.IGNORECASE)


class ImapFailed(Exception):
    """The server said no, said nothing, or is gone; begin again with a new connection."""


class NoSuchFolder(ImapFailed):
    """The folder does not exist or may not be opened."""


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
                await connection._race(protocol.greeted)
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
            said = last_line(response)
            if _TRY_LATER.search(said):
                raise ImapFailed(words_of(said))
            raise BadCredentials(words_of(said), IMAP_REMEDY)
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
            raise NoSuchFolder(f"folder {folder!r}: {words_of(last_line(response))}")
        protocol.state = SELECTED  # aioimaplib knows only SELECT to open a folder
        return folder_state(response)

    async def search(self, *criteria: str) -> list[int]:
        """Return the UIDs that match, in order."""
        # No charset: Exchange refuses the word, and nothing here needs one.
        response = await self._checked(self._protocol.search(*criteria, charset=None, by_uid=True))
        return found_uids(response)

    async def describe(self, uids: Sequence[int]) -> dict[int, Listed]:
        """Return size and time of those mails that still exist."""
        response = await self._checked(
            self._protocol.fetch(
                uid_set(uids), "(UID RFC822.SIZE INTERNALDATE)", by_uid=True, timeout=self._timeout
            ),
            has_timeout=True,
        )
        return listed(response)

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
        return contents(response)

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

    async def append(self, folder: str, content: bytes, flag: str) -> None:
        """Put a mail into `folder`, with `flag` set.

        Raises:
            ImapFailed: it is not there; the folder may not exist.
        """
        await self._checked(
            self._protocol.append(
                content, quoted(modified_utf7(folder)), flag, timeout=self._timeout
            ),
            has_timeout=True,
        )

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
                raise ImapFailed(f"IDLE: {words_of(last_line(response))}")
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
            raise ImapFailed(words_of(last_line(response)))
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
