"""Mail's ids, to and from ours. The only module that knows their shape.

A thread is `mail/` and 21 characters of base32 (104 bits). A message of ours is named
`m.{thread}.{message}.{signature}@{domain}`; the address to reply to may carry
`t.{thread}{signature}` behind a plus. Signatures are made in `tokens`.
"""

from __future__ import annotations

import base64
import hashlib
import re
from uuid import UUID

from core.domain.ids import Address, EventKey, MessageId, RemoteId, ThreadKey

_PREFIX = "mail/"
_THREAD_CHARS = 21
_NO_THREAD = "x"
_BASE32 = re.compile(r"[a-z2-7]+")
_OWN = re.compile(
    r"^m\.(?P<thread>[a-z2-7]{21}|x)\.(?P<message>[a-z2-7]{26})\.(?P<signature>[a-z2-7]+)@[^@]+$"
)
_TOKEN = re.compile(r"^t\.(?P<thread>[a-z2-7]{21})(?P<signature>[a-z2-7]+)$")


def base32(content: bytes, chars: int) -> str:
    """Return the first `chars` characters of `content` in lower-case base32."""
    return base64.b32encode(content).decode("ascii").lower()[:chars]


def _digest(*parts: bytes) -> bytes:
    """Return the SHA-256 of `parts`, which cannot be confused with other parts."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.digest()


def remote_id(message_id: str) -> RemoteId:
    """Return how we call a message by its Message-ID, with or without angle brackets."""
    bare = message_id.strip().strip("<>").strip()
    # As long as a name may be in the database; a longer one still differs from others.
    if len(bare) > _LONGEST:
        bare = base32(_digest(bare.encode("utf-8", "replace")), 52)
    return RemoteId(bare)


_LONGEST = 900


def address(mailbox: str) -> Address:
    """Return the address of a person: mail does not tell upper from lower case in practice."""
    return Address(mailbox.strip().lower())


def post_key(message_id: str, *parts: bytes) -> EventKey:
    """Return the key of a mail: its Message-ID and a digest of what makes it itself.

    Two different mails with one Message-ID have two keys; a mail that comes again, by another
    way and with other headers of relays, has the same one.
    """
    return EventKey(f"post:{remote_id(message_id)[:300]}:{base32(_digest(*parts), 32)}")


def report_key(mail: EventKey, recipient: str) -> EventKey:
    """Return the key of what a report says of one recipient."""
    return EventKey(f"report:{base32(_digest(mail.encode(), recipient.encode()), 32)}")


def thread_key(*parts: str) -> ThreadKey:
    """Return the thread that `parts` name."""
    digest = _digest(*(part.encode("utf-8", "replace") for part in parts))
    return ThreadKey(_PREFIX + base32(digest, _THREAD_CHARS))


def short_thread(thread: ThreadKey) -> str | None:
    """Return the characters that name `thread` in our own ids, or None for a foreign shape."""
    short = thread.removeprefix(_PREFIX)
    fits = thread.startswith(_PREFIX) and len(short) == _THREAD_CHARS and _BASE32.fullmatch(short)
    return short if fits else None


def own_id(thread: ThreadKey, message: MessageId, signature: str, domain: str) -> RemoteId:
    """Return the Message-ID of a mail of ours, without angle brackets."""
    named = short_thread(thread) or _NO_THREAD
    return RemoteId(f"m.{named}.{base32(message.bytes, 26)}.{signature}@{domain}")


def read_own_id(name: str) -> tuple[ThreadKey | None, MessageId, str] | None:
    """Return thread, message and signature of what looks like a Message-ID of ours."""
    found = _OWN.match(name.lower())
    if found is None:
        return None
    raw = base64.b32decode(found["message"].upper() + "======")
    named = found["thread"]
    thread = None if named == _NO_THREAD else ThreadKey(_PREFIX + named)
    return thread, MessageId(UUID(bytes=raw)), found["signature"]


def reply_detail(thread: ThreadKey, signature: str) -> str | None:
    """Return what stands behind the plus of an address that leads to `thread`."""
    named = short_thread(thread)
    return None if named is None else f"t.{named}{signature}"


def read_reply_detail(detail: str) -> tuple[ThreadKey, str] | None:
    """Return thread and signature of what stands behind a plus."""
    found = _TOKEN.match(detail.lower())
    return None if found is None else (ThreadKey(_PREFIX + found["thread"]), found["signature"])


def raw_name(raw: bytes) -> str:
    """Return the name of a mail's bytes: their SHA-256 in hexadecimal digits."""
    return hashlib.sha256(raw).hexdigest()


def refresh_token_key(account: str) -> str:
    """Return where the blob store keeps an account's refresh token, sealed."""
    return f"accounts/{account}/refresh-token"


def raw_key(account: str, name: str) -> str:
    """Return where the blob store keeps the mail of that name, for its attachments."""
    return f"mail/{account}/{name}.eml"


def part_id(name: str, position: int) -> str:
    """Return what is needed to fetch an attachment: the mail's name and the position there."""
    return f"{name}/{position}"


def read_part_id(remote: str) -> tuple[str, int] | None:
    """Return the mail's name and the attachment's position; None for what is no such id."""
    name, _, position = remote.partition("/")
    if re.fullmatch(r"[0-9a-f]{64}", name) is None or not position.isdecimal():
        return None
    return name, int(position)
