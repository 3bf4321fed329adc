"""Whatever JSON comes, it is read, ignored for a reason or unknown; nothing else is raised."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.slack.parse import load
from core.domain.content import UNSTORABLE
from core.domain.errors import IgnoredPayload, UnknownPayload
from core.domain.events import MessageEdited, MessagePosted
from tests.unit.slack.slack_payloads import (
    changed,
    command,
    envelope,
    mention,
    message,
    pressed,
    read_payload,
    shortcut,
)

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=20)
    | st.sampled_from(["1355517523.000005", "9" * 30 + ".1", "U1", "C1", "\ud800", "\x00", ""])
)
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4)
    ),
    max_leaves=12,
)
RICH = {
    "type": "rich_text",
    "elements": [
        {
            "type": "rich_text_list",
            "style": "ordered",
            "indent": 1,
            "offset": 2,
            "elements": [
                {
                    "type": "rich_text_section",
                    "elements": [
                        {"type": "text", "text": "a", "style": {"bold": True}},
                        {"type": "emoji", "name": "wave", "unicode": "1f44b"},
                        {"type": "link", "url": "https://example.com", "text": "b"},
                    ],
                }
            ],
        }
    ],
}
FILE = {"id": "F1", "name": "a", "mimetype": "image/png", "size": 1, "mode": "hosted"}
REACTION = {
    "type": "reaction_added",
    "user": "U1",
    "reaction": "x",
    "item": {"type": "message", "channel": "D1", "ts": "1.1"},
    "event_ts": "2.1",
}
KNOWN: list[dict[str, Any]] = [
    envelope(message("hi", blocks=[RICH], files=[FILE])),
    envelope(mention(attachments=[{"is_share": True, "text": "x", "author_name": "y"}])),
    envelope(changed(message("a", edited={"ts": "2.1"}), message("b"))),
    envelope(REACTION),
    envelope({"type": "user_change", "user": {"id": "U1", "profile": {}}, "event_ts": "1.1"}),
    pressed(),
    command("help"),
    shortcut(message()),
]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the ways to everything inside a JSON value."""
    inside = value.items() if isinstance(value, dict) else enumerate(value)
    found = []
    for key, item in inside:
        found.append((*path, key))
        if isinstance(item, dict | list):
            found.extend(places(item, (*path, key)))
    return found


def replaced(value: Any, path: tuple[Any, ...], by: Callable[[], Any]) -> Any:
    """Return a copy of `value` with something else at `path`."""
    if not path:
        return by()
    key, *rest = path
    if isinstance(value, dict):
        return {k: replaced(v, tuple(rest), by) if k == key else v for k, v in value.items()}
    return [replaced(v, tuple(rest), by) if i == key else v for i, v in enumerate(value)]


def check(payload: object) -> None:
    try:
        events = read_payload(payload).events
    except (IgnoredPayload, UnknownPayload):
        return
    for event in events:
        assert event.key
        if isinstance(event, MessagePosted | MessageEdited):
            assert not UNSTORABLE.search(event.body.text)
            assert len(event.body.text) <= 20_000


@given(JSON)
def test_any_json_is_read_ignored_or_unknown(payload: object) -> None:
    check(payload)


@given(st.data(), st.sampled_from(KNOWN))
def test_a_known_payload_with_anything_anywhere_is_too(
    data: st.DataObject, payload: dict[str, Any]
) -> None:
    changes = data.draw(st.lists(st.sampled_from(places(payload)), min_size=1, max_size=3))
    for path in changes:
        try:
            payload = replaced(payload, path, lambda: data.draw(JSON))
        except (TypeError, AttributeError):
            continue  # an earlier change took the place away
    check(payload)


@given(st.binary(max_size=200))
def test_any_bytes_are_json_or_unknown(raw: bytes) -> None:
    with suppress(UnknownPayload):
        check(load(raw))


@pytest.mark.parametrize("raw", [b"[" * 200_000, b'{"a":' * 100_000, b'"\\ud800"', b"1e999"])
def test_json_that_breaks_readers_does_not_break_this_one(raw: bytes) -> None:
    with pytest.raises(UnknownPayload):
        read_payload(load(raw))
