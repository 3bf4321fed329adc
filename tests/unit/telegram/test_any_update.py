"""Whatever an update holds, it becomes events, is ignored for a reason, or is unknown."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from channels.telegram.addressing import Reading, Self, addressed_album
from channels.telegram.parse import parse_update, pressed_message, read_any
from core.domain.errors import IgnoredPayload, UnknownPayload
from core.domain.events import MessagePosted
from tests.unit.telegram.memory import ACCOUNT

NOW = datetime(2026, 1, 2, tzinfo=UTC)
READINGS = st.sampled_from(
    [
        Reading(account=ACCOUNT),
        Reading(account=ACCOUNT, bot=Self(id=1, username="desk_bot")),
        Reading(account=ACCOUNT, bot=Self(id=1, username="desk_bot"), takes_all=True),
    ]
)

# Written by hand from the types that core.telegram.org/bots/api gives for `Update`.
ids = st.integers(-(2**52), 2**52)
counts = st.integers(0, 2**31)
dates = st.integers(0, 2**33)
words = st.text(max_size=40) | st.sampled_from(
    ["", "/start a", "/human", "@desk_bot hola", "**a** _b_ `c` [d](e)", "😀👍🏽\n\n> x\n- y\n1. z"]
)


def record(required: dict[str, Any], **optional: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Return objects with all of `required` and any of `optional`."""
    return st.fixed_dictionaries(required, optional=optional)


def few(items: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(items, max_size=3)


users = record(
    {"id": st.integers(1, 3), "is_bot": st.booleans(), "first_name": words},
    last_name=words,
    username=words,
    language_code=st.sampled_from(["en", "es-ES", "zh_Hans", "x"]),
)
chats = record(
    {"id": ids, "type": st.sampled_from(["private", "group", "supergroup", "channel"])},
    title=words,
    first_name=words,
    is_forum=st.just(True),
    is_direct_messages=st.just(True),
)
entities = record(
    {
        "type": st.sampled_from(
            [
                *("mention", "hashtag", "bot_command", "url", "email", "bold", "italic", "code"),
                *("underline", "strikethrough", "spoiler", "blockquote", "expandable_blockquote"),
                *("pre", "text_link", "text_mention", "custom_emoji", "date_time"),
            ]
        ),
        "offset": st.integers(0, 45),
        "length": st.integers(0, 45),
    },
    url=words,
    user=users,
    language=words,
    custom_emoji_id=words,
)
photos = few(record({"file_id": words, "file_unique_id": words, "width": counts, "height": counts}))
files = record(
    {"file_id": words, "file_unique_id": words},
    file_name=words,
    mime_type=words,
    file_size=counts,
    duration=counts,
)
stickers = record(
    {"file_id": words, "file_unique_id": words, "is_animated": st.booleans()}, emoji=words
)
live_photos = record({"file_id": words, "file_unique_id": words}, photo=photos)
places = record({"latitude": st.floats(-90, 90), "longitude": st.floats(-180, 180)})
polls = record({"id": words, "question": words, "options": few(record({"text": words}))})
origins = (
    record({"type": st.just("user"), "date": dates, "sender_user": users})
    | record({"type": st.just("hidden_user"), "date": dates, "sender_user_name": words})
    | record({"type": st.just("chat"), "date": dates, "sender_chat": chats})
    | record({"type": st.just("channel"), "date": dates, "chat": chats, "message_id": counts})
)
paid_media = (
    record({"type": st.just("preview")})
    | record({"type": st.just("photo"), "photo": photos})
    | record({"type": st.just("video"), "video": files})
    | record({"type": st.just("live_photo"), "live_photo": live_photos})
)
rich_texts: st.SearchStrategy[Any] = st.recursive(
    words,
    lambda inner: (
        few(inner)
        | record(
            {
                "type": st.sampled_from(["bold", "italic", "code", "spoiler", "mention", "marked"]),
                "text": inner,
            }
        )
        | record({"type": st.just("url"), "text": inner, "url": words})
        | record({"type": st.just("custom_emoji"), "alternative_text": words})
        | record({"type": st.just("mathematical_expression"), "expression": words})
        | record({"type": st.just("anchor"), "name": words})
    ),
    max_leaves=6,
)
captions = record({"text": rich_texts}, credit=rich_texts)
rich_blocks: st.SearchStrategy[Any] = st.recursive(
    record(
        {
            "type": st.sampled_from(["paragraph", "footer", "thinking", "heading"]),
            "text": rich_texts,
        }
    )
    | record({"type": st.just("pre"), "text": rich_texts}, language=words)
    | record({"type": st.just("divider")})
    | record({"type": st.just("anchor"), "name": words})
    | record({"type": st.just("mathematical_expression"), "expression": words})
    | record({"type": st.just("pullquote"), "text": rich_texts}, credit=rich_texts)
    | record({"type": st.just("map"), "location": places}, caption=captions)
    | record({"type": st.just("table"), "cells": few(few(record({}, text=rich_texts)))})
    | record({"type": st.just("photo"), "photo": photos}, caption=captions)
    | record({"type": st.just("voice_note"), "voice_note": files}, caption=captions)
    | record({"type": st.just("video"), "video": files}, caption=captions),
    lambda inner: (
        record({"type": st.just("blockquote"), "blocks": few(inner)}, credit=rich_texts)
        | record({"type": st.just("collage"), "blocks": few(inner)}, caption=captions)
        | record({"type": st.just("details"), "summary": rich_texts, "blocks": few(inner)})
        | record(
            {"type": st.just("list"), "items": few(record({"label": words, "blocks": few(inner)}))}
        )
    ),
    max_leaves=4,
)
contents = st.fixed_dictionaries(
    {},
    optional={
        "text": words,
        "entities": few(entities),
        "caption": words,
        "caption_entities": few(entities),
        "rich_message": record({"blocks": few(rich_blocks)}),
        "animation": files,
        "audio": files,
        "document": files,
        "live_photo": live_photos,
        "paid_media": record({"star_count": counts, "paid_media": few(paid_media)}),
        "photo": photos,
        "sticker": stickers,
        "story": record({"chat": chats, "id": counts}),
        "video": files,
        "video_note": files,
        "voice": files,
        "checklist": record({"title": words, "tasks": few(record({"id": counts, "text": words}))}),
        "contact": record({"phone_number": words, "first_name": words}, last_name=words),
        "dice": record({"emoji": words, "value": counts}),
        "game": record({"title": words, "description": words}),
        "poll": polls,
        "venue": record({"location": places, "title": words, "address": words}),
        "location": places,
        "invoice": record({"title": words}),
        "giveaway": record({"winner_count": counts}),
        "giveaway_winners": record({"winner_count": counts}),
    },
)
notices = st.fixed_dictionaries(
    {},
    optional={
        "new_chat_members": few(users),
        "left_chat_member": users,
        "new_chat_title": words,
        "new_chat_photo": photos,
        "delete_chat_photo": st.just(True),
        "group_chat_created": st.just(True),
        "migrate_to_chat_id": ids,
        "migrate_from_chat_id": ids,
        "forum_topic_created": record({"name": words, "icon_color": counts}),
        "users_shared": record({"request_id": counts, "users": few(record({"user_id": ids}))}),
        "web_app_data": record({"data": words, "button_text": words}),
        "video_chat_started": record({}),
        "gift": record({"gift": record({"id": words})}),
    },
)


def messages_of(content: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    frame = record(
        {"message_id": counts, "date": dates, "chat": chats},
        sender_chat=chats,
        message_thread_id=counts,
        is_topic_message=st.just(True),
        is_automatic_forward=st.just(True),
        direct_messages_topic=record({"topic_id": ids}, user=users),
        forward_origin=origins,
        quote=record({"text": words, "position": counts}, entities=few(entities)),
        via_bot=users,
        edit_date=dates,
        media_group_id=words,
    )
    author = st.fixed_dictionaries({}, optional={"from": users})
    return st.tuples(frame, author, content).map(lambda parts: parts[0] | parts[1] | parts[2])


messages = messages_of(contents) | messages_of(notices)
messages |= st.tuples(messages, messages).map(lambda two: two[0] | {"reply_to_message": two[1]})
reactions = few(
    record({"type": st.just("emoji"), "emoji": words})
    | record({"type": st.just("custom_emoji"), "custom_emoji_id": words})
    | record({"type": st.just("paid")})
)
gone_messages = record({"chat": chats, "message_id": counts, "date": st.just(0)})
updates = st.one_of(
    *(
        record({"update_id": counts, kind: content})
        for kind, content in {
            "message": messages,
            "edited_message": messages,
            "channel_post": messages,
            "edited_channel_post": messages,
            "business_message": messages,
            "guest_message": messages,
            "callback_query": record(
                {"id": words, "from": users, "chat_instance": words},
                message=messages | gone_messages,
                inline_message_id=words,
                data=words | st.uuids().map(str),
                game_short_name=words,
            ),
            "message_reaction": record(
                {
                    "chat": chats,
                    "message_id": counts,
                    "date": dates,
                    "old_reaction": reactions,
                    "new_reaction": reactions,
                },
                user=users,
                actor_chat=chats,
            ),
            "message_reaction_count": record({"chat": chats, "message_id": counts}),
            "my_chat_member": st.fixed_dictionaries(
                {
                    "chat": chats,
                    "from": users,
                    "date": dates,
                    "old_chat_member": record({"status": words, "user": users}),
                    "new_chat_member": record(
                        {
                            "status": st.sampled_from(
                                [
                                    *("creator", "administrator", "member"),
                                    *("restricted", "left", "kicked"),
                                ]
                            ),
                            "user": users,
                        },
                        can_send_messages=st.booleans(),
                    ),
                }
            ),
            "inline_query": record({"id": words, "from": users, "query": words, "offset": words}),
            "poll": polls,
            "poll_answer": record({"poll_id": words, "option_ids": few(counts)}, user=users),
            "chat_join_request": record({"chat": chats, "from": users, "date": dates}),
            "pre_checkout_query": record({"id": words, "from": users, "currency": words}),
            "purchased_paid_media": record({"from": users, "paid_media_payload": words}),
            "chat_boost": record({"chat": chats}),
            "managed_bot": record({"user": users, "bot": users}),
        }.items()
    )
)
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


@given(update=updates, reading=READINGS)
def test_every_update_that_telegram_can_send_is_read(
    update: dict[str, Any], reading: Reading
) -> None:
    read(update, reading)
    addressed_album(update, reading)
    pressed_message(update)


@given(update=updates, reading=READINGS, put=st.data())
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


@given(line=st.binary(max_size=200) | anything.map(lambda value: json.dumps(value).encode()))
def test_a_line_of_anything_is_no_other_error(line: bytes) -> None:
    with suppress(IgnoredPayload, UnknownPayload):
        assert read_any(ACCOUNT, line)
