"""Which arguments Slack's methods take and what may stand in them, as Slack documents it.

https://docs.slack.dev/reference/methods, https://docs.slack.dev/reference/block-kit/blocks
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

METHODS: Mapping[str, str] = MappingProxyType(
    {
        "apps.connections.open": "",
        "auth.test": "",
        "chat.delete": "channel! ts! as_user",
        "chat.postEphemeral": "channel! user! text blocks attachments as_user icon_emoji icon_url "
        "link_names parse thread_ts username markdown_text",
        "chat.postMessage": "channel! text blocks attachments as_user icon_emoji icon_url "
        "link_names metadata mrkdwn parse reply_broadcast thread_ts unfurl_links unfurl_media "
        "username markdown_text",
        "chat.update": "channel! ts! text blocks attachments as_user file_ids link_names "
        "metadata parse reply_broadcast markdown_text",
        "conversations.history": "channel! cursor include_all_metadata inclusive latest limit "
        "oldest",
        "conversations.info": "channel! include_locale include_num_members",
        "conversations.open": "channel prevent_creation return_im users",
        "conversations.replies": "channel! ts! cursor include_all_metadata inclusive latest "
        "limit oldest",
        "files.completeUploadExternal": "files! blocks channel_id channels initial_comment "
        "thread_ts",
        "files.delete": "file!",
        "files.getUploadURLExternal": "filename! length! alt_txt snippet_type",
        "files.info": "file! count cursor limit page",
        "users.info": "user! include_locale",
        "users.lookupByEmail": "email!",
        "views.publish": "user_id! view! hash",
    }
)
"""Arguments by method; those with ! must be there."""

SCOPES: Mapping[str, str] = MappingProxyType(
    {
        "chat.delete": "chat:write",
        "chat.postEphemeral": "chat:write",
        "chat.postMessage": "chat:write",
        "chat.update": "chat:write",
        "conversations.open": "im:write",
        "files.completeUploadExternal": "files:write",
        "files.delete": "files:write",
        "files.getUploadURLExternal": "files:write",
        "files.info": "files:read",
        "users.info": "users:read",
        "users.lookupByEmail": "users:read.email",
    }
)
"""The scope that a method needs; reading a channel needs that of its kind."""

MAX_TEXT = 40_000
MAX_BLOCKS = 50
MAX_HOME_BLOCKS = 100
MAX_BLOCKS_TEXT = 13_200
_MAX_PAGE = 1_000
_MAX_SECTION = 3_000
_MAX_HEADER = 150
_MAX_METADATA = 8_000


class Refused(Exception):
    """Slack says no: an error code as Slack names it."""

    def __init__(self, code: str, **more: str) -> None:
        super().__init__(code)
        self.code, self.more = code, more


def check_arguments(method: str, arguments: Mapping[str, Any]) -> None:
    """Refuse arguments that the method does not have, and the lack of those it must have."""
    if method not in METHODS:
        raise Refused("unknown_method", req_method=method)
    names = METHODS[method].split()
    needed = {name.removesuffix("!") for name in names if name.endswith("!")}
    known = {name.removesuffix("!") for name in names} | {"token"}
    for name in arguments:
        if name not in known:
            raise Refused("invalid_arguments", detail=f"unknown argument {name}")
    for name in needed - arguments.keys():
        raise Refused("invalid_arguments", detail=f"missing argument {name}")
    for name, value in arguments.items():
        form, is_one = _FORMS.get(name, ("text", _is_text))
        if not is_one(value):
            raise Refused("invalid_arguments", detail=f"argument {name} is no {form}")


def forgiven(method: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return `arguments` as Slack itself takes them: it passes over those that it does not know,
    and names buttons that have no `action_id`."""
    names = {name.removesuffix("!") for name in METHODS.get(method, "").split()} | {"token"}
    kept = {name: value for name, value in arguments.items() if name in names}
    if isinstance(kept.get("blocks"), list):
        kept["blocks"] = [
            block | {"elements": _named(block["elements"])}
            if isinstance(block, dict) and block.get("type") == "actions"
            else block
            for block in kept["blocks"]
        ]
    return kept


def _named(elements: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{"action_id": f"unnamed-{number}", **each} for number, each in enumerate(elements)]


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_flag(value: object) -> bool:
    return isinstance(value, bool) or (isinstance(value, str) and value in _FLAGS)


def _is_page(value: object) -> bool:
    """Say whether it is a number of things to a page; addresses have numbers as text."""
    return _is_count(value) and int(str(value)) <= _MAX_PAGE


def _is_count(value: object) -> bool:
    return not isinstance(value, bool) and _COUNT.fullmatch(str(value)) is not None


def _is_name(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _is_time(value: object) -> bool:
    return isinstance(value, str) and _TIME.fullmatch(value) is not None


def _is_edge(value: object) -> bool:
    """Say whether it can be the beginning or the end of what is asked for."""
    return _is_time(value) or (isinstance(value, str) and value in {"0", "now"})


def _is_structure(value: object) -> bool:
    if isinstance(value, str):  # as forms have it
        try:
            value = json.loads(value)
        except ValueError:
            return False
    return isinstance(value, dict | list)


_FLAGS = frozenset({"true", "false", "1", "0"})
_COUNT = re.compile(r"[1-9][0-9]{0,9}")
_TIME = re.compile(r"[0-9]{1,12}\.[0-9]{6}")
_FORMS: Mapping[str, tuple[str, Callable[[object], bool]]] = MappingProxyType(
    {
        **dict.fromkeys(("channel", "user", "user_id", "file", "email"), ("name", _is_name)),
        **dict.fromkeys(("channel_id", "filename", "users"), ("name", _is_name)),
        **dict.fromkeys(("ts", "thread_ts"), ("time of a message", _is_time)),
        **dict.fromkeys(("latest", "oldest"), ("time of a message", _is_edge)),
        **dict.fromkeys(("limit", "count", "page"), ("number of 1 to 1,000", _is_page)),
        "length": ("number of bytes", _is_count),
        **dict.fromkeys(
            ("blocks", "attachments", "files", "metadata", "view", "file_ids"),
            ("structure", _is_structure),
        ),
        **dict.fromkeys(
            (
                *("as_user", "link_names", "mrkdwn", "reply_broadcast", "unfurl_links"),
                *("unfurl_media", "inclusive", "include_all_metadata", "include_locale"),
                *("include_num_members", "prevent_creation", "return_im"),
            ),
            ("Boolean", _is_flag),
        ),
    }
)
"""What an argument has to be, which means the same in all methods; those not here are text."""


def check_message(arguments: Mapping[str, Any]) -> None:
    """Refuse a message that is too long, empty or of a wrong form."""
    text = arguments.get("text", "")
    if not isinstance(text, str):
        raise Refused("invalid_arguments")
    if len(text) > MAX_TEXT:
        raise Refused("msg_too_long")
    blocks = arguments.get("blocks") or []
    if not text and not blocks and not arguments.get("attachments"):
        raise Refused("no_text")
    check_blocks(blocks, MAX_BLOCKS)
    metadata = arguments.get("metadata")
    if metadata is not None:
        _demand(isinstance(metadata, dict), "metadata")
        _demand(isinstance(metadata.get("event_type"), str), "metadata")
        _demand(isinstance(metadata.get("event_payload"), dict), "metadata")
        if len(str(metadata)) > _MAX_METADATA:
            raise Refused("metadata_too_large")


def check_blocks(blocks: object, most: int) -> None:
    """Refuse blocks that Block Kit does not have, or that are too many or too long."""
    _demand(isinstance(blocks, list), "blocks")
    assert isinstance(blocks, list)
    _demand(len(blocks) <= most, "too many blocks")
    _demand(all(isinstance(block, dict) for block in blocks), "block")
    named = [block.get("block_id") for block in blocks]
    ids = [name for name in named if name is not None]
    _demand(all(isinstance(name, str) for name in ids), "block_id")
    _demand(len(set(ids)) == len(ids), "block_id twice")
    length = 0
    for block in blocks:
        kind = block.get("type")
        check = _BLOCKS.get(kind) if isinstance(kind, str) else None
        if check is None:
            raise Refused("invalid_blocks", detail=f"block {kind}")
        length += check(block)
    if length > MAX_BLOCKS_TEXT:
        raise Refused("msg_blocks_too_long")


def _demand(holds: bool, what: str) -> None:
    if not holds:
        raise Refused("invalid_blocks", detail=what)


def _elements(holder: Mapping[str, Any], what: str, most: int | None) -> list[dict[str, Any]]:
    """Return what `holder` has: objects, at least one."""
    elements = holder.get("elements")
    _demand(isinstance(elements, list) and bool(elements), f"{what} elements")
    assert isinstance(elements, list)
    _demand(most is None or len(elements) <= most, f"{what} elements")
    _demand(all(isinstance(element, dict) for element in elements), f"{what} elements")
    return elements


def _words(holder: Mapping[str, Any], name: str, least: int, longest: int) -> str:
    words = holder.get(name, "")
    _demand(isinstance(words, str) and least <= len(words) <= longest, f"{name}'s length")
    return str(words)


def _text(value: object, kinds: Sequence[str], longest: int) -> int:
    _demand(isinstance(value, dict), "text object")
    assert isinstance(value, dict)
    _demand(value.get("type") in kinds, "text object's type")
    words = value.get("text")
    _demand(isinstance(words, str) and 0 < len(words) <= longest, "text object's length")
    return len(str(words))


def _section(block: Mapping[str, Any]) -> int:
    return _text(block.get("text"), ("plain_text", "mrkdwn"), _MAX_SECTION)


def _header(block: Mapping[str, Any]) -> int:
    return _text(block.get("text"), ("plain_text",), _MAX_HEADER)


def _divider(_: Mapping[str, Any]) -> int:
    return 0


def _context(block: Mapping[str, Any]) -> int:
    elements = _elements(block, "context", 10)
    return sum(_text(element, ("plain_text", "mrkdwn"), _MAX_SECTION) for element in elements)


def _actions(block: Mapping[str, Any]) -> int:
    buttons = _elements(block, "actions", 25)
    for button in buttons:
        _demand(button.get("type") == "button", "only buttons are simulated")
        _text(button.get("text"), ("plain_text",), 75)
        _words(button, "value", 0, 2_000)
        _words(button, "url", 0, 3_000)
    names = [_words(button, "action_id", 1, 255) for button in buttons]
    _demand(len(set(names)) == len(names), "action_id twice")
    return 0


def _rich_text(block: Mapping[str, Any]) -> int:
    return sum(_rich_element(element) for element in _elements(block, "rich_text", None))


def _rich_element(element: Mapping[str, Any]) -> int:
    kind = element.get("type")
    parts = _elements(element, str(kind), None)
    if kind == "rich_text_list":
        _demand(element.get("style") in ("bullet", "ordered"), "list style")
        _demand(element.get("indent", 0) in range(9), "list indent")
        for part in parts:
            _demand(part.get("type") == "rich_text_section", "list item")
        return sum(_rich_element(part) for part in parts)
    _demand(
        kind in ("rich_text_section", "rich_text_preformatted", "rich_text_quote"), f"rich {kind}"
    )
    return sum(_rich_part(part) for part in parts)


def _rich_part(part: Mapping[str, Any]) -> int:
    style = part.get("style", {})
    _demand(isinstance(style, dict), "style")
    _demand(set(style) <= {"bold", "italic", "strike", "code"}, "style")
    match part.get("type"):
        case "text":
            words = part.get("text")
            _demand(isinstance(words, str) and bool(words), "empty text")
            return len(str(words))
        case "link":
            address = part.get("url")
            _demand(isinstance(address, str) and 0 < len(address) <= 3_000, "link")
            return len(str(part.get("text") or "")) + len(str(address))
        case kind:
            raise Refused("invalid_blocks", detail=f"rich text part {kind}")


_BLOCKS: Mapping[str, Callable[[Mapping[str, Any]], int]] = MappingProxyType(
    {
        "actions": _actions,
        "context": _context,
        "divider": _divider,
        "header": _header,
        "rich_text": _rich_text,
        "section": _section,
    }
)
