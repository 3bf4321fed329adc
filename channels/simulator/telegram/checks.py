"""Which calls the Bot API takes (core.telegram.org/bots/api), and what is wrong with others.

Names and types are those of `spec`; here are the limits, and which arguments are simulated.
Telegram overlooks arguments that it does not know and entities that do not fit; here they are
refused, so that nobody comes to rely on that.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from telegram import constants

from channels.simulator.telegram.answers import bad_request
from channels.simulator.telegram.spec import Wrong, arguments_of, converted

MAX_TEXT_UNITS = int(constants.MessageLimit.MAX_TEXT_LENGTH)
MAX_CAPTION_UNITS = int(constants.MessageLimit.CAPTION_LENGTH)
MAX_PHOTO_BYTES = 10 * 1024 * 1024
MAX_FILE_BYTES = 50 * 1024 * 1024
_MAX_ENTITIES = int(constants.MessageLimit.MESSAGE_ENTITIES)
_MAX_CALLBACK_BYTES = int(constants.InlineKeyboardButtonLimit.MAX_CALLBACK_DATA)
_MAX_BUTTONS = int(constants.InlineKeyboardMarkupLimit.TOTAL_BUTTON_NUMBER)
_MAX_UPDATES = int(constants.PollingLimit.MAX_LIMIT)
_MAX_DESCRIPTION = int(constants.BotCommandLimit.MAX_DESCRIPTION)
_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}", re.ASCII)
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_COMMAND = re.compile(r"[a-z0-9_]{1,32}", re.ASCII)
_ENTITY_TYPES = frozenset(str(one.value) for one in constants.MessageEntityType)
_UPDATE_KINDS = frozenset(str(one.value) for one in constants.UpdateType)
_ACTIONS = frozenset(str(one.value) for one in constants.ChatAction)
_MISSING: Mapping[str, str] = MappingProxyType(
    {
        "chat_id": "chat_id is empty",
        "text": "message text is empty",
        "message_id": "message identifier is not specified",
        "photo": "there is no photo in the request",
        "document": "there is no document in the request",
    }
)
"""What Telegram says where an argument is missing that must be there."""

Arguments = dict[str, Any]


def check(method: str, given: Mapping[str, Any]) -> Arguments:
    """Return the arguments of a call with their types, or raise `Refused`."""
    described, simulated = arguments_of(method), METHODS[method]
    for name in sorted(given.keys() - simulated - _parts(given)):
        if name in described:
            raise bad_request(f'parameter "{name}" of {method} is not simulated')
        raise bad_request(f'unknown parameter "{name}" of {method}')
    need(given, *(name for name, of in described.items() if of.is_needed))
    try:
        arguments = {
            name: converted(name, given[name], described[name].kind)
            for name in given
            if name in simulated
        }
    except Wrong as error:
        raise bad_request(str(error)) from None
    if any(_LONE_SURROGATE.search(text) for text in _texts(arguments)):
        raise bad_request("strings must be encoded in UTF-8")
    for name, value in arguments.items():
        if (limit := _LIMITS.get(name)) is not None:
            limit(value)
    return arguments


def _texts(value: object) -> Iterator[str]:
    """Yield every text in `value`, at whatever depth, the names of fields as well."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, held in value.items():
            yield name
            yield from _texts(held)
    elif isinstance(value, list):
        for held in value:
            yield from _texts(held)


def need(arguments: Mapping[str, Any], *names: str) -> None:
    """Refuse a call without all of the arguments `names`."""
    for name in names:
        if name not in arguments:
            raise bad_request(_MISSING.get(name, f'parameter "{name}" is required'))


def units(text: str) -> int:
    """Return how many UTF-16 code units `text` has."""
    return len(text.encode("utf-16-le")) // 2


def check_text(text: str, entities: list[dict[str, Any]]) -> None:
    """Refuse a text that is empty or too long, or entities that do not fit it."""
    if not text.strip():
        raise bad_request("message text is empty")
    if units(text) > MAX_TEXT_UNITS:
        raise bad_request("message is too long")
    _check_entities(text, entities)


def check_caption(caption: str, entities: list[dict[str, Any]]) -> None:
    """Refuse a caption that is too long, or entities that do not fit it."""
    if units(caption) > MAX_CAPTION_UNITS:
        raise bad_request("message caption is too long")
    _check_entities(caption, entities)


def _check_entities(text: str, entities: list[dict[str, Any]]) -> None:
    encoded, end = text.encode("utf-16-le"), units(text)
    if len(entities) > _MAX_ENTITIES:
        raise bad_request("too many entities")
    for entity in entities:
        kind, offset, length = (entity[name] for name in ("type", "offset", "length"))
        if kind not in _ENTITY_TYPES:
            raise bad_request(f'can\'t parse entities: unsupported type "{kind}"')
        if offset < 0 or length < 1 or offset + length > end:
            raise bad_request("ENTITY_BOUNDS_INVALID")
        try:
            encoded[offset * 2 : (offset + length) * 2].decode("utf-16-le")
        except UnicodeDecodeError:
            raise bad_request("an entity cuts a character in two") from None
        if kind == "text_link" and not re.match(r"(https?|tg)://", str(entity.get("url"))):
            raise bad_request(f"can't parse entities: wrong URL {entity.get('url')!r}")


def _parts(given: Mapping[str, Any]) -> set[str]:
    """Return the names of files that an argument refers to by `attach://`."""
    text = "".join(value for value in given.values() if isinstance(value, str))
    return {name for name in given if f"attach://{name}" in text}


def _kinds(kinds: list[str]) -> None:
    if not set(kinds) <= _UPDATE_KINDS:
        raise bad_request("allowed_updates must be an array of kinds of updates")


def _action(action: str) -> None:
    if action not in _ACTIONS:
        raise bad_request("wrong parameter action in request")


def _secret(secret: str) -> None:
    if not _SECRET.fullmatch(secret):
        raise bad_request("secret token contains unallowed characters")


def _limit(number: int) -> None:
    if not 1 <= number <= _MAX_UPDATES:
        raise bad_request("limit must be between 1 and 100")


def _keyboard(markup: dict[str, Any]) -> None:
    if "inline_keyboard" not in markup:
        raise bad_request("only inline keyboards are simulated")
    buttons = [button for row in markup["inline_keyboard"] for button in row]
    if len(buttons) > _MAX_BUTTONS:
        raise bad_request("REPLY_MARKUP_TOO_LONG")
    for button in buttons:
        if not button["text"].strip():
            raise bad_request("can't parse inline keyboard button: text is empty")
        if len(button.keys() & {"callback_data", "url"}) != 1 or len(button) != 2:
            raise bad_request("text buttons are unallowed in the inline keyboard")
        if not 1 <= len(button.get("callback_data", "x").encode()) <= _MAX_CALLBACK_BYTES:
            raise bad_request("BUTTON_DATA_INVALID")


def _commands(commands: list[dict[str, Any]]) -> None:
    for command in commands:
        if not _COMMAND.fullmatch(command["command"]):
            raise bad_request("BOT_COMMAND_INVALID")
        if not 1 <= len(command["description"]) <= _MAX_DESCRIPTION:
            raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")


_LIMITS: Mapping[str, Callable[[Any], None]] = MappingProxyType(
    {
        "action": _action,
        "allowed_updates": _kinds,
        "commands": _commands,
        "limit": _limit,
        "reply_markup": _keyboard,
        "secret_token": _secret,
    }
)

_PLACE = (
    "chat_id message_thread_id direct_messages_topic_id disable_notification protect_content"
    " reply_parameters"
)
_CAPTION = "caption caption_entities reply_markup"
_TEXT = "text entities link_preview_options reply_markup"
METHODS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        name: frozenset(arguments.split())
        for name, arguments in {
            "getMe": "",
            "getUpdates": "offset limit timeout allowed_updates",
            "setWebhook": "url secret_token max_connections allowed_updates drop_pending_updates",
            "deleteWebhook": "drop_pending_updates",
            "getWebhookInfo": "",
            "sendMessage": f"{_PLACE} {_TEXT}",
            "sendPhoto": f"{_PLACE} {_CAPTION} photo",
            "sendDocument": f"{_PLACE} {_CAPTION} document",
            "sendMediaGroup": f"{_PLACE} media",
            "editMessageText": f"chat_id message_id {_TEXT}",
            "editMessageCaption": f"chat_id message_id {_CAPTION}",
            "deleteMessage": "chat_id message_id",
            "answerCallbackQuery": "callback_query_id text show_alert",
            "sendChatAction": "chat_id message_thread_id action",
            "getFile": "file_id",
            "getChat": "chat_id",
            "setMyCommands": "commands scope language_code",
        }.items()
    }
)
"""The methods that the platform has, and which of their arguments."""

SENDS = frozenset({"sendMessage", "sendPhoto", "sendDocument", "sendMediaGroup"})
"""The methods that make messages."""
