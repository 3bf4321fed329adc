"""Which arguments the Bot API takes (core.telegram.org/bots/api), and what is wrong with others.

Telegram overlooks arguments that it does not know and entities that do not fit; here they are
refused, so that nobody comes to rely on that.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from aiohttp.web import FileField

from channels.simulator.telegram.answers import bad_request

MAX_TEXT_UNITS = 4_096
MAX_CAPTION_UNITS = 1_024
MAX_PHOTO_BYTES = 10 * 1024 * 1024
MAX_FILE_BYTES = 50 * 1024 * 1024
_MAX_ENTITIES = 100
_MAX_CALLBACK_BYTES = 64
_MAX_BUTTONS = 100
_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}", re.ASCII)
_COMMAND = re.compile(r"[a-z0-9_]{1,32}", re.ASCII)
_ENTITY_TYPES = frozenset(
    {
        *("mention", "hashtag", "cashtag", "bot_command", "url", "email", "phone_number", "bold"),
        *("italic", "underline", "strikethrough", "spoiler", "blockquote", "text_link", "pre"),
        *("expandable_blockquote", "code", "text_mention", "custom_emoji", "date_time"),
    }
)
_UPDATE_KINDS = frozenset(
    {
        *("message", "edited_message", "channel_post", "edited_channel_post", "inline_query"),
        *("business_connection", "business_message", "edited_business_message", "guest_message"),
        *("deleted_business_messages", "message_reaction", "message_reaction_count"),
        *("chosen_inline_result", "callback_query", "shipping_query", "pre_checkout_query"),
        *("purchased_paid_media", "poll", "poll_answer", "my_chat_member", "chat_member"),
        *("chat_join_request", "chat_boost", "removed_chat_boost", "managed_bot"),
    }
)

Arguments = dict[str, Any]
Check = Callable[[str, Any], Any]


def check(method: str, given: Mapping[str, Any]) -> Arguments:
    """Return the arguments of a call with their types, or raise `Refused`."""
    known = METHODS[method]
    if unknown := sorted(given.keys() - known.keys() - _parts(given)):
        raise bad_request(f'unknown parameter "{unknown[0]}" of {method}')
    return {name: known[name](name, value) for name, value in given.items() if name in known}


def need(arguments: Arguments, *names: str) -> None:
    """Refuse a call without all of the arguments `names`."""
    for name in names:
        if name not in arguments:
            raise bad_request(f"{name} is missing")


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
        kind, offset, length = (entity.get(name) for name in ("type", "offset", "length"))
        if kind not in _ENTITY_TYPES:
            raise bad_request(f'can\'t parse entities: unsupported type "{kind}"')
        if not isinstance(offset, int) or not isinstance(length, int):
            raise bad_request("can't parse entities: offset and length must be numbers")
        if offset < 0 or length < 1 or offset + length > end:
            raise bad_request("ENTITY_BOUNDS_INVALID")
        try:
            encoded[offset * 2 : (offset + length) * 2].decode("utf-16-le")
        except UnicodeDecodeError:
            raise bad_request("an entity cuts a character in two") from None
        if kind == "text_link" and not re.match(r"(https?|tg)://", str(entity.get("url"))):
            raise bad_request(f"can't parse entities: wrong URL {entity.get('url')!r}")
        if unknown := entity.keys() - {"type", "offset", "length", "url", "language", "user"}:
            raise bad_request(f"can't parse entities: unknown field {sorted(unknown)[0]!r}")


def _parts(given: Mapping[str, Any]) -> set[str]:
    """Return the names of files that an argument refers to by `attach://`."""
    text = "".join(value for value in given.values() if isinstance(value, str))
    return {name for name in given if f"attach://{name}" in text}


def _integer(name: str, value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        raise bad_request(f"{name} must be a number") from None


def _string(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise bad_request(f"{name} must be a string")
    return value


def _boolean(name: str, value: Any) -> bool:
    if value in (True, "true", "True"):
        return True
    if value in (False, "false", "False"):
        return False
    raise bad_request(f"{name} must be a boolean")


def _json(name: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        raise bad_request(f"{name} must be JSON") from None


def _list(name: str, value: Any) -> list[dict[str, Any]]:
    items = _json(name, value)
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise bad_request(f"{name} must be an array of objects")
    return items


def _object(name: str, value: Any) -> dict[str, Any]:
    item = _json(name, value)
    if not isinstance(item, dict):
        raise bad_request(f"object expected as {name}")
    return item


def _kinds(name: str, value: Any) -> list[str]:
    kinds = _json(name, value)
    if not isinstance(kinds, list) or not set(kinds) <= _UPDATE_KINDS:
        raise bad_request(f"{name} must be an array of kinds of updates")
    return kinds


def _file(name: str, value: Any) -> Any:
    if not isinstance(value, str | FileField):
        raise bad_request(f"{name} must be a file")
    return value


def _action(name: str, value: Any) -> str:
    if value not in {"typing", "upload_photo", "upload_document"}:
        raise bad_request(f"wrong parameter {name} in request")
    return str(value)


def _secret(name: str, value: Any) -> str:
    if not isinstance(value, str) or not _SECRET.fullmatch(value):
        raise bad_request(f"{name}: secret token contains unallowed characters")
    return value


def _limit(name: str, value: Any) -> int:
    number = _integer(name, value)
    if not 1 <= number <= 100:
        raise bad_request("limit must be between 1 and 100")
    return number


def _reply(name: str, value: Any) -> dict[str, Any]:
    reply = _object(name, value)
    known = {"message_id", "chat_id", "allow_sending_without_reply", "quote"}
    if not isinstance(reply.get("message_id"), int) or reply.keys() - known:
        raise bad_request("can't parse reply parameters")
    return reply


def _preview(name: str, value: Any) -> dict[str, Any]:
    options = _object(name, value)
    if options.keys() - {"is_disabled", "url", "prefer_small_media", "show_above_text"}:
        raise bad_request("can't parse link preview options")
    return options


def _keyboard(name: str, value: Any) -> dict[str, Any]:
    markup = _object(name, value)
    rows = markup.get("inline_keyboard")
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise bad_request("can't parse inline keyboard: an array of arrays is expected")
    buttons = [button for row in rows for button in row]
    if len(buttons) > _MAX_BUTTONS:
        raise bad_request("REPLY_MARKUP_TOO_LONG")
    for button in buttons:
        if not isinstance(button, dict) or not str(button.get("text", "")).strip():
            raise bad_request("can't parse inline keyboard button: text is empty")
        if len(button.keys() & {"callback_data", "url"}) != 1 or len(button) != 2:
            raise bad_request("text buttons are unallowed in the inline keyboard")
        if not 1 <= len(str(button.get("callback_data", "x")).encode()) <= _MAX_CALLBACK_BYTES:
            raise bad_request("BUTTON_DATA_INVALID")
    return markup


def _commands(name: str, value: Any) -> list[dict[str, Any]]:
    commands = _list(name, value)
    for command in commands:
        if not _COMMAND.fullmatch(str(command.get("command"))):
            raise bad_request("BOT_COMMAND_INVALID")
        if not 1 <= len(str(command.get("description", ""))) <= 256:
            raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
    return commands


_PLACE: dict[str, Check] = {
    "chat_id": _integer,
    "message_thread_id": _integer,
    "direct_messages_topic_id": _integer,
    "disable_notification": _boolean,
    "protect_content": _boolean,
    "reply_parameters": _reply,
}
_CAPTION: dict[str, Check] = {
    "caption": _string,
    "caption_entities": _list,
    "reply_markup": _keyboard,
}
METHODS: Mapping[str, Mapping[str, Check]] = MappingProxyType(
    {
        "getMe": {},
        "getUpdates": {
            "offset": _integer,
            "limit": _limit,
            "timeout": _integer,
            "allowed_updates": _kinds,
        },
        "setWebhook": {
            "url": _string,
            "secret_token": _secret,
            "max_connections": _integer,
            "allowed_updates": _kinds,
            "drop_pending_updates": _boolean,
        },
        "deleteWebhook": {"drop_pending_updates": _boolean},
        "getWebhookInfo": {},
        "sendMessage": {
            **_PLACE,
            "text": _string,
            "entities": _list,
            "link_preview_options": _preview,
            "reply_markup": _keyboard,
        },
        "sendPhoto": {**_PLACE, **_CAPTION, "photo": _file},
        "sendDocument": {**_PLACE, **_CAPTION, "document": _file},
        "sendMediaGroup": {**_PLACE, "media": _list},
        "editMessageText": {
            "chat_id": _integer,
            "message_id": _integer,
            "text": _string,
            "entities": _list,
            "link_preview_options": _preview,
            "reply_markup": _keyboard,
        },
        "editMessageCaption": {"chat_id": _integer, "message_id": _integer, **_CAPTION},
        "deleteMessage": {"chat_id": _integer, "message_id": _integer},
        "answerCallbackQuery": {
            "callback_query_id": _string,
            "text": _string,
            "show_alert": _boolean,
        },
        "sendChatAction": {
            "chat_id": _integer,
            "message_thread_id": _integer,
            "action": _action,
        },
        "getFile": {"file_id": _string},
        "getChat": {"chat_id": _integer},
        "setMyCommands": {"commands": _commands, "scope": _object, "language_code": _string},
    }
)
"""The methods that the platform has, with their arguments."""

SENDS = frozenset({"sendMessage", "sendPhoto", "sendDocument", "sendMediaGroup"})
"""The methods that make messages."""
