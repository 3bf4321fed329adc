"""Hands mail to an SMTP server over a few connections that stay open between mails."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiosmtplib

from channels.email.errors import (
    Phase,
    as_delivery_error,
    is_of_their_number,
    meaning,
    said,
)
from channels.email.oauth import AccessTokens
from channels.email.render import Letter
from channels.email.settings import EmailSettings, OAuthProvider, Security
from core.domain.channel import NotTaken
from core.domain.errors import BadCredentials, DeliveryError, Rejected, Throttled, Unavailable

_IDLE_SECONDS = 30.0  # servers commonly end idle connections after some minutes, some after one
_SAYS_GOODBYE = 421


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """For whom the server did not take a mail."""

    refused: tuple[NotTaken, ...]
    put_off: tuple[NotTaken, ...]


@dataclass(frozen=True, slots=True)
class _Open:
    client: aiosmtplib.SMTP
    used_at: float


class Outlet:
    """Connections to the account's SMTP server."""

    def __init__(
        self,
        settings: EmailSettings,
        access: AccessTokens,
        tls: Callable[[], ssl.SSLContext],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._access = access
        self._tls = tls
        self._clock = clock
        self._idle: deque[_Open] = deque()
        self._places = asyncio.Semaphore(settings.smtp_connections)

    async def send(self, letter: Letter, *, is_rest: bool = False) -> Sent:
        """Make one attempt to send `letter`; return whom the server did not take it for.

        Nobody gets it where the server refuses one of `to` for good, or all of them for now. With
        `is_rest` the others have it: then somebody who is refused for good fails no mail.

        Raises:
            DeliveryError: its subclass says what happens next.
        """
        async with self._places, self._connected() as client:
            with as_delivery_error(self._server, Phase.BEFORE_CONTENT):
                sent = await self._address(client, letter, is_rest=is_rest)
            if len(sent.refused) + len(sent.put_off) == len(letter.to) + len(letter.copies):
                return sent
            with as_delivery_error(self._server, Phase.CONTENT):
                try:
                    await client.data(letter.content)
                except aiosmtplib.SMTPDataError as error:
                    raise meaning(error.code, error.message) from error
        return sent

    async def close(self) -> None:
        """Say goodbye on all connections that are open."""
        while self._idle:
            await _quit(self._idle.popleft().client)

    @property
    def _server(self) -> str:
        return f"{self._settings.smtp_host}:{self._settings.smtp_port}"

    async def _address(self, client: aiosmtplib.SMTP, letter: Letter, *, is_rest: bool) -> Sent:
        """Tell the server from and to whom; return whom it did not take it for."""
        limit = client.esmtp_extensions.get("size", "")
        size = len(letter.content)
        if limit.isdecimal() and 0 < int(limit) < size:
            raise Rejected(f"the mail has {size:,} bytes; the server takes {int(limit):,}")
        options = [f"size={size}"] if client.supports_extension("size") else []
        await client.mail(letter.sender, options=options)
        refused: dict[str, str] = {}  # for good, with the server's reason
        put_off: dict[str, str] = {}  # for now
        limits: list[Throttled] = []
        for recipient in (*letter.to, *letter.copies):
            try:
                await client.rcpt(recipient)
            except aiosmtplib.SMTPRecipientRefused as error:
                reply = _meaning_for_one(error)
                if isinstance(reply, Rejected) and recipient not in letter.to:
                    refused[recipient] = said(error.code, error.message)
                elif isinstance(reply, Unavailable | Throttled) and error.code != _SAYS_GOODBYE:
                    put_off[recipient] = said(error.code, error.message)
                    limits += [reply] if isinstance(reply, Throttled) else []
                else:
                    raise
        is_for_nobody = {*refused, *put_off}.issuperset(letter.to or letter.copies)
        if is_for_nobody and not (is_rest and refused):
            if limits and len(refused) + len(put_off) == len(letter.to) + len(letter.copies):
                raise limits[0]  # where somebody is taken, it is not the account's
            if put_off:
                raise Unavailable("; ".join(dict.fromkeys(put_off.values())))
            raise Rejected("; ".join(f"{one}: {reason}" for one, reason in refused.items()))
        return Sent(refused=_told(letter, refused), put_off=_told(letter, put_off))

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[aiosmtplib.SMTP]:
        """Lend a connection; what is left of a failed mail is wiped, or the connection closed."""
        client = await self._reused() or await self._opened()
        try:
            yield client
        except BaseException:
            # Also when cancelled: whatever the server says next must not answer another mail.
            client.close()
            raise
        self._idle.append(_Open(client, self._clock()))

    async def _reused(self) -> aiosmtplib.SMTP | None:
        while self._idle:
            last = self._idle.pop()
            if last.client.is_connected and self._clock() - last.used_at < _IDLE_SECONDS:
                try:
                    await last.client.rset()
                except (aiosmtplib.SMTPException, OSError):
                    last.client.close()
                else:
                    return last.client
            else:
                last.client.close()
        return None

    async def _opened(self) -> aiosmtplib.SMTP:
        settings = self._settings
        is_plain = settings.smtp_security is Security.NONE
        client = aiosmtplib.SMTP(
            hostname=settings.smtp_host,
            port=settings.smtp_port,
            timeout=settings.timeout_seconds,
            use_tls=settings.smtp_security is Security.TLS,
            start_tls=settings.smtp_security is Security.STARTTLS,
            tls_context=None if is_plain else self._tls(),
            # Not the machine's own name: it is nobody's business, and often no name at all.
            local_hostname=settings.domain,
        )
        try:
            with as_delivery_error(self._server, Phase.BEFORE_CONTENT):
                await client.connect()
                await client.ehlo()
                await self._sign_in(client)
        except BadCredentials:
            client.close()
            if self._access.forget():
                return await self._opened()
            raise
        except BaseException:
            client.close()
            raise
        return client

    async def _sign_in(self, client: aiosmtplib.SMTP) -> None:
        settings = self._settings
        user = settings.smtp_user or settings.imap_user or settings.address
        if settings.oauth_provider is not OAuthProvider.NONE:
            await client.auth_xoauth2(user, await self._access.current())
            self._access.accepted()
            return
        secret = (
            settings.smtp_password
            if settings.smtp_password.get_secret_value()
            else settings.imap_password
        ).get_secret_value()
        if secret and settings.smtp_signs_in:
            await client.login(user, secret)


def _meaning_for_one(error: aiosmtplib.SMTPRecipientRefused) -> DeliveryError:
    if is_of_their_number(error.code, error.message):
        return Unavailable(said(error.code, error.message))  # the rest is sent by itself
    return meaning(error.code, error.message)


def _told(letter: Letter, reasons: dict[str, str]) -> tuple[NotTaken, ...]:
    return tuple(
        NotTaken(address=letter.names[recipient], reason=reason)
        for recipient, reason in reasons.items()
    )


async def _quit(client: aiosmtplib.SMTP) -> None:
    try:
        await client.quit()
    except (aiosmtplib.SMTPException, OSError):
        client.close()
