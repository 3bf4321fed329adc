"""Session tokens: what the bearer of a chat may prove without the desk keeping anything."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from pydantic_core import from_json, to_json

from core.domain.errors import NotFound, Unauthenticated
from core.domain.files import KeptFile
from core.domain.ids import AccountId

_CLAIMS = struct.Struct(">16sI2s")  # session, seconds since 1970, language
_SEAL_BYTES = hashlib.sha256().digest_size

# 22 + 32 bytes make 72 characters with no spare bits, so that a token has one spelling only.
_TOKEN = re.compile(r"[A-Za-z0-9_-]{72}", re.ASCII)
_RECEIPT = re.compile(r"([A-Za-z0-9_-]{2,4000})\.([A-Za-z0-9_-]{43})", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One person's chat in one browser."""

    id: UUID
    language: str  # two-letter code of the page that opened it
    issued_at: datetime  # in whole seconds


class SessionTokens:
    """Makes and reads the tokens of one account."""

    def __init__(
        self, account: AccountId, key: bytes, *, max_age: timedelta = timedelta(days=365)
    ) -> None:
        """Derive a key of our own, so that nothing else signed with `key` can pass for a token."""
        purpose = b"web chat session\0" + account.encode()
        self._key = hmac.new(key, purpose, hashlib.sha256).digest()
        self._max_age = max_age

    def issue(self, session: Session) -> str:
        """Return the token of `session`."""
        claims = _CLAIMS.pack(
            session.id.bytes, int(session.issued_at.timestamp()), session.language.encode("ascii")
        )
        return base64.urlsafe_b64encode(claims + self._seal(claims)).decode("ascii")

    def read(self, token: str, now: datetime) -> Session:
        """Return the session that `token` stands for.

        Raises:
            Unauthenticated: we did not make it, or it is too old.
        """
        if not _TOKEN.fullmatch(token):
            raise Unauthenticated("the session token is not valid")
        sealed = base64.urlsafe_b64decode(token)
        claims, seal = sealed[:-_SEAL_BYTES], sealed[-_SEAL_BYTES:]
        if not hmac.compare_digest(seal, self._seal(claims)):
            raise Unauthenticated("the session token is not valid")
        session, seconds, language = _CLAIMS.unpack(claims)
        issued_at = datetime.fromtimestamp(seconds, UTC)
        if now - issued_at > self._max_age:
            raise Unauthenticated("the session token has expired: open a new session")
        return Session(id=UUID(bytes=session), language=language.decode(), issued_at=issued_at)

    def file_seal(self, session: UUID, file: UUID, until: int) -> str:
        """Return what lets a link to `file` be followed in `session` until then, seconds of 1970.

        Links carry no headers, and the token itself does not belong into addresses.
        """
        claims = b"file" + session.bytes + file.bytes + until.to_bytes(8, "big")
        return _text(self._seal(claims))

    def check_file_seal(
        self, session: UUID, file: UUID, until: int, seal: str, now: datetime
    ) -> None:
        """Check a link to a file.

        Raises:
            Unauthenticated: we did not make it, or it is too old.
        """
        expected = self.file_seal(session, file, until)
        if not hmac.compare_digest(seal.encode("ascii", "replace"), expected.encode("ascii")):
            raise Unauthenticated("the link is not valid")
        if now.timestamp() > until:
            raise Unauthenticated("the link is too old: load the conversation again")

    def issue_receipt(self, session: UUID, file: KeptFile, until: int) -> str:
        """Return what a message in `session` names `file` by until then, seconds of 1970."""
        claims = to_json([file.name, file.media_type, file.size_bytes, file.blob_key, until])
        return ".".join(_text(part) for part in (claims, self._receipt_seal(session, claims)))

    def read_receipt(self, session: UUID, receipt: str, now: datetime) -> KeptFile:
        """Return the file that `receipt` stands for in `session`.

        Raises:
            NotFound: we did not make it, it is another session's, or it is too old.
        """
        parts = _RECEIPT.fullmatch(receipt)
        if parts is None:
            raise _gone()
        try:
            claims, seal = (base64.urlsafe_b64decode(part + "==") for part in parts.groups())
        except ValueError:  # of no length that base64 has
            raise _gone() from None
        if not hmac.compare_digest(seal, self._receipt_seal(session, claims)):
            raise _gone()
        name, media_type, size_bytes, blob_key, until = from_json(claims)
        if now.timestamp() > until:
            raise _gone()
        return KeptFile(name=name, media_type=media_type, size_bytes=size_bytes, blob_key=blob_key)

    def _receipt_seal(self, session: UUID, claims: bytes) -> bytes:
        return self._seal(b"left" + session.bytes + claims)

    def _seal(self, claims: bytes) -> bytes:
        return hmac.digest(self._key, claims, "sha256")


def _text(claims: bytes) -> str:
    return base64.urlsafe_b64encode(claims).decode("ascii").rstrip("=")


def _gone() -> NotFound:
    return NotFound("a file is not there any more: attach it again")
