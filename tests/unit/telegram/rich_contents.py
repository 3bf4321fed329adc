"""Rich messages of the Bot API, by hand: python-telegram-bot has no classes for them yet."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.unit.telegram.bot_api import words

counts = st.integers(0, 2**31)


def record(required: dict[str, Any], **optional: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Return objects with all of `required` and any of `optional`."""
    return st.fixed_dictionaries(required, optional=optional)


def few(items: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    """Return short lists."""
    return st.lists(items, max_size=3)


photos = few(record({"file_id": words, "file_unique_id": words, "width": counts, "height": counts}))
files = record({"file_id": words, "file_unique_id": words}, file_name=words, mime_type=words)
places = record({"latitude": st.floats(-90, 90), "longitude": st.floats(-180, 180)})
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
rich_contents = record({"blocks": few(rich_blocks)})
