"""Links by which people answer without signing in: unguessable, and each for one thing alone."""

from __future__ import annotations

import base64
import binascii
import hmac
from hashlib import sha256
from uuid import UUID

from core.domain.errors import NotFound

_TAG_BYTES = 16


class SignedLinks:
    """Makes links to the pages of one `purpose`, and reads them back.

    A link says which record it is about and that the desk made it. What can be done with it, and
    until when, is for the record to say.
    """

    def __init__(self, key: bytes, purpose: str, base_url: str) -> None:
        """Derive a key for `purpose`, which is also the first part of the pages' paths."""
        self._key = hmac.new(key, f"ventanilla {purpose}".encode(), sha256).digest()
        self._base_url = f"{base_url}/{purpose}"

    def link(self, record: UUID) -> str:
        """Return the address of the page about `record`."""
        token = base64.urlsafe_b64encode(record.bytes + self._tag(record)).decode().rstrip("=")
        return f"{self._base_url}/{token}"

    def record(self, token: str) -> UUID:
        """Return the record that `token` was made for.

        Raises:
            NotFound: it was not made here.
        """
        try:
            raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
            record = UUID(bytes=raw[:16])
        except (ValueError, binascii.Error):
            raise NotFound("this link was not made here") from None
        if not hmac.compare_digest(raw[16:], self._tag(record)):
            raise NotFound("this link was not made here")
        return record

    def _tag(self, record: UUID) -> bytes:
        return hmac.new(self._key, record.bytes, sha256).digest()[:_TAG_BYTES]
