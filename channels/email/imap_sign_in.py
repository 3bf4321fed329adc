"""How an account reaches its IMAP server: where it is, how it is protected, who signs in."""

from __future__ import annotations

import ssl
from collections.abc import Callable

from channels.email.errors import IMAP_REMEDY
from channels.email.imap import ImapConnection
from channels.email.oauth import AccessTokens
from channels.email.settings import EmailSettings, OAuthProvider, Security
from core.domain.errors import BadCredentials


async def signed_in(
    settings: EmailSettings, access: AccessTokens, tls: Callable[[], ssl.SSLContext]
) -> ImapConnection:
    """Return a new connection with the account signed in.

    Raises:
        ImapFailed: the server is not there or not willing.
        BadCredentials: it does not accept the account, or is not trusted.
        Unavailable: whoever gives out access tokens could not be reached.
    """
    is_plain = settings.imap_security is Security.NONE
    imap = await ImapConnection.open(
        settings.imap_host,
        settings.imap_port,
        tls=None if is_plain else tls(),
        starts_tls=settings.imap_security is Security.STARTTLS,
        timeout_seconds=settings.timeout_seconds,
    )
    try:
        await _sign_in(imap, settings, access)
    except BaseException:
        imap.abort()
        raise
    return imap


async def _sign_in(imap: ImapConnection, settings: EmailSettings, access: AccessTokens) -> None:
    user = settings.imap_user or settings.address
    if settings.oauth_provider is not OAuthProvider.NONE:
        await imap.sign_in_with_token(user, await access.current())
        access.accepted()
    elif password := settings.imap_password.get_secret_value():
        await imap.sign_in(user, password)
    else:
        raise BadCredentials("no IMAP password is set", IMAP_REMEDY)
