"""Signs and checks the names by which a mail finds its thread again, for one account."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from hashlib import sha256

from channels.email.ids import (
    base32,
    own_id,
    read_own_id,
    read_reply_detail,
    reply_detail,
    short_thread,
)
from core.domain.ids import AccountId, MessageId, RemoteId, ThreadKey

_SIGNATURE_CHARS = 13  # 65 bits: guessing needs a mail per guess
_LONGEST_LOCAL_PART = 64  # RFC 5321, 4.5.3.1.1


class Tokens:
    """What only this account can have made. Nothing signed for one account holds in another."""

    def __init__(self, account: AccountId, key: bytes, address: str) -> None:
        """Sign with `key` for the mailbox `address`."""
        self._key = hmac.digest(key, b"mail tokens\0" + account.encode(), sha256)
        self._local, _, self._domain = address.rpartition("@")

    def message_id(self, thread: ThreadKey, message: MessageId) -> RemoteId:
        """Return the Message-ID, without angle brackets, of a message; always the same one."""
        signature = self._sign("message", short_thread(thread) or "", str(message))
        return own_id(thread, message, signature, self._domain)

    def own_message(self, name: str) -> tuple[ThreadKey | None, MessageId] | None:
        """Return thread and message of a Message-ID that this account made, else None."""
        read = read_own_id(name)
        if read is None:
            return None
        thread, message, signature = read
        named = "" if thread is None else short_thread(thread) or ""
        return (thread, message) if self._holds(signature, "message", named, str(message)) else None

    def reply_address(self, thread: ThreadKey) -> str | None:
        """Return an address with a signed token, or None where it would be too long."""
        detail = reply_detail(thread, self._sign("reply", thread))
        if detail is None or len(self._local) + 1 + len(detail) > _LONGEST_LOCAL_PART:
            return None
        return f"{self._local}+{detail}@{self._domain}"

    def thread_in(self, addresses: Iterable[str]) -> ThreadKey | None:
        """Return the thread that one of `addresses` names with a valid signature."""
        for address in addresses:
            local, _, _ = address.rpartition("@")
            read = read_reply_detail(local.partition("+")[2])
            if read is not None and self._holds(read[1], "reply", read[0]):
                return read[0]
        return None

    def loop_mark(self) -> str:
        """Return the value of the header that says: this mail left this account."""
        return self._sign("loop")

    def is_loop_mark(self, value: str) -> bool:
        """Say whether `value` is the mark of this account."""
        return self._holds(value.strip(), "loop")

    def _sign(self, *words: str) -> str:
        content = "\0".join(words).encode()
        return base32(hmac.digest(self._key, content, sha256), _SIGNATURE_CHARS)

    def _holds(self, signature: str, *words: str) -> bool:
        return hmac.compare_digest(
            signature.encode("utf-8", "replace"), self._sign(*words).encode()
        )
