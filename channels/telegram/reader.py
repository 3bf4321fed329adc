"""How updates are read with what they do not tell: the bot's name, the topic of a message."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from datetime import datetime

from channels.telegram import ids
from channels.telegram.addressing import (
    Reading,
    Self,
    addressed_album,
    group_message,
    is_addressed,
)
from channels.telegram.fields import Fields, integer, mapping
from channels.telegram.parse import parse_update, pressed_message
from channels.telegram.settings import GroupMessages, TelegramSettings
from core.domain.errors import IgnoredPayload
from core.domain.events import ChoicePressed, Event, ReactionChanged
from core.domain.ids import AccountId
from core.ports import Inbox

_REMEMBERED_ALBUMS = 1_000


class Reader:
    """Reads one account's updates."""

    def __init__(
        self,
        account: AccountId,
        settings: TelegramSettings,
        identify: Callable[[], Awaitable[Self]],
        clock: Callable[[], datetime],
    ) -> None:
        """`identify` tells who the bot is; it is asked for messages in groups alone."""
        self._account = account
        self._takes_all = settings.group_messages is GroupMessages.ALL
        self._identify = identify
        self._clock = clock
        self._albums: OrderedDict[str, None] = OrderedDict()

    async def notice_albums(self, updates: Iterable[Fields]) -> None:
        """Remember which albums are meant for the bot: one part of each says so for all."""
        for update in updates:
            if group_message(update) is None:
                continue
            album = addressed_album(update, await self._reading(update))
            if album is not None:
                self._albums[album] = None
                self._albums.move_to_end(album)
        while len(self._albums) > _REMEMBERED_ALBUMS:
            self._albums.popitem(last=False)

    async def read(self, update: Fields, raw: bytes, inbox: Inbox) -> tuple[Event, ...]:
        """Return what `update` says; `raw` is the payload as it came.

        Raises:
            IgnoredPayload: it says nothing to us.
            UnknownPayload: a shape we do not know.
            StorageUnavailable: what it is about cannot be looked up.
            DeliveryError: Telegram did not tell who the bot is.
        """
        reading = await self._reading(update)
        events = parse_update(update, reading, self._clock(), raw)
        await self._check_edit(update, reading, inbox)
        return tuple([await self._placed(event, update, inbox) for event in events])

    async def _reading(self, update: Fields) -> Reading:
        message = group_message(update)
        album = None if message is None else message.get("media_group_id")
        return Reading(
            account=self._account,
            bot=None if message is None else await self._identify(),
            takes_all=self._takes_all,
            albums=frozenset({album})
            if isinstance(album, str) and album in self._albums
            else frozenset(),
        )

    async def _check_edit(self, update: Fields, reading: Reading, inbox: Inbox) -> None:
        """Ignore edits in groups of what was not meant for the bot, before and after."""
        if "edited_message" not in update:
            return
        message = group_message(update)
        if message is None or is_addressed(message, reading):
            return
        chat = integer(mapping(message, "chat"), "id")
        remote = ids.remote_id(chat, integer(message, "message_id"))
        if await inbox.thread_of(self._account, [remote]) is None:
            raise IgnoredPayload("an edit in a group of a message that was not for the bot")

    async def _placed(self, event: Event, update: Fields, inbox: Inbox) -> Event:
        """Return `event` with its thread, where Telegram tells the chat without the topic."""
        if isinstance(event, ReactionChanged):
            thread = await inbox.thread_of(self._account, [event.remote_id])
            if thread is None and not ids.read_thread(event.thread).is_private:
                raise IgnoredPayload("a reaction in a group to what was not for the bot")
        elif isinstance(event, ChoicePressed) and (remote := pressed_message(update)):
            thread = await inbox.thread_of(self._account, [remote])
        else:
            return event
        return event if thread is None else replace(event, thread=thread)
