"""How updates are read with what they do not tell: the bot's name, the topic of a message.

One part of an album in a group says for all whom it is for, and need not come first. A part that
comes before it is set aside with the inbox, which is committed before it is acknowledged. Whoever
sets a part aside looks after that whether the album has been stored, and whoever stores the part
that names the bot looks after that for what is set aside: of two processes that do so at the same
time, one sees what the other did, and where both do, the second finds its messages stored.
Reactions do not say of which album their message is: with each part the name of its album is kept
under the name of the part, and a reaction to it is set aside as one part more.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from channels.telegram import ids
from channels.telegram.addressing import (
    NotAddressed,
    Reading,
    Self,
    addressed_album,
    album_of,
    group_message,
    is_addressed,
)
from channels.telegram.fields import Fields, integer, mapping
from channels.telegram.parse import parse_update, pressed_message
from channels.telegram.settings import GroupMessages, TelegramSettings
from core.domain.errors import IgnoredPayload, UnknownPayload
from core.domain.events import ChoicePressed, Event, MessagePosted, ReactionChanged
from core.domain.ids import AccountId, RemoteId, ThreadKey
from core.ports import Inbox

_REMEMBERED = 1_000
_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


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
        self._albums: OrderedDict[RemoteId, None] = OrderedDict()
        # A reaction can come in one batch with its message, when the desk does not know that yet.
        self._threads: OrderedDict[RemoteId, ThreadKey] = OrderedDict()

    async def notice_albums(self, updates: Iterable[Fields]) -> Sequence[RemoteId]:
        """Return which albums are meant for the bot by a part in `updates`, and remember them.

        What is set aside of them is to be stored after those parts, and before these are
        acknowledged: see `channels.telegram.taking.take_rest`.
        """
        albums: list[RemoteId] = []
        for update in updates:
            if group_message(update) is None:
                continue
            album = addressed_album(update, await self._reading(update))
            if album is not None:
                _remember(self._albums, album, None)
                albums.append(album)
        return albums

    async def read(self, update: Fields, raw: bytes, inbox: Inbox) -> tuple[Event, ...]:
        """Return what `update` says; `raw` is the payload as it came.

        Raises:
            IgnoredPayload: it says nothing to us.
            UnknownPayload: a shape we do not know.
            StorageUnavailable: what it is about cannot be looked up.
            DeliveryError: Telegram did not tell who the bot is.
        """
        reading = await self._reading(update, inbox)
        try:
            events = await self._parsed(update, reading, raw, inbox)
        except NotAddressed:
            album = await self._set_aside(update, raw, inbox)
            events = await self._parsed(
                update, replace(reading, albums=frozenset({album})), raw, inbox
            )
        for event in events:
            if isinstance(event, MessagePosted):
                for remote in event.remote_ids:
                    _remember(self._threads, remote, event.thread)
        return tuple([await self._placed(event, update, raw, inbox) for event in events])

    async def _reading(self, update: Fields, inbox: Inbox | None = None) -> Reading:
        """Return how to read `update`; without `inbox` its album is not looked up."""
        message = group_message(update)
        album = None if message is None else _album_of(message)
        known: frozenset[RemoteId] = frozenset()
        if album is not None and (
            album in self._albums or (inbox is not None and await self._is_kept(album, inbox))
        ):
            known = frozenset({album})
        return Reading(
            account=self._account,
            bot=None if message is None else await self._identify(),
            takes_all=self._takes_all,
            albums=known,
        )

    async def _is_kept(self, album: RemoteId, inbox: Inbox) -> bool:
        """Say whether a part of an album was kept: by another process, or before a restart."""
        if not await inbox.threads_of(self._account, [album]):
            return False
        _remember(self._albums, album, None)
        return True

    async def _parsed(
        self, update: Fields, reading: Reading, raw: bytes, inbox: Inbox
    ) -> tuple[Event, ...]:
        events = parse_update(update, reading, self._clock(), raw)
        await self._check_edit(update, reading, inbox)
        return events

    async def _set_aside(self, update: Fields, raw: bytes, inbox: Inbox) -> RemoteId:
        """Set a part of an album aside; return the album where it was for the bot meanwhile.

        Raises:
            NotAddressed: as far as is known it is not, or no album.
        """
        message = group_message(update)
        album = None if message is None else album_of(message)
        if message is None or album is None:
            raise NotAddressed("a message in a group that is not meant for the bot")
        part = ids.remote_id(
            integer(mapping(message, "chat"), "id"), integer(message, "message_id")
        )
        await inbox.set_aside(self._account, part, f"album of {part}", album.encode())
        await inbox.set_aside(self._account, album, str(integer(update, "update_id")), raw)
        if not await self._is_kept(album, inbox):
            raise NotAddressed("a part of an album that was not meant for the bot yet: set aside")
        return album

    async def _check_edit(self, update: Fields, reading: Reading, inbox: Inbox) -> None:
        """Ignore edits in groups of what was not meant for the bot, before and after."""
        if "edited_message" not in update:
            return
        message = group_message(update)
        if message is None or is_addressed(message, reading):
            return
        chat = integer(mapping(message, "chat"), "id")
        remote = ids.remote_id(chat, integer(message, "message_id"))
        if await self._thread_of(remote, inbox) is None:
            raise NotAddressed("an edit in a group of a message that was not for the bot")

    async def _placed(self, event: Event, update: Fields, raw: bytes, inbox: Inbox) -> Event:
        """Return `event` with its thread, where Telegram tells the chat without the topic."""
        if isinstance(event, ReactionChanged):
            thread = await self._thread_of(event.remote_id, inbox)
            if thread is None and not ids.read_thread(event.thread).is_private:
                thread = await self._set_reaction_aside(event.remote_id, update, raw, inbox)
        elif isinstance(event, ChoicePressed) and (remote := pressed_message(update)):
            thread = await self._thread_of(remote, inbox)
        else:
            return event
        return event if thread is None else replace(event, thread=thread)

    async def _set_reaction_aside(
        self, part: RemoteId, update: Fields, raw: bytes, inbox: Inbox
    ) -> ThreadKey:
        """Set a reaction aside with what it is about; return where its album was stored meanwhile.

        Raises:
            IgnoredPayload: as far as is known that was not for the bot, or is no part of an album.
        """
        named = await inbox.set_aside_of(self._account, part)
        if not named:
            raise IgnoredPayload("a reaction in a group to what was not for the bot")
        album = RemoteId(named[0].decode())
        await inbox.set_aside(self._account, album, str(integer(update, "update_id")), raw)
        thread = (await inbox.threads_of(self._account, [album])).get(album)
        if thread is None:
            raise IgnoredPayload("a reaction to what was not meant for the bot yet: set aside")
        return thread  # of the part itself somebody else may still be storing it

    async def _thread_of(self, remote: RemoteId, inbox: Inbox) -> ThreadKey | None:
        known = self._threads.get(remote)
        return known or (await inbox.threads_of(self._account, [remote])).get(remote)


def _album_of(message: Fields) -> RemoteId | None:
    try:
        return album_of(message)
    except UnknownPayload:
        return None  # it will go to quarantine by itself


def _remember(memory: OrderedDict[_Key, _Value], key: _Key, value: _Value) -> None:
    memory[key] = value
    memory.move_to_end(key)
    if len(memory) > _REMEMBERED:
        memory.popitem(last=False)
