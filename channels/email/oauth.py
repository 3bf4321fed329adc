"""Gets access tokens for XOAUTH2 from Google, Microsoft or another provider (RFC 6749, 6)."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from types import MappingProxyType

import httpx

from channels.email.refresh_tokens import RefreshTokens
from channels.email.settings import EmailSettings, OAuthProvider
from core.domain.errors import BadCredentials, Unavailable

_GOOGLE = "https://oauth2.googleapis.com/token"
_MICROSOFT = "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token"
# https://learn.microsoft.com/exchange/client-developer/legacy-protocols/
# how-to-authenticate-an-imap-pop-smtp-application-by-using-oauth
_SCOPES = MappingProxyType(
    {
        OAuthProvider.MICROSOFT: (
            "https://outlook.office.com/IMAP.AccessAsUser.All "
            "https://outlook.office.com/SMTP.Send offline_access"
        ),
    }
)
_EARLY_SECONDS = 90.0  # a token is renewed before it ends
_USUAL_LIFE_SECONDS = 3_600.0
_WRONG = frozenset(
    {"invalid_client", "invalid_grant", "invalid_scope", "unauthorized_client", "access_denied"}
)
REMEDY = (
    "Sign in to the mailbox again to get a new refresh token, and check the client id and secret."
)


class AccessTokens:
    """The current access token of an account; renewed when it is about to end."""

    def __init__(
        self,
        settings: EmailSettings,
        refresh: RefreshTokens,
        tls: Callable[[], ssl.SSLContext],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Ask the provider of `settings`, verified by `tls`."""
        self._settings = settings
        self._refresh = refresh
        self._tls = tls
        self._clock = clock
        self._token: str | None = None
        self._was_accepted = False
        self._ends_at = 0.0
        self._lock = asyncio.Lock()

    def accepted(self) -> None:
        """Note that a server took the current token."""
        self._was_accepted = self._token is not None

    def forget(self) -> bool:
        """Have the next token fetched: a server refused the current one.

        Returns whether that one was good until now, so that a new one is worth an attempt at once.
        """
        was_good, self._token, self._was_accepted = self._was_accepted, None, False
        return was_good

    async def current(self) -> str:
        """Return a token that is good for a while.

        Raises:
            BadCredentials: the provider gives none; an admin has to act.
            Unavailable: the provider could not be asked.
        """
        async with self._lock:
            if self._token is None or self._clock() >= self._ends_at:
                self._token, life = await self._fetch()
                self._ends_at = self._clock() + max(life - _EARLY_SECONDS, 1.0)
            return self._token

    async def _fetch(self) -> tuple[str, float]:
        """Return a new token and its life, had for the newest refresh token that still counts."""
        *others, last = await self._refresh.candidates()
        for refresh in others:
            with suppress(BadCredentials):
                return await self._ask(refresh)
        return await self._ask(last)

    async def _ask(self, refresh: str) -> tuple[str, float]:
        settings = self._settings
        form = {
            "grant_type": "refresh_token",
            "client_id": settings.oauth_client_id,
            "refresh_token": refresh,
        }
        if secret := settings.oauth_client_secret.get_secret_value():
            form["client_secret"] = secret
        if scope := _SCOPES.get(settings.oauth_provider):
            form["scope"] = scope
        try:
            async with httpx.AsyncClient(
                timeout=settings.timeout_seconds, verify=self._tls()
            ) as client:
                response = await client.post(self._address(), data=form)
        except httpx.HTTPError as error:
            raise Unavailable("the token service could not be reached") from error
        token, life, newer = _read(response)
        if newer not in {None, refresh}:
            await self._refresh.replace(newer)
        return token, life

    def _address(self) -> str:
        match self._settings.oauth_provider:
            case OAuthProvider.GOOGLE:
                return self._settings.oauth_token_url or _GOOGLE
            case OAuthProvider.MICROSOFT:
                return self._settings.oauth_token_url or _MICROSOFT.format(
                    tenant=self._settings.oauth_tenant
                )
            case _:
                return self._settings.oauth_token_url


def _read(response: httpx.Response) -> tuple[str, float, str | None]:
    """Return the token in a response, its life in seconds, and a new refresh token, if any."""
    try:
        answer = response.json()
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        answer = {}
    token = answer.get("access_token")
    if response.is_success and isinstance(token, str) and token.isascii() and token.isprintable():
        life = answer.get("expires_in", _USUAL_LIFE_SECONDS)
        newer = answer.get("refresh_token")
        return (
            token,
            float(life) if isinstance(life, int | float) else _USUAL_LIFE_SECONDS,
            newer if isinstance(newer, str) and newer else None,
        )
    error = answer.get("error")
    if error in _WRONG or response.status_code in {400, 401, 403}:
        named = error if isinstance(error, str) and error.isidentifier() else "an error"
        raise BadCredentials(f"the token service gives no access token: {named}", REMEDY)
    raise Unavailable(f"the token service answers {response.status_code}")
