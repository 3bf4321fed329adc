"""How updates are asked for, and taken in with the position that is committed with them."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from channels.telegram.parse import ALLOWED_UPDATES
from channels.telegram.presses import Press, press_in
from channels.telegram.reader import Reader
from channels.telegram.taking import take_rest
from core.domain.errors import IgnoredPayload, InvalidInput, Unavailable, UnknownPayload
from core.domain.events import Event
from core.domain.ids import AccountId, RemoteId
from core.ports import Acceptance, Cursor, Inbox

if TYPE_CHECKING:
    from channels.telegram.client import Client

_MAX_UPDATES = 100
_GRACE_SECONDS = 10.0  # for the answer, after the time that Telegram may wait for news
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Taken:
    """An update that says something."""

    events: tuple[Event, ...]
    raw: bytes
    press: Press | None


class Poller:
    """Asks for one account's updates."""

    def __init__(
        self,
        account: AccountId,
        client: Client,
        reader: Reader,
        inbox: Inbox,
        answer: Callable[[Press, Sequence[Acceptance]], None],
        poll_seconds: int,
        *,
        bot: int,
    ) -> None:
        """`answer` is called with a pressed button and what became of it; `bot` is the bot's id."""
        self._account = account
        self._client = client
        self._reader = reader
        self._inbox = inbox
        self._answer = answer
        self._poll_seconds = poll_seconds
        # Each bot numbers its updates: with the token of another one, the count begins anew.
        self._cursor_name = f"updates:{bot}"

    async def run(self, on_answer: Callable[[], Awaitable[None]]) -> None:
        """Take updates in until cancelled; call `on_answer` whenever Telegram answered.

        Raises:
            DeliveryError: Telegram could not be asked.
            StorageUnavailable: nothing can be stored now.
        """
        seconds = 0  # the first answer comes at once, and shows that the account works
        while True:
            position = await self._inbox.cursor(self._account, self._cursor_name)
            updates = await self._ask(None if position is None else int(position), seconds)
            seconds = self._poll_seconds
            await on_answer()
            if updates:
                await self._take(updates)

    async def _ask(self, position: int | None, seconds: int) -> Sequence[dict[str, Any]]:
        """Return the updates from `position` on, waiting for some; Telegram forgets older ones."""
        arguments: dict[str, Any] = {
            "limit": _MAX_UPDATES,
            "timeout": seconds,
            "allowed_updates": list(ALLOWED_UPDATES),
        }
        if position is not None:
            arguments["offset"] = position
        updates = await self._client.call("getUpdates", arguments, seconds=seconds + _GRACE_SECONDS)
        if not isinstance(updates, list) or not all(_is_numbered(update) for update in updates):
            raise Unavailable("Telegram's updates could not be read")
        return updates

    async def _take(self, updates: Sequence[dict[str, Any]]) -> None:
        albums = await self._reader.notice_albums(updates)
        taken = [one for update in updates if (one := await self._read(update)) is not None]
        events = [event for one in taken for event in one.events]
        end = self._cursor(max(update["update_id"] for update in updates) + 1)
        try:
            # Telegram forgets these updates with the cursor: not before the rest of their albums
            # is stored.
            became = await self._inbox.accept(*events, cursor=None if albums else end)
        except InvalidInput:
            became = tuple([each for one in taken for each in await self._take_alone(one)])
            await self._end(albums, end)
        else:
            if albums:
                await self._end(albums, end)
        for one in taken:
            if one.press is not None:
                keys = {event.key for event in one.events}
                self._answer(one.press, [each for each in became if each.key in keys])

    async def _end(self, albums: Sequence[RemoteId], end: Cursor) -> None:
        await take_rest(self._account, self._reader, self._inbox, albums)
        await self._inbox.accept(cursor=end)

    async def _take_alone(self, one: _Taken) -> Sequence[Acceptance]:
        """Store one update; put it aside where it can never be stored."""
        try:
            return await self._inbox.accept(*one.events)
        except InvalidInput as error:
            await self._inbox.quarantine(self._account, one.raw, str(error))
            return ()

    async def _read(self, update: dict[str, Any]) -> _Taken | None:
        raw = json.dumps(update, separators=(",", ":")).encode()
        try:
            events = await self._reader.read(update, raw, self._inbox)
        except IgnoredPayload as reason:
            _log.debug("account %s: update ignored: %s", self._account, reason)
            return None
        except UnknownPayload as reason:
            await self._inbox.quarantine(self._account, raw, str(reason))
            return None
        return _Taken(events=events, raw=raw, press=press_in(update))

    def _cursor(self, position: int) -> Cursor:
        return Cursor(account=self._account, name=self._cursor_name, value=str(position))


def _is_numbered(update: Any) -> bool:
    return isinstance(update, dict) and type(update.get("update_id")) is int
