"""From where and from whom an update comes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from channels.telegram import ids
from channels.telegram.addressing import Reading
from channels.telegram.content import person_name
from channels.telegram.fields import (
    Fields,
    flag,
    integer,
    mapping,
    maybe_integer,
    maybe_mapping,
    maybe_string,
    string,
)
from channels.telegram.ids import Place
from core.domain.errors import IgnoredPayload
from core.domain.events import Author


@dataclass(frozen=True, slots=True)
class Frame:
    """What all events of an update share."""

    reading: Reading
    number: int
    now: datetime
    raw: bytes

    def common(self, place: Place, at: datetime) -> dict[str, Any]:
        return {
            "account": self.reading.account,
            "thread": ids.thread_key(place),
            "at": at,
            "raw": self.raw,
        }


def place_of(message: Fields) -> Place:
    """Return the conversation that a message belongs to.

    In groups without topics `message_thread_id` names what a message answers, not a topic.
    """
    chat = integer(mapping(message, "chat"), "id")
    direct = maybe_mapping(message, "direct_messages_topic")
    if direct is not None:
        return Place(chat=chat, topic=integer(direct, "topic_id"), is_direct=True)
    topic = maybe_integer(message, "message_thread_id")
    return Place(chat=chat, topic=topic if flag(message, "is_topic_message") else None)


def author_of(message: Fields, reading: Reading) -> Author | None:
    """Return who wrote; a chat where somebody writes in its name; None for bots."""
    chat = maybe_mapping(message, "sender_chat")
    user = maybe_mapping(message, "from")
    if chat is not None and not flag(message, "is_automatic_forward"):
        return group_of(chat)
    if user is None or flag(user, "is_bot"):
        return None
    if reading.bot is not None and integer(user, "id") == reading.bot.id:
        return None
    return person_of(user)


def check_author(message: Fields, author: Author | None) -> None:
    chat = mapping(message, "chat")
    if string(chat, "type") == "channel":
        raise IgnoredPayload("a post in a channel has no person behind it")
    if flag(message, "is_automatic_forward"):
        raise IgnoredPayload("a channel's post, which Telegram put into its group")
    if author is None:
        raise IgnoredPayload("a bot's message, or our own")


def person_of(user: Fields) -> Author:
    language = (maybe_string(user, "language_code") or "").replace("_", "-").partition("-")[0]
    return Author(
        address=ids.person(integer(user, "id")),
        name=person_name(user),
        language=language.lower() if len(language) == 2 and language.isalpha() else None,
    )


def group_of(chat: Fields) -> Author:
    name = maybe_string(chat, "title") or person_name(chat)
    return Author(address=ids.group(integer(chat, "id")), name=name)
