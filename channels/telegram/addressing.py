"""Whether a message in a group is meant for the bot, and what it says to the bot by name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from channels.telegram import ids
from channels.telegram.commands import is_ours
from channels.telegram.content import read_entities, read_text
from channels.telegram.fields import (
    Fields,
    integer,
    mapping,
    maybe_mapping,
    maybe_string,
    string,
)
from core.domain.content import Body
from core.domain.errors import IgnoredPayload, UnknownPayload
from core.domain.ids import AccountId, RemoteId


@dataclass(frozen=True, slots=True, kw_only=True)
class Self:
    """Who the bot is."""

    id: int
    username: str  # without the @


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How updates are to be read."""

    account: AccountId
    bot: Self | None = None  # None: every message in a group counts as meant for the bot
    takes_all: bool = False  # in groups, also what is not meant for the bot
    albums: frozenset[RemoteId] = frozenset()  # of which a part was meant for the bot


def group_message(update: Fields) -> Fields | None:
    """Return the message in `update`, new or edited, if it was written in a group."""
    for kind in ("message", "edited_message"):
        message = update.get(kind)
        chat = message.get("chat") if isinstance(message, dict) else None
        if isinstance(chat, dict) and chat.get("type") in ("group", "supergroup"):
            assert isinstance(message, dict)
            return message
    return None


class NotAddressed(IgnoredPayload):
    """A message in a group that is not meant for the bot, or an edit of one."""


def addressed_album(update: Fields, reading: Reading) -> RemoteId | None:
    """Return the album that `update` is the addressed part of: its other parts belong to it."""
    message = group_message(update)
    try:
        # An edit that adds the mention brings nothing.
        if message is not None and "message" in update and is_addressed(message, reading):
            return album_of(message)
    except UnknownPayload:
        return None  # it will go to quarantine by itself
    return None


def album_of(message: Fields) -> RemoteId | None:
    """Return the name of the album that a message in a group is a part of, if it is one."""
    album = maybe_string(message, "media_group_id")
    return ids.album_id(integer(mapping(message, "chat"), "id"), album) if album else None


def is_addressed(message: Fields, reading: Reading) -> bool:
    """Return whether `message` mentions the bot, answers it, or is a command of it.

    Everything in a private chat is; in groups, everything where `reading` says so.
    """
    bot = reading.bot
    if bot is None or reading.takes_all or group_message({"message": message}) is None:
        return True
    if album_of(message) in reading.albums:
        return True
    answered = maybe_mapping(message, "reply_to_message")
    answered_author = None if answered is None else maybe_mapping(answered, "from")
    if answered_author is not None and integer(answered_author, "id") == bot.id:
        return True
    if (command := command_of(message, bot)) and is_ours(command[0]):
        return True
    return any(_names(bot, words, entity) for words, entity in _mentions(message))


def command_of(message: Fields, bot: Self | None = None) -> tuple[str, str] | None:
    """Return the command that a message begins with, without its slash, and what follows it.

    With `bot`, not one that names another bot.
    """
    for words, entity in _mentions(message):
        if integer(entity, "offset") == 0 and string(entity, "type") == "bot_command":
            name, _, whose = words.removeprefix("/").partition("@")
            if whose and bot is not None and whose.casefold() != bot.username.casefold():
                return None
            return name, read_text(message)[len(words) :].strip()
    return None


def without_our_name(body: Body, reading: Reading) -> Body:
    """Return `body` without the mention of the bot that it begins with."""
    if reading.bot is None:
        return body
    mention = f"@{reading.bot.username}"
    for written in (mention, mention.replace("_", "\\_")):
        if body.text[: len(written)].casefold() == written.casefold():
            return replace(body, text=body.text[len(written) :].lstrip(" ,:\n"))
    return body


def _mentions(message: Fields) -> Iterator[tuple[str, Fields]]:
    """Yield the entities of a message with the words under them."""
    encoded = read_text(message).encode("utf-16-le", "surrogatepass")
    for entity in read_entities(message):
        start = max(0, integer(entity, "offset")) * 2
        piece = encoded[start : start + max(0, integer(entity, "length")) * 2]
        yield piece.decode("utf-16-le", "replace"), entity


def _names(bot: Self, words: str, entity: Fields) -> bool:
    match string(entity, "type"):
        case "mention":
            return words.casefold() == f"@{bot.username}".casefold()
        case "bot_command":
            return words.casefold().endswith(f"@{bot.username}".casefold())
        case "text_mention":
            user = maybe_mapping(entity, "user")
            return user is not None and integer(user, "id") == bot.id
        case _:
            return False
