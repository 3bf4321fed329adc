"""The refresh token of an account: the one an admin gave, or what the provider put in its place.

Microsoft gives a new one with each access token, and each is good for 90 days only.
https://learn.microsoft.com/entra/identity-platform/refresh-tokens
"""

from __future__ import annotations

import hashlib
import json
import logging
import secrets
from collections.abc import Sequence
from contextlib import suppress

from channels.email import ids
from channels.email.settings import EmailSettings
from core.domain.errors import NotFound, StorageUnavailable
from core.domain.ids import AccountId
from core.ports import BlobStore

log = logging.getLogger(__name__)

_NONCE_BYTES = 12


class RefreshTokens:
    """Keeps the newest one for all processes of the desk, encrypted by the account's key."""

    def __init__(
        self, account: AccountId, settings: EmailSettings, blobs: BlobStore, key: bytes
    ) -> None:
        self._account = account
        self._given = settings.oauth_refresh_token.get_secret_value()
        self._blobs = blobs
        self._key = hashlib.sha256(b"refresh token\0" + key).digest()
        self._newest: str | None = None  # where it could not be kept

    async def candidates(self) -> Sequence[str]:
        """Return the tokens to try, the best first."""
        newest = self._newest or await self._kept()
        return [self._given] if newest in {None, self._given} else [newest, self._given]

    async def replace(self, token: str) -> None:
        """Use `token` from now on, in every process."""
        self._newest = token
        sealed = self._sealed({"token": token, "instead_of": _digest(self._given)})
        try:
            await self._blobs.put(ids.refresh_token_key(self._account), sealed)
        except StorageUnavailable:
            log.warning("account %s: its new refresh token could not be kept", self._account)
        else:
            self._newest = None

    async def _kept(self) -> str | None:
        """Return the token that was put in the place of the one that is set now."""
        try:
            sealed = await self._blobs.get(ids.refresh_token_key(self._account))
        except (NotFound, StorageUnavailable):
            return None
        kept = self._opened(sealed)
        return kept.get("token") if kept.get("instead_of") == _digest(self._given) else None

    def _sealed(self, values: dict[str, str]) -> bytes:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + AESGCM(self._key).encrypt(nonce, json.dumps(values).encode(), None)

    def _opened(self, sealed: bytes) -> dict[str, str]:
        """Return what was sealed; nothing where that was under another key."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        with suppress(InvalidTag, ValueError):
            plain = AESGCM(self._key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], None)
            values: dict[str, str] = json.loads(plain)
            return values
        return {}


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
