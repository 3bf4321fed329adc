"""What a Telegram `Update` says: payloads to events. Pure, and total over any JSON object."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

from pydantic_core import from_json

from channels.telegram import ids
from channels.telegram.addressing import (
    Reading,
    command_of,
    is_addressed,
    without_our_name,
)
from channels.telegram.commands import intent_of, words_of
from channels.telegram.content import person_name, read_body
from channels.telegram.fields import (
    Fields,
    flag,
    integer,
    mapping,
    mappings,
    maybe_integer,
    maybe_mapping,
    maybe_string,
    moment,
    string,
)
from channels.telegram.ids import Place
from core.domain.content import Body, Intent
from core.domain.errors import IgnoredPayload, UnknownPayload
from core.domain.events import (
    Author,
    ChoicePressed,
    Event,
    MessageEdited,
    MessagePosted,
    ParticipantChanged,
    ReachabilityChanged,
    ReactionChanged,
    ThreadMoved,
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
_REACHABLE = frozenset({"creator", "administrator", "member"})
_UNREACHABLE = frozenset({"left", "kicked"})


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
            return tuple(parse(_Update(reading, number, now, raw), fields))
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


@dataclass(frozen=True, slots=True)
class _Update:
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


def _message(update: _Update, message: Fields) -> Iterator[Event]:
    chat, number = integer(mapping(message, "chat"), "id"), integer(message, "message_id")
    place, at = _place(message), moment(message, "date")
    author = _author(message, update.reading)
    common = update.common(place, at)
    if (event := _moved(update, message)) is not None:
        yield event
        return
    if joined := [*mappings(message, "new_chat_members")]:
        yield from _participants(common, author, chat, number, joined, joined=True)
        return
    if left := maybe_mapping(message, "left_chat_member"):
        yield from _participants(common, author, chat, number, [left], joined=False)
        return
    _check_author(message, author)
    body = read_body(message)
    if body is None:
        raise IgnoredPayload(f"a notice of the chat: {_notice(message)}")
    assert author is not None
    if not is_addressed(message, update.reading):
        raise IgnoredPayload("a message in a group that is not meant for the bot")
    intent = None
    if command := command_of(message):
        name, argument = command
        intent = intent_of(name)
        if intent is not None:
            body = Body(text=words_of(name, argument), quoted=body.quoted)
    elif not place.is_private:
        body = without_our_name(body, update.reading)
    yield MessagePosted(
        **common,
        key=ids.post_key(chat, number),
        author=author,
        order=ids.order(chat, number),
        body=body,
        remote_ids=(ids.remote_id(chat, number),),
        intent=intent,
        album=_album(message, intent),
    )


def _edited(update: _Update, message: Fields) -> Iterator[Event]:
    chat, number = integer(mapping(message, "chat"), "id"), integer(message, "message_id")
    author = _author(message, update.reading)
    _check_author(message, author)
    body = read_body(message)
    if body is None:
        raise IgnoredPayload(f"a notice of the chat: {_notice(message)}")
    assert author is not None
    at = moment(message, "edit_date" if "edit_date" in message else "date")
    if not _place(message).is_private:
        body = without_our_name(body, update.reading)
    content = json.dumps([body.text, [file.remote for file in body.files]])
    yield MessageEdited(
        **update.common(_place(message), at),
        key=ids.edit_key(chat, number, int(at.timestamp()), content),
        author=author,
        order=ids.order(chat, number),
        remote_id=ids.remote_id(chat, number),
        body=body,
    )


def _callback(update: _Update, query: Fields) -> Iterator[Event]:
    callback, user = string(query, "id"), mapping(query, "from")
    message = maybe_mapping(query, "message")
    if message is None:
        raise IgnoredPayload("a button of a message that the bot did not send to a chat")
    choice = _uuid(maybe_string(query, "data"))
    if choice is None:
        raise IgnoredPayload("a button that is not the desk's")
    integer(message, "message_id")
    yield ChoicePressed(
        **update.common(_place(message), update.now),
        key=ids.press_key(callback),
        author=_person(user),
        choice=ChoiceId(choice),
    )


def _reaction(update: _Update, change: Fields) -> Iterator[Event]:
    chat, number = integer(mapping(change, "chat"), "id"), integer(change, "message_id")
    user, actor = maybe_mapping(change, "user"), maybe_mapping(change, "actor_chat")
    if user is not None and flag(user, "is_bot"):
        raise IgnoredPayload("a bot's reaction")
    if user is not None:
        author = _person(user)
    elif actor is not None:
        author = _group(actor)
    else:
        raise IgnoredPayload("a reaction without a person behind it")
    at = moment(change, "date")
    old, new = _reactions(change, "old_reaction"), _reactions(change, "new_reaction")
    changes = [(name, False) for name in old if name not in new]
    changes += [(name, True) for name in new if name not in old]
    if not changes:
        raise IgnoredPayload("the reactions are the same as before")
    for name, added in changes:
        yield ReactionChanged(
            **update.common(Place(chat=chat), at),
            key=ids.reaction_key(update.number, chat, number, author.address, name, added=added),
            author=author,
            remote_id=ids.remote_id(chat, number),
            reaction=name,
            added=added,
        )


def _reactions(change: Fields, name: str) -> list[str]:
    names = []
    for reaction in mappings(change, name):
        match string(reaction, "type"):
            case "emoji":
                names.append(string(reaction, "emoji"))
            case "custom_emoji":
                names.append(f"custom:{string(reaction, 'custom_emoji_id')}")
            case "paid":
                names.append("⭐")
            case kind:
                raise UnknownPayload(f"reaction of type {kind!r}")
    return list(dict.fromkeys(names))


def _membership(update: _Update, change: Fields) -> Iterator[Event]:
    chat, at = mapping(change, "chat"), moment(change, "date")
    member = mapping(change, "new_chat_member")
    status = string(member, "status")
    if string(chat, "type") == "channel":
        raise IgnoredPayload("a channel has no person behind it")
    if status in _REACHABLE:
        reachable = True
    elif status in _UNREACHABLE:
        reachable = False
    elif status == "restricted":
        reachable = flag(member, "can_send_messages")
    else:
        raise UnknownPayload(f"member status {status!r}")
    is_private = string(chat, "type") == "private"
    detail = "the bot is blocked" if is_private else "the bot is not in the group any more"
    yield ReachabilityChanged(
        **update.common(Place(chat=integer(chat, "id")), at),
        key=ids.membership_key(update.number, integer(chat, "id"), integer(change, "date")),
        author=_person(mapping(change, "from")),
        reachable=reachable,
        detail="" if reachable else detail,
    )


def _moved(update: _Update, message: Fields) -> Event | None:
    chat = integer(mapping(message, "chat"), "id")
    new, old = (maybe_integer(message, f"migrate_{way}_chat_id") for way in ("to", "from"))
    if new is not None:
        old = chat
    elif old is not None:
        new = chat
    if new is None or old is None:
        return None
    user = maybe_mapping(message, "from")
    return ThreadMoved(
        **update.common(Place(chat=old), moment(message, "date")),
        key=ids.move_key(old, new),
        author=_group(mapping(message, "chat")) if user is None else _person(user),
        new_thread=ids.thread_key(Place(chat=new)),
    )


def _participants(
    common: Mapping[str, Any],
    author: Author | None,
    chat: int,
    number: int,
    members: Sequence[Fields],
    *,
    joined: bool,
) -> Iterator[Event]:
    people = [member for member in members if not flag(member, "is_bot")]
    if author is None or not people:
        raise IgnoredPayload("a bot joined or left")
    for member in people:
        user = integer(member, "id")
        yield ParticipantChanged(
            **common,
            key=ids.participant_key(chat, number, user, joined=joined),
            author=author,
            participant=_person(member),
            joined=joined,
        )


def _place(message: Fields) -> Place:
    """Return the conversation that a message belongs to.

    In groups without topics `message_thread_id` names what a message answers, not a topic.
    """
    chat = integer(mapping(message, "chat"), "id")
    direct = maybe_mapping(message, "direct_messages_topic")
    if direct is not None:
        return Place(chat=chat, topic=integer(direct, "topic_id"), is_direct=True)
    topic = maybe_integer(message, "message_thread_id")
    return Place(chat=chat, topic=topic if flag(message, "is_topic_message") else None)


def _author(message: Fields, reading: Reading) -> Author | None:
    """Return who wrote; a chat where somebody writes in its name; None for bots."""
    chat = maybe_mapping(message, "sender_chat")
    user = maybe_mapping(message, "from")
    if chat is not None and not flag(message, "is_automatic_forward"):
        return _group(chat)
    if user is None or flag(user, "is_bot"):
        return None
    if reading.bot is not None and integer(user, "id") == reading.bot.id:
        return None
    return _person(user)


def _check_author(message: Fields, author: Author | None) -> None:
    chat = mapping(message, "chat")
    if string(chat, "type") == "channel":
        raise IgnoredPayload("a post in a channel has no person behind it")
    if flag(message, "is_automatic_forward"):
        raise IgnoredPayload("a channel's post, which Telegram put into its group")
    if author is None:
        raise IgnoredPayload("a bot's message, or our own")


def _person(user: Fields) -> Author:
    language = (maybe_string(user, "language_code") or "").replace("_", "-").partition("-")[0]
    return Author(
        address=ids.person(integer(user, "id")),
        name=person_name(user),
        language=language.lower() if len(language) == 2 and language.isalpha() else None,
    )


def _group(chat: Fields) -> Author:
    name = maybe_string(chat, "title") or person_name(chat)
    return Author(address=ids.group(integer(chat, "id")), name=name)


def _album(message: Fields, intent: Intent | None) -> str | None:
    return None if intent is not None else maybe_string(message, "media_group_id")


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


_PARSERS: Mapping[str, Callable[[_Update, Fields], Iterator[Event]]] = MappingProxyType(
    {
        "message": _message,
        "edited_message": _edited,
        "callback_query": _callback,
        "message_reaction": _reaction,
        "my_chat_member": _membership,
    }
)
