"""Reads one IMAP folder, for ever: what is new, in order, each mail once, then waits for more.

The cursor of a folder is `{uid validity}:{last uid}:{first uid}:{start}:{reread}`. Mails up to
`first uid` were there before the account began and are left alone. `start` is when it began, in
seconds since 1970. After the server gave out new UIDs, mails up to `reread` are read again, as
far as they arrived since the start; those the desk has are recognised by what they say.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from channels.email.imap import ImapConnection, ImapFailed, NoSuchFolder
from channels.email.imap_answers import FolderState, Listed, uid_set
from channels.email.imap_sign_in import signed_in
from channels.email.intake import Arrived, Fate, MailIntake
from channels.email.oauth import AccessTokens
from channels.email.pulse import BACKOFF, PROBE_SECONDS, STORAGE_PAUSE_SECONDS, Pulse
from channels.email.settings import AfterProcessing, EmailSettings
from core.domain.account import AccountState, Health
from core.domain.backoff import Pauses
from core.domain.errors import BadCredentials, StorageUnavailable, Unavailable
from core.domain.ids import AccountId
from core.ports import Cursor, Inbox

log = logging.getLogger(__name__)

_RENEWAL_SECONDS = 540.0  # RFC 2177 says below 29 minutes; many a router forgets after ten
_DESCRIBED_AT_ONCE = 200
_MOST_AT_ONCE = 32
_BYTES_AT_ONCE = 2 * 1024 * 1024
_CLOCKS_DIFFER = timedelta(minutes=5)
_SEEN, _STARRED = "\\Seen", "\\Flagged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """How far a folder has been read."""

    uid_validity: int
    last_uid: int
    first_uid: int
    start: int
    reread: int = 0

    @classmethod
    def read(cls, value: str) -> Position:
        """Return what `write` wrote."""
        numbers = [int(word) for word in value.split(":")]
        return cls(
            uid_validity=numbers[0],
            last_uid=numbers[1],
            first_uid=numbers[2],
            start=numbers[3],
            reread=numbers[4],
        )

    def write(self) -> str:
        """Return the cursor's value."""
        return f"{self.uid_validity}:{self.last_uid}:{self.first_uid}:{self.start}:{self.reread}"


class FolderReader:
    """One folder of one account."""

    def __init__(
        self,
        account: AccountId,
        folder: str,
        settings: EmailSettings,
        *,
        access: AccessTokens,
        tls: Callable[[], ssl.SSLContext],
        intake: MailIntake,
        inbox: Inbox,
        pulse: Pulse,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._account = account
        self._folder = folder
        self._settings = settings
        self._access = access
        self._tls = tls
        self._intake = intake
        self._inbox = inbox
        self._pulse = pulse
        self._now = now

    async def run(self) -> None:
        """Read until cancelled; whatever breaks is mended with growing pauses."""
        pauses = Pauses(BACKOFF)
        while True:
            try:
                await self._read(pauses)
            except StorageUnavailable:
                await asyncio.sleep(STORAGE_PAUSE_SECONDS)
            except BadCredentials as error:
                if self._access.forget():
                    continue
                await self._tell(AccountState.BAD_CREDENTIALS, str(error), error.remedy)
                await asyncio.sleep(PROBE_SECONDS)
            except NoSuchFolder as error:
                await self._tell(
                    AccountState.DEGRADED, str(error), "Create the folder, or correct `folders`."
                )
                await asyncio.sleep(pauses.next_seconds())
            except (ImapFailed, Unavailable) as error:
                await self._tell(AccountState.DEGRADED, f"IMAP: {error}")
                await asyncio.sleep(pauses.next_seconds())

    async def _tell(self, state: AccountState, reason: str = "", remedy: str = "") -> None:
        health = Health(state=state, reason=reason, remedy=remedy)
        await self._pulse.tell(f"folder {self._folder}", health)

    async def _read(self, pauses: Pauses) -> None:
        imap = await signed_in(self._settings, self._access, self._tls)
        try:
            is_read_only = self._settings.after_processing is AfterProcessing.LEAVE
            state = await imap.select(self._folder, read_only=is_read_only)
            position = await self._position(imap, state)
            await self._finish_what_was_left(imap, position)
            await self._tell(AccountState.CONNECTED)
            pauses.reset()
            while True:
                imap.expect_news()
                position = await self._take_new(imap, position)
                wait = _RENEWAL_SECONDS if imap.can_idle else self._settings.poll_seconds
                await imap.wait_for_news(wait)
        finally:
            imap.abort()

    async def _position(self, imap: ImapConnection, state: FolderState) -> Position:
        """Return where to read on; the first time, and after new UIDs, where to begin."""
        value = await self._inbox.cursor(self._account, self._cursor_name)
        if value is None:
            begun = await self._beginning(imap, state)
            await self._inbox.accept(cursor=self._cursor(begun))
            return begun
        position = Position.read(value)
        if position.uid_validity == state.uid_validity:
            return position
        log.warning("account %s: the server gave out new UIDs", self._account)
        newest = await self._newest(imap, state)
        return Position(
            uid_validity=state.uid_validity,
            last_uid=0,
            first_uid=0,
            start=position.start,
            reread=newest,
        )

    async def _beginning(self, imap: ImapConnection, state: FolderState) -> Position:
        if self._settings.import_all:
            return Position(uid_validity=state.uid_validity, last_uid=0, first_uid=0, start=0)
        newest = await self._newest(imap, state)
        return Position(
            uid_validity=state.uid_validity,
            last_uid=newest,
            first_uid=newest,
            start=int(self._now().timestamp()),
        )

    async def _newest(self, imap: ImapConnection, state: FolderState) -> int:
        if state.uid_next is not None:
            return state.uid_next - 1
        return max(await imap.search("ALL"), default=0)

    @property
    def _cursor_name(self) -> str:
        return f"imap:{self._folder}"

    def _cursor(self, position: Position) -> Cursor:
        return Cursor(account=self._account, name=self._cursor_name, value=position.write())

    async def _take_new(self, imap: ImapConnection, position: Position) -> Position:
        """Take in what is new, in the order of arrival; return how far that is."""
        # "n:*" always matches the last mail, also where its UID is below n.
        uids = [
            uid
            for uid in await imap.search("UID", f"{position.last_uid + 1}:*")
            if uid > position.last_uid
        ]
        for chunk in _chunks(uids, _DESCRIBED_AT_ONCE):
            listed = await imap.describe(chunk)
            wanted = [listed[uid] for uid in chunk if uid in listed]
            for batch in _batches(wanted, self._settings.max_bytes):
                position = await self._take_batch(imap, batch, position)
            if chunk[-1] > position.last_uid:  # mails that somebody else took away meanwhile
                position = replace(position, last_uid=chunk[-1])
        return position

    async def _take_batch(
        self, imap: ImapConnection, batch: Sequence[Listed], position: Position
    ) -> Position:
        """Load, store, and only then flag, move or delete some mails."""
        after = replace(position, last_uid=batch[-1].uid)
        fresh = [mail for mail in batch if not self._is_older(mail, position)]
        if len(fresh) == 1 and fresh[0].size_bytes > self._settings.max_bytes:
            too_large = f"a mail of {fresh[0].size_bytes:,} bytes, above max_bytes"
            await self._leave_there(imap, fresh[0], too_large)
            await self._inbox.accept(cursor=self._cursor(after))
            return after
        contents = await imap.fetch([mail.uid for mail in fresh]) if fresh else {}
        loaded = [mail for mail in fresh if contents.get(mail.uid)]
        await self._see_to_missing(imap, [mail for mail in fresh if not contents.get(mail.uid)])
        arrived = [
            Arrived(raw=contents[mail.uid], received_at=mail.arrived_at or self._now())
            for mail in loaded
        ]

        async def star(fates: Sequence[Fate]) -> None:
            await self._star(imap, _with_fate(loaded, fates, aside=True))

        fates = await self._intake.take(arrived, cursor=self._cursor(after), before_cursor=star)
        await self._after(imap, _with_fate(loaded, fates, aside=False))
        return after

    def _is_older(self, mail: Listed, position: Position) -> bool:
        """Say whether a mail that is read again was there before the account began."""
        if mail.uid > position.reread or mail.arrived_at is None:
            return False
        return mail.arrived_at < datetime.fromtimestamp(position.start, UTC) - _CLOCKS_DIFFER

    async def _see_to_missing(self, imap: ImapConnection, missing: Sequence[Listed]) -> None:
        """Put mails aside that are there and whose content the server did not give.

        Most are not there any more: somebody else took them away.
        """
        if not missing:
            return
        there = set(await imap.search("UID", uid_set(mail.uid for mail in missing)))
        for mail in missing:
            if mail.uid in there:
                await self._leave_there(imap, mail, "the server does not give its content")

    async def _leave_there(self, imap: ImapConnection, mail: Listed, why: str) -> None:
        """Put a mail aside that cannot be loaded: its headers, and where it is."""
        headers = await imap.fetch([mail.uid], "HEADER")
        reason = f"{why}; it is still in folder {self._folder!r}"
        await self._intake.put_aside(headers.get(mail.uid, b""), reason)
        await self._star(imap, [mail.uid])

    async def _star(self, imap: ImapConnection, uids: Sequence[int]) -> None:
        """Mark mails that the desk has not taken in, so that they stay where they are."""
        if uids and self._settings.after_processing is not AfterProcessing.LEAVE:
            await imap.add_flag(uids, _STARRED)

    async def _after(self, imap: ImapConnection, uids: Sequence[int]) -> None:
        if not uids:
            return
        match self._settings.after_processing:
            case AfterProcessing.LEAVE:
                pass
            case AfterProcessing.FLAG:
                await imap.add_flag(uids, _SEEN)
            case AfterProcessing.MOVE:
                await imap.add_flag(uids, _SEEN)
                await imap.move(uids, self._settings.move_to)
            case AfterProcessing.DELETE:
                await imap.delete(uids)

    async def _finish_what_was_left(self, imap: ImapConnection, position: Position) -> None:
        """Flag, move or delete what was stored just before the connection or the desk died."""
        after = self._settings.after_processing
        # What is read again may be older than the account: none of it is touched here.
        first = max(position.first_uid, position.reread) + 1
        if after is AfterProcessing.LEAVE or position.last_uid < first:
            return
        span = f"{first}:{position.last_uid}"
        criteria = ("UNSEEN",) if after is AfterProcessing.FLAG else ()
        left = await imap.search("UID", span, "UNFLAGGED", *criteria)
        await self._after(imap, [uid for uid in left if first <= uid <= position.last_uid])


def _chunks(uids: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    for start in range(0, len(uids), size):
        yield uids[start : start + size]


def _batches(mails: Sequence[Listed], max_bytes: int) -> Iterator[list[Listed]]:
    """Yield mails in pieces that are loaded at once; one that is too large comes alone."""
    batch: list[Listed] = []
    size = 0
    for mail in mails:
        is_full = len(batch) >= _MOST_AT_ONCE or size + mail.size_bytes > _BYTES_AT_ONCE
        if batch and (is_full or mail.size_bytes > max_bytes):
            yield batch
            batch, size = [], 0
        batch.append(mail)
        size += mail.size_bytes
        if mail.size_bytes > max_bytes:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _with_fate(mails: Sequence[Listed], fates: Sequence[Fate], *, aside: bool) -> list[int]:
    """Return the UIDs of the mails that were put aside, or of all others."""
    return [
        mail.uid for mail, fate in zip(mails, fates, strict=True) if (fate is Fate.ASIDE) == aside
    ]
