"""Gets access tokens for XOAUTH2 from Google, Microsoft or another provider (RFC 6749, 6)."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable
from types import MappingProxyType

import httpx

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
        tls: Callable[[], ssl.SSLContext],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Ask the provider of `settings`, verified by `tls`."""
        self._settings = settings
        self._tls = tls
        self._clock = clock
        self._token: str | None = None
        self._ends_at = 0.0
        self._lock = asyncio.Lock()

    def forget(self) -> None:
        """Have the next token fetched: the server refused the current one."""
        self._token = None

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
        settings = self._settings
        form = {
            "grant_type": "refresh_token",
            "client_id": settings.oauth_client_id,
            "refresh_token": settings.oauth_refresh_token.get_secret_value(),
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
        return _read(response)

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


def _read(response: httpx.Response) -> tuple[str, float]:
    """Return the token in a response and its life in seconds."""
    try:
        answer = response.json()
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        answer = {}
    token = answer.get("access_token")
    if response.is_success and isinstance(token, str) and token.isascii() and token.isprintable():
        life = answer.get("expires_in", _USUAL_LIFE_SECONDS)
        return token, float(life) if isinstance(life, int | float) else _USUAL_LIFE_SECONDS
    error = answer.get("error")
    if error in _WRONG or response.status_code in {400, 401, 403}:
        named = error if isinstance(error, str) and error.isidentifier() else "an error"
        raise BadCredentials(f"the token service gives no access token: {named}", REMEDY)
    raise Unavailable(f"the token service answers {response.status_code}")
