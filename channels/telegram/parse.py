"""What a Telegram `Update` says: payloads to events. Pure, and total over any JSON object."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from uuid import UUID

from pydantic_core import from_json

from channels.telegram import ids
from channels.telegram.addressing import (
    NotAddressed,
    Reading,
    command_of,
    is_addressed,
    without_our_name,
)
from channels.telegram.commands import intent_of, is_ours, topic_of, words_of
from channels.telegram.content import read_body
from channels.telegram.fields import (
    Fields,
    integer,
    mapping,
    mappings,
    maybe_mapping,
    maybe_string,
    moment,
    string,
)
from channels.telegram.happenings import (
    read_membership,
    read_migration,
    read_participants,
    read_reaction,
)
from channels.telegram.ids import Place
from channels.telegram.origin import Frame, author_of, check_author, person_of, place_of
from core.domain.content import Body, Intent
from core.domain.errors import IgnoredPayload, UnknownPayload
from core.domain.events import (
    ChoicePressed,
    Event,
    MessageEdited,
    MessagePosted,
)
from core.domain.ids import AccountId, ChoiceId, RemoteId

ALLOWED_UPDATES = (
    "message",
    "edited_message",
    "callback_query",
    "message_reaction",
    "my_chat_member",
)
"""The kinds of updates that the desk asks for."""

_IGNORED: Mapping[str, str] = MappingProxyType(
    {
        "channel_post": "a post in a channel has no person behind it",
        "edited_channel_post": "a post in a channel has no person behind it",
        "business_connection": "business accounts are not served",
        "business_message": "business accounts are not served",
        "edited_business_message": "business accounts are not served",
        "deleted_business_messages": "business accounts are not served",
        "guest_message": "the bot is no member of the chat",
        "message_reaction_count": "anonymous reactions have no person behind them",
        "inline_query": "the bot has no inline mode",
        "chosen_inline_result": "the bot has no inline mode",
        "shipping_query": "the bot sells nothing",
        "pre_checkout_query": "the bot sells nothing",
        "purchased_paid_media": "the bot sells nothing",
        "poll": "the bot holds no polls",
        "poll_answer": "the bot holds no polls",
        "chat_member": "other members' rights do not concern the desk",
        "chat_join_request": "the bot admits nobody to chats",
        "chat_boost": "boosts do not concern the desk",
        "removed_chat_boost": "boosts do not concern the desk",
        "managed_bot": "other bots do not concern the desk",
    }
)


def read_update(raw: bytes) -> Fields:
    """Return the JSON object in `raw`.

    Raises:
        UnknownPayload: it is no JSON object, or one nested too deeply.
    """
    try:
        # Not `json`: it takes NaN and half a surrogate pair, and nesting overflows its stack.
        update = from_json(raw, allow_inf_nan=False)
    except ValueError as error:
        raise UnknownPayload("not JSON in UTF-8") from error
    if not isinstance(update, dict):
        raise UnknownPayload("not a JSON object")
    return update


def parse_update(
    update: Fields, reading: Reading, now: datetime, raw: bytes = b""
) -> tuple[Event, ...]:
    """Return what `update` says; `raw` is the payload as it came.

    `now` is the time of events that Telegram gives none (a pressed button).

    Raises:
        IgnoredPayload: it says nothing to us; the message says why.
        UnknownPayload: a shape we do not know; it is kept in quarantine.
    """
    number = integer(update, "update_id")
    for kind, parse in _PARSERS.items():
        if (fields := maybe_mapping(update, kind)) is not None:
            return tuple(parse(Frame(reading, number, now, raw), fields))
    for kind, reason in _IGNORED.items():
        if kind in update:
            raise IgnoredPayload(reason)
    if len(update) == 1:
        raise IgnoredPayload("an update without content")
    kinds = ", ".join(sorted(name for name in update if name != "update_id"))
    raise UnknownPayload(f"update of kind {kinds[:200]!r}")


def read_any(account: AccountId, raw: bytes) -> Sequence[Event]:
    """Return what a payload says where nothing is known of the bot; see `parse_update`."""
    reading = Reading(account=account)
    return parse_update(read_update(raw), reading, datetime.now(UTC), raw)


def pressed_message(update: Fields) -> RemoteId | None:
    """Return the message whose button was pressed, where Telegram no longer tells its topic."""
    try:
        message = mapping(mapping(update, "callback_query"), "message")
        if integer(message, "date") != 0:
            return None
        chat = integer(mapping(message, "chat"), "id")
        return ids.remote_id(chat, integer(message, "message_id"))
    except UnknownPayload:
        return None


def _message(frame: Frame, message: Fields) -> Iterator[Event]:
    chat, number = integer(mapping(message, "chat"), "id"), integer(message, "message_id")
    place, at = place_of(message), moment(message, "date")
    author = author_of(message, frame.reading)
    common = frame.common(place, at)
    if (event := read_migration(frame, message)) is not None:
        yield event
        return
    if joined := [*mappings(message, "new_chat_members")]:
        yield from read_participants(common, author, chat, number, joined, joined=True)
        return
    if left := maybe_mapping(message, "left_chat_member"):
        yield from read_participants(common, author, chat, number, [left], joined=False)
        return
    check_author(message, author)
    body = read_body(message)
    if body is None:
        raise IgnoredPayload(f"a notice of the chat: {_notice(message)}")
    assert author is not None
    if not is_addressed(message, frame.reading):
        raise NotAddressed("a message in a group that is not meant for the bot")
    intent = topic = None
    if command := command_of(message):
        name, argument = command
        intent, topic = intent_of(name), topic_of(name, argument)
        if is_ours(name):
            body = Body(text=words_of(name, argument), quoted=body.quoted)
    elif not place.is_private:
        body = without_our_name(body, frame.reading)
    yield MessagePosted(
        **common,
        key=ids.post_key(chat, number),
        author=author,
        order=ids.order(chat, number),
        body=body,
        remote_ids=_names(message, place),
        intent=intent,
        subject=topic,
        album=_album(message, intent),
        is_shared=not place.is_private,
        answers=_answered(message, chat),
    )


def _edited(frame: Frame, message: Fields) -> Iterator[Event]:
    chat, number = integer(mapping(message, "chat"), "id"), integer(message, "message_id")
    author = author_of(message, frame.reading)
    check_author(message, author)
    body = read_body(message)
    if body is None:
        raise IgnoredPayload(f"a notice of the chat: {_notice(message)}")
    assert author is not None
    at = moment(message, "edit_date" if "edit_date" in message else "date")
    if not place_of(message).is_private:
        body = without_our_name(body, frame.reading)
    content = json.dumps([body.text, [file.remote for file in body.files]])
    yield MessageEdited(
        **frame.common(place_of(message), at),
        key=ids.edit_key(chat, number, int(at.timestamp()), content),
        author=author,
        order=ids.order(chat, number),
        remote_id=ids.remote_id(chat, number),
        body=body,
    )


def _callback(frame: Frame, query: Fields) -> Iterator[Event]:
    callback, user = string(query, "id"), mapping(query, "from")
    message = maybe_mapping(query, "message")
    if message is None:
        raise IgnoredPayload("a button of a message that the bot did not send to a chat")
    choice = _uuid(maybe_string(query, "data"))
    if choice is None:
        raise IgnoredPayload("a button that is not the desk's")
    integer(message, "message_id")
    yield ChoicePressed(
        **frame.common(place_of(message), frame.now),
        key=ids.press_key(callback),
        author=person_of(user),
        choice=ChoiceId(choice),
    )


def _names(message: Fields, place: Place) -> tuple[RemoteId, ...]:
    """Return what a message is found by; its own name is the last.

    In a group the name of its album is one of them: parts that come later say nothing else of whom
    they are for, and another process, or one that was just started, has not seen the first.
    """
    own = ids.remote_id(place.chat, integer(message, "message_id"))
    album = maybe_string(message, "media_group_id")
    return (own,) if place.is_private or not album else (ids.album_id(place.chat, album), own)


def _album(message: Fields, intent: Intent | None) -> str | None:
    return None if intent is not None else maybe_string(message, "media_group_id")


def _answered(message: Fields, chat: int) -> RemoteId | None:
    answered = maybe_mapping(message, "reply_to_message")
    return None if answered is None else ids.remote_id(chat, integer(answered, "message_id"))


def _notice(message: Fields) -> str:
    """Return which notice a message without content is."""
    known = {"message_id", "date", "chat", "from", "message_thread_id", "is_topic_message"}
    names = sorted(name for name in message if name not in known)
    return ", ".join(names)[:200] or "empty"


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text is not None and len(text) == 36 else None
    except ValueError:
        return None


_PARSERS: Mapping[str, Callable[[Frame, Fields], Iterator[Event]]] = MappingProxyType(
    {
        "message": _message,
        "edited_message": _edited,
        "callback_query": _callback,
        "message_reaction": read_reaction,
        "my_chat_member": read_membership,
    }
)
