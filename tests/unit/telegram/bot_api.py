"""Objects of the Bot API, made from the classes that python-telegram-bot has for them.

Whatever those classes know comes, so that a newer release of the library widens the tests by
itself. Rich messages, which they do not have yet, are in `rich_contents`.
"""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from enum import Enum
from functools import cache
from typing import Any

import telegram
from hypothesis import strategies as st

from channels.simulator.telegram.spec import KIND_FIELDS, fields_of, forms_of, told

Object = dict[str, Any]

words = st.text(max_size=40) | st.sampled_from(
    ["", "/start a", "/human", "@desk_bot hola", "**a** _b_ `c` [d](e)", "😀👍🏽\n\n> x\n- y\n1. z"]
)
_NUMBERS = st.integers(0, 3) | st.integers(-(2**52), 2**52)
_DATES = st.integers(0, 2**33)
_FRACTIONS = st.floats(-180, 180)
_MOST_OPTIONAL = 3
_DEEPEST = 2
_VALUES: Mapping[tuple[str, str], st.SearchStrategy[Any]] = {
    ("Chat", "type"): st.sampled_from(["private", "group", "supergroup", "channel"]),
    ("User", "language_code"): st.sampled_from(["en", "es-ES", "zh_Hans", "x"]),
    ("CallbackQuery", "data"): words | st.uuids().map(str),
    ("MessageEntity", "type"): st.sampled_from([*telegram.constants.MessageEntityType]).map(str),
    ("MessageEntity", "offset"): st.integers(0, 45),
    ("MessageEntity", "length"): st.integers(0, 45),
}
"""Fields whose type in the library says less than the Bot API does."""


@st.composite
def objects(draw: st.DrawFn, kind: type, *, depth: int = 0, having: Collection[str] = ()) -> Object:
    """Draw an object of `kind` with the fields `having`, those it must have and a few others."""
    forms = forms_of(kind)
    if forms:
        return draw(objects(draw(st.sampled_from(forms)), depth=depth, having=having))
    fields = fields_of(kind)
    optional = [name for name, of in fields.items() if not of.is_needed]
    chosen = set(having)
    if depth < _DEEPEST and optional and not having:
        chosen |= draw(st.sets(st.sampled_from(optional), max_size=_MOST_OPTIONAL))
    made = {}
    for name, of in fields.items():
        if of.is_needed or name in chosen:
            known = _VALUES.get((kind.__name__, name))
            made[name] = draw(known if known is not None else _values(of.kind, depth + 1))
    return made | _kind_fields(kind)


@cache
def _values(hint: Any, depth: int) -> st.SearchStrategy[Any]:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return st.one_of(*(_values(one, depth) for one in told(hint)))
    if origin is typing.Literal:
        return st.sampled_from(arguments)
    if isinstance(origin, type) and issubclass(origin, Sequence):
        return st.lists(_values(arguments[0], depth), max_size=2)
    if not isinstance(hint, type):
        raise TypeError(f"a field of the unknown type {hint}")
    if issubclass(hint, telegram.TelegramObject):
        return objects(hint, depth=depth)
    return _plain(hint)


def _plain(hint: type) -> st.SearchStrategy[Any]:
    if hint is object:  # the library takes objects where Telegram has text
        return words
    if issubclass(hint, Enum):
        return st.sampled_from([one.value for one in hint])
    for known, strategy in (
        (bool, st.booleans()),
        (datetime, _DATES),
        (timedelta, _DATES),
        (int, _NUMBERS),
        (float, _FRACTIONS),
        (str, words),
    ):
        if issubclass(hint, known):
            return strategy
    raise TypeError(f"a field of the unknown type {hint}")


@cache
def _kind_fields(kind: type) -> Object:
    """Return what a form says of itself, as the library's own objects say it."""
    if kind.__mro__[1] is telegram.TelegramObject or fields_of(kind).keys() & set(KIND_FIELDS):
        return {}
    # Some insist on a value for what their signature calls optional.
    others = inspect.signature(kind).parameters.keys() - {*KIND_FIELDS, "api_kwargs"}
    made = kind(**dict.fromkeys(others, False))
    return {
        name: str(value) for name in KIND_FIELDS if (value := getattr(made, name, None)) is not None
    }


def updates() -> st.SearchStrategy[Object]:
    """Return updates, each of one kind, as Telegram sends them."""
    return st.sampled_from(sorted(update_kinds())).flatmap(update_of)


def update_kinds() -> Mapping[str, type]:
    """Return the type of what each kind of update holds."""
    return {
        name: told(of.kind)[0]
        for name, of in fields_of(telegram.Update).items()
        if not of.is_needed
    }


def update_of(kind: str, having: Collection[str] = ()) -> st.SearchStrategy[Object]:
    """Return updates of a kind, whose content has the fields `having` besides others."""
    content = objects(update_kinds()[kind], having=having)
    return st.fixed_dictionaries({"update_id": st.integers(0, 2**31), kind: content})


def optional_fields(kind: type) -> Iterator[str]:
    """Yield the fields that an object of `kind` may have."""
    return (name for name, of in fields_of(kind).items() if not of.is_needed)
