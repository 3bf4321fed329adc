"""Whatever an update holds, it becomes events, is ignored for a reason, or is unknown."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
import telegram
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.telegram.addressing import Reading, Self, addressed_album
from channels.telegram.parse import parse_update, pressed_message, read_any
from core.domain.errors import IgnoredPayload, UnknownPayload
from core.domain.events import MessagePosted
from tests.unit.telegram.bot_api import (
    optional_fields,
    update_kinds,
    update_of,
    updates,
)
from tests.unit.telegram.memory import ACCOUNT
from tests.unit.telegram.rich_contents import rich_contents

NOW = datetime(2026, 1, 2, tzinfo=UTC)
READINGS = st.sampled_from(
    [
        Reading(account=ACCOUNT),
        Reading(account=ACCOUNT, bot=Self(id=1, username="desk_bot")),
        Reading(account=ACCOUNT, bot=Self(id=1, username="desk_bot"), takes_all=True),
    ]
)

rich_messages = update_of("message", ("text",)).flatmap(
    lambda update: rich_contents.map(
        lambda rich: update | {"message": update["message"] | {"rich_message": rich}}
    )
)
UPDATES = updates() | rich_messages
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


def read(update: dict[str, Any], reading: Reading) -> None:
    try:
        events = parse_update(update, reading, NOW)
    except (IgnoredPayload, UnknownPayload):
        return
    assert events
    for event in events:
        assert event.account == ACCOUNT
        assert event.key
        assert event.thread
        if isinstance(event, MessagePosted):
            assert event.remote_ids
            assert event.order


@settings(max_examples=40, derandomize=True)  # each field has its turn below
@given(update=UPDATES, reading=READINGS)
def test_every_update_that_telegram_can_send_is_read(
    update: dict[str, Any], reading: Reading
) -> None:
    read(update, reading)
    addressed_album(update, reading)
    pressed_message(update)


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        (kind, field)
        for kind, content in update_kinds().items()
        if kind == "message" or content is not telegram.Message
        for field in optional_fields(content)
    ],
)
@settings(max_examples=2, derandomize=True)
@given(reading=READINGS, put=st.data())
def test_every_field_that_the_content_of_an_update_may_have_is_read(
    kind: str, field: str, reading: Reading, put: st.DataObject
) -> None:
    update = put.draw(update_of(kind, (field,)))
    assert field in update[kind]
    read(update, reading)


@settings(max_examples=50, derandomize=True)
@given(update=UPDATES, reading=READINGS, put=st.data())
def test_a_wrong_value_anywhere_is_no_other_error(
    update: dict[str, Any], reading: Reading, put: st.DataObject
) -> None:
    broken = json.loads(json.dumps(update))
    holder: Any = broken
    while True:
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        if not keys:
            break
        key = put.draw(st.sampled_from(keys))
        if isinstance(holder[key], dict | list) and holder[key] and put.draw(st.booleans()):
            holder = holder[key]
            continue
        holder[key] = put.draw(anything)
        break
    read(broken, reading)
    addressed_album(broken, reading)
    pressed_message(broken)


@settings(max_examples=50, derandomize=True)
@given(line=st.binary(max_size=200) | anything.map(lambda value: json.dumps(value).encode()))
def test_a_line_of_anything_is_no_other_error(line: bytes) -> None:
    with suppress(IgnoredPayload, UnknownPayload):
        assert read_any(ACCOUNT, line)
