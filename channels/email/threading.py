"""Finds the thread a mail belongs to: a signed token, then known Message-IDs, else a new one.

The subject is never looked at, and neither are ticket numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from channels.email.ids import post_key, remote_id, thread_key
from channels.email.reading.mail import Mail
from channels.email.tokens import Tokens
from core.domain.ids import EventKey, RemoteId, ThreadKey

_MOST_REFERENCES = 50
_HEAD_END = re.compile(rb"\r?\n\r?\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trail:
    """What a mail says about the thread it belongs to, surest first."""

    signed: ThreadKey | None  # by a token or a Message-ID of ours
    named: tuple[RemoteId, ...]  # messages it answers, nearest first: the account may know one
    own: RemoteId | None  # its own Message-ID
    root: ThreadKey  # where it belongs if nobody knows any of them
    alone: ThreadKey  # … and if its own Message-ID was another mail's already


def key_of(mail: Mail, raw: bytes) -> EventKey:
    """Return the key of a mail; the same for one that came twice by different ways."""
    # What relays and folders put around a mail is left out, so that a copy is a copy. The body
    # is taken as it came: a later version of the desk may read it otherwise.
    author = mail.author.address.lower() if mail.author else ""
    date = mail.date.isoformat() if mail.date else ""
    if not (mail.message_id or author or date):
        return post_key("", raw)
    words = (author, date, mail.subject)
    body = _HEAD_END.split(raw, maxsplit=1)[-1].replace(b"\r\n", b"\n").strip()
    return post_key(
        mail.message_id or "", *(word.encode("utf-8", "replace") for word in words), body
    )


def trail_of(mail: Mail, raw: bytes, tokens: Tokens) -> Trail:
    """Return what `mail` says about its thread."""
    key = key_of(mail, raw)
    named = tuple(_named(mail))
    signed = tokens.thread_in(_recipients(mail)) or _signed_by_us(named, tokens)
    own = remote_id(mail.message_id) if mail.message_id else None
    author = mail.author.address.lower() if mail.author else ""
    # The first mail of a thread and an answer to it that comes earlier meet in the same place.
    # The author is part of it: whoever only guesses a Message-ID is not let in.
    first = next(iter(_oldest_first(mail)), None) or own or key
    return Trail(
        signed=signed,
        named=named,
        own=own,
        root=thread_key("root", first, author),
        alone=thread_key("alone", key),
    )


def _signed_by_us(named: Iterable[RemoteId], tokens: Tokens) -> ThreadKey | None:
    """Return the thread in the first Message-ID that this account made."""
    for name in named:
        made = tokens.own_message(name)
        if made is not None and made[0] is not None:
            return made[0]
    return None


def _oldest_first(mail: Mail) -> Iterator[RemoteId]:
    for name in (*mail.references, *mail.in_reply_to):
        if bare := remote_id(name):
            yield bare


def _named(mail: Mail) -> Iterator[RemoteId]:
    """Yield the messages that `mail` answers, nearest first, each once."""
    seen: set[RemoteId] = set()
    for name in (*mail.in_reply_to, *reversed(mail.references)):
        bare = remote_id(name)
        if bare and bare not in seen:
            seen.add(bare)
            yield bare
        if len(seen) >= _MOST_REFERENCES:
            return


def _recipients(mail: Mail) -> Iterator[str]:
    """Yield every address the mail was sent to or delivered to."""
    for address in (*mail.to, *mail.cc):
        yield address.address
    for name, value in mail.headers:
        if name in {"delivered-to", "x-original-to", "x-envelope-to", "envelope-to"}:
            yield value.strip().strip("<>")
