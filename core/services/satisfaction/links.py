"""Links by which a requester answers without signing in: unguessable, and each for one survey."""

from __future__ import annotations

import base64
import binascii
import hmac
from hashlib import sha256
from uuid import UUID

from core.domain.errors import NotFound

_TAG_BYTES = 16


class SurveyLinks:
    """Makes the links and reads them back."""

    def __init__(self, key: bytes, base_url: str) -> None:
        self._key = hmac.new(key, b"ventanilla survey", sha256).digest()
        self._base_url = base_url

    def link(self, survey: UUID, score: int | None = None) -> str:
        """Return the address of `survey`'s page; with `score`, that one is chosen already."""
        token = base64.urlsafe_b64encode(survey.bytes + self._tag(survey)).decode().rstrip("=")
        choice = "" if score is None else f"?score={score}"
        return f"{self._base_url}/survey/{token}{choice}"

    def survey(self, token: str) -> UUID:
        """Return the survey that `token` was made for.

        Raises:
            NotFound: it was not made here.
        """
        try:
            raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
            survey = UUID(bytes=raw[:16])
        except (ValueError, binascii.Error):
            raise NotFound("there is no such survey") from None
        if not hmac.compare_digest(raw[16:], self._tag(survey)):
            raise NotFound("there is no such survey")
        return survey

    def _tag(self, survey: UUID) -> bytes:
        return hmac.new(self._key, survey.bytes, sha256).digest()[:_TAG_BYTES]
