"""Brings mail into the desk: read, thread found, stored; what cannot be read is put aside."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from channels.email import ids
from channels.email.parse import Reader, chosen
from channels.email.reading.mail import Mail
from channels.email.threading import Trail, key_of, trail_of
from core.domain.errors import DeskError, IgnoredPayload, InvalidInput, UnknownPayload
from core.domain.events import Event, MessagePosted
from core.domain.ids import EventKey, RemoteId, ThreadKey
from core.ports import BlobStore, Cursor, Inbox, KnowsChoices

log = logging.getLogger(__name__)

_LONGEST_CHOICE = 200  # characters of a reply that can be a choice


class Fate(StrEnum):
    """What became of a mail."""

    STORED = "stored"
    IGNORED = "ignored"  # it says nothing to the desk
    ASIDE = "aside"  # in quarantine


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """A mail as it came."""

    raw: bytes
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """A mail that was read, and where it belongs as far as it says itself."""

    mail: Mail
    raw: bytes
    key: EventKey
    trail: Trail
    received_at: datetime


_Opened = _Read | IgnoredPayload | UnknownPayload
"""A mail that was read, or why it says nothing or cannot be read."""


class MailIntake:
    """The one door for all the mail of an account, by whatever way it comes."""

    def __init__(
        self,
        reader: Reader,
        read: Callable[[bytes], Mail],
        inbox: Inbox,
        blobs: BlobStore,
    ) -> None:
        self._reader = reader
        self._read = read
        self._inbox = inbox
        self._blobs = blobs
        # Finding a thread and storing the mail must not be interleaved: an answer would not
        # see the mail it answers, which another folder has just brought.
        self._lock = asyncio.Lock()

    async def take(
        self,
        mails: Sequence[Arrived],
        *,
        cursor: Cursor | None = None,
        before_cursor: Callable[[Sequence[Fate]], Awaitable[None]] | None = None,
    ) -> list[Fate]:
        """Store `mails` and then `cursor`, in one transaction where nothing is wrong with them.

        `before_cursor` is called before the cursor can move, where some mail was put aside.

        Raises:
            StorageUnavailable: not all are stored; come again with all of them.
        """
        opened = await asyncio.to_thread(lambda: [self._open(arrived) for arrived in mails])
        async with self._lock:
            stored = await self._stored(opened)
            fates: list[Fate] = []
            events: list[tuple[int, tuple[Event, ...]]] = []
            known: dict[RemoteId, tuple[ThreadKey, EventKey]] = {}
            for position, arrived in enumerate(mails):
                fate, found = await self._understand(arrived, opened[position], known, stored)
                fates.append(fate)
                if found:
                    events.append((position, found))
            is_clean = Fate.ASIDE not in fates
            try:
                if is_clean or before_cursor is None:
                    flat = [event for _, group in events for event in group]
                    if flat or cursor is not None:
                        await self._inbox.accept(*flat, cursor=cursor)
                    return fates
            except InvalidInput:
                log.info("account %s: a mail of a batch was refused", self._reader.account)
            for position, group in events:
                fates[position] = await self._one_by_one(mails[position], group)
            if Fate.ASIDE in fates and before_cursor is not None:
                await before_cursor(fates)
            if cursor is not None:
                await self._inbox.accept(cursor=cursor)
            return fates

    async def put_aside(self, raw: bytes, reason: str) -> None:
        """Keep what will not be read, for an admin."""
        log.warning("account %s: a mail is put aside: %s", self._reader.account, reason)
        await self._inbox.quarantine(self._reader.account, raw, reason)

    async def _one_by_one(self, arrived: Arrived, events: Sequence[Event]) -> Fate:
        try:
            await self._inbox.accept(*events)
        except InvalidInput as error:
            await self.put_aside(arrived.raw, str(error))
            return Fate.ASIDE
        return Fate.STORED

    async def _understand(
        self,
        arrived: Arrived,
        opened: _Opened,
        known: dict[RemoteId, tuple[ThreadKey, EventKey]],
        stored: Mapping[RemoteId, ThreadKey],
    ) -> tuple[Fate, tuple[Event, ...]]:
        """Return what a mail says; `known` holds those of the same batch, which gains it."""
        try:
            if isinstance(opened, DeskError):
                raise opened
            thread = self._thread(opened, known, stored)
            found = self._reader.events(
                opened.mail,
                opened.raw,
                trail=opened.trail,
                thread=thread,
                received_at=opened.received_at,
            )
        except IgnoredPayload as reason:
            log.info("account %s: a mail is ignored: %s", self._reader.account, reason)
            return Fate.IGNORED, ()
        except UnknownPayload as reason:
            await self.put_aside(arrived.raw, str(reason))
            return Fate.ASIDE, ()
        found = tuple([await self._with_intent(event, opened) for event in found])
        if any(isinstance(event, MessagePosted) and event.body.files for event in found):
            # Attachments are fetched from there, later and by another process.
            key = ids.raw_key(self._reader.account, ids.raw_name(arrived.raw))
            await self._blobs.put(key, arrived.raw)
        if opened.trail.own is not None:
            known.setdefault(opened.trail.own, (thread, opened.key))
        return Fate.STORED, found

    def _open(self, arrived: Arrived) -> _Opened:
        try:
            mail = self._read(arrived.raw)
            self._reader.check(mail)
        except (IgnoredPayload, UnknownPayload) as reason:
            return reason
        except Exception as error:  # whatever a mail does to its reader, the stream goes on
            log.exception("account %s: a mail could not be read", self._reader.account)
            return UnknownPayload(f"could not be read: {type(error).__name__}")
        return _Read(
            mail=mail,
            raw=arrived.raw,
            key=key_of(mail, arrived.raw),
            trail=trail_of(mail, arrived.raw, self._reader.tokens),
            received_at=arrived.received_at,
        )

    async def _stored(self, opened: Sequence[_Opened]) -> Mapping[RemoteId, ThreadKey]:
        """Return in which threads the mails are that these name, as far as the account knows."""
        trails = [one.trail for one in opened if isinstance(one, _Read)]
        names = {name for trail in trails for name in (*trail.named, trail.own) if name}
        if not names:
            return {}
        return await self._inbox.threads_of(self._reader.account, names)

    def _thread(
        self,
        read: _Read,
        known: Mapping[RemoteId, tuple[ThreadKey, EventKey]],
        stored: Mapping[RemoteId, ThreadKey],
    ) -> ThreadKey:
        trail = read.trail
        own = known.get(trail.own) if trail.own else None
        if own is not None and own[1] != read.key:
            # Another mail of this batch has this Message-ID.
            return trail.signed or trail.alone
        if trail.signed is not None:
            return self._split_off(trail, stored) or trail.signed
        for name in trail.named:
            if name in known and name != trail.own:
                return known[name][0]
        for name in trail.named:
            if name in stored:
                return stored[name]
        if trail.own in stored:
            # It came before, or another mail did with its Message-ID: the key tells which, and
            # only in the second case does the thread matter.
            return trail.alone
        return trail.root

    def _split_off(self, trail: Trail, stored: Mapping[RemoteId, ThreadKey]) -> ThreadKey | None:
        """Return where the letter of ours that is answered is by now.

        Its name says in which thread it was written; an agent may have split that since.
        """
        for name in trail.named:
            made = self._reader.tokens.own_message(name)
            if made is not None:
                return stored.get(name) if made[0] == trail.signed else None
        return None

    async def _with_intent(self, event: Event, read: _Read) -> Event:
        """Return `event` with what it chooses, where it answers a list of choices of ours."""
        words = event.body.text if isinstance(event, MessagePosted) else ""
        if not 0 < len(words) <= _LONGEST_CHOICE or not isinstance(self._inbox, KnowsChoices):
            return event
        answered = (self._reader.tokens.own_message(name) for name in read.trail.named)
        nearest = next((made[1] for made in answered if made is not None), None)
        if nearest is None or not isinstance(event, MessagePosted) or event.is_automatic:
            return event
        choice = chosen(words, await self._inbox.choices_of(self._reader.account, nearest))
        return event if choice is None else replace(event, intent=choice.intent)
