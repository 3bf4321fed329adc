"""The methods and objects of the Bot API, as python-telegram-bot describes them.

The library is checked against each release of the Bot API by those who keep it, so what a call may
hold is known here without a list of our own, and grows with the library.
"""

from __future__ import annotations

import inspect
import json
import re
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from functools import cache
from typing import Any

import telegram
from aiohttp.web import FileField

KIND_FIELDS = ("type", "status", "source")
"""Fields that tell what an object of several forms is; the library puts them in by itself."""

_ALIASES = {
    "ReplyMarkup": telegram.InlineKeyboardMarkup
    | telegram.ReplyKeyboardMarkup
    | telegram.ReplyKeyboardRemove
    | telegram.ForceReply,
}
"""What the library names by an alias that it imports for a type checker alone."""

_RENAMED = {"from_user": "from"}
_NUMBERS = (int, datetime, timedelta)
_WHOLE = re.compile(r"-?[0-9]{1,18}")
_UNKNOWN_FIELD = "unknown field"


@dataclass(frozen=True, slots=True)
class Described:
    """An argument of a method, or a field of an object."""

    kind: Any  # its type, as the library annotates it
    is_needed: bool


class Wrong(Exception):
    """A value is not what the Bot API describes; the message says where and why."""


@cache
def arguments_of(method: str) -> Mapping[str, Described]:
    """Return the arguments of a method, by its name in the Bot API."""
    call = getattr(telegram.Bot, re.sub(r"([A-Z])", r"_\1", method).lower())
    # What can be given by name alone is the library's own, such as time-outs.
    return _described(call, inspect.Parameter.KEYWORD_ONLY)


@cache
def fields_of(kind: type) -> Mapping[str, Described]:
    """Return the fields of an object, by their names in JSON."""
    return _described(kind, None)


@cache
def forms_of(kind: type) -> tuple[type, ...]:
    """Return the kinds of objects that stand for `kind`, where it has several forms."""
    return tuple(form for form in _subclasses(kind) if not _subclasses(form))


def told(hint: Any) -> Sequence[Any]:
    """Return what a value of the type `hint` can be: the alternatives that are ever sent."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return [
            one
            for one in typing.get_args(hint)
            if one is not type(None) and not _is_of_the_library(typing.get_origin(one))
        ]
    return [hint]


def _is_of_the_library(origin: Any) -> bool:
    """Say whether a generic type is only Python's way to say something: it is never sent as such.

    These are tuples, with which files can be named, and classes of the library that are no objects
    of the Bot API, with which it tells an argument that was left out.
    """
    if origin is tuple:
        return True
    return (
        isinstance(origin, type)
        and origin.__module__.partition(".")[0] == telegram.__name__
        and not issubclass(origin, telegram.TelegramObject)
    )


def converted(name: str, value: Any, hint: Any) -> Any:
    """Return an argument with its type: forms and addresses have nothing but text.

    Raises:
        Wrong: it is not of the type `hint`.
    """
    if isinstance(value, str) and int in told(hint) and _WHOLE.fullmatch(value):
        value = int(value)  # the id of a chat, which may be a name
    elif not isinstance(value, str) or _fault(name, value, hint) is None:
        pass
    elif value in ("True", "False"):  # as Telegram reads them, too
        value = value == "True"
    else:
        try:
            value = json.loads(value)
        except ValueError:
            raise Wrong(f"{name} must be {_words(hint)}: can't parse it as JSON") from None
    if (fault := _fault(name, value, hint)) is not None:
        raise Wrong(fault)
    return value


def _fault(place: str, value: Any, hint: Any) -> str | None:
    """Return what is wrong with `value`; where it could be several things, by the likeliest."""
    faults = []
    for kind in told(hint):
        fault = _fault_of_one(place, value, kind)
        if fault is None:
            return None
        faults.append(fault)
    return next((one for one in faults if not one.startswith(_UNKNOWN_FIELD)), faults[0])


def _fault_of_one(place: str, value: Any, kind: Any) -> str | None:
    wrong = f"{place} must be {_words(kind)}"
    origin = typing.get_origin(kind)
    if origin is typing.Literal:
        return None if value in typing.get_args(kind) else wrong
    if isinstance(origin, type) and issubclass(origin, Sequence):
        if not isinstance(value, list):
            return wrong
        (item,) = typing.get_args(kind)[:1]
        faults = (_fault(f"{place}[{n}]", one, item) for n, one in enumerate(value))
        return next((fault for fault in faults if fault is not None), None)
    if not isinstance(kind, type):
        return None if isinstance(value, FileField) else wrong
    if issubclass(kind, telegram.TelegramObject):
        return _fault_of_object(place, value, kind)
    return None if _is_plain(value, kind) else wrong


def _fault_of_object(place: str, value: Any, kind: type) -> str | None:
    if not isinstance(value, dict):
        return f"object expected as {place}"
    fault = None
    for form in forms_of(kind) or (kind,):
        fields = fields_of(form)
        unknown = sorted(value.keys() - fields.keys() - set(KIND_FIELDS))
        missing = [n for n, of in fields.items() if of.is_needed and n not in value]
        if unknown:
            fault = f"{_UNKNOWN_FIELD} {unknown[0]!r} of {place}"
        elif missing:
            fault = f"field {missing[0]!r} of {place} is missing"
        else:
            faults = (
                _fault(f"{place}.{name}", one, fields[name].kind)
                for name, one in value.items()
                if name in fields
            )
            fault = next((one for one in faults if one is not None), None)
        if fault is None:
            return None
    return fault


def _is_plain(value: Any, kind: type) -> bool:
    if kind is object or isinstance(value, FileField):
        return True
    if issubclass(kind, Enum):
        return value in {one.value for one in kind}
    if kind is bool:
        return isinstance(value, bool)
    if issubclass(kind, _NUMBERS):
        return isinstance(value, int) and not isinstance(value, bool)
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return issubclass(kind, str) and isinstance(value, str)


def _words(hint: Any) -> str:
    """Return what the Bot API calls a type."""
    kinds = {bool: "a Boolean", int: "an Integer", float: "a Float", str: "a String"}
    return " or ".join(
        kinds.get(one, "an Array" if typing.get_origin(one) else getattr(one, "__name__", str(one)))
        for one in told(hint)
    )


def _described(what: Any, left_out: Any) -> Mapping[str, Described]:
    function = what.__init__ if isinstance(what, type) else what  # type: ignore[misc]
    hints = typing.get_type_hints(function, {**_names(), **vars(inspect.getmodule(what))})
    return {
        _RENAMED.get(name, name): Described(hints[name], parameter.default is parameter.empty)
        for name, parameter in inspect.signature(what).parameters.items()
        if name not in {"api_kwargs", "self"} and name in hints and parameter.kind is not left_out
    }


@cache
def _names() -> Mapping[str, Any]:
    """Return what annotations of the library may name, and import for a type checker alone.

    Aliases of types have no public home; where a public class is defined, they are known.
    """
    public = [one for name, one in vars(telegram).items() if not name.startswith("_")]
    classes = [one for one in public if inspect.isclass(one)]
    for module in filter(inspect.ismodule, public):
        classes += [one for one in vars(module).values() if inspect.isclass(one)]
    found: dict[str, Any] = {}
    for home in dict.fromkeys(map(inspect.getmodule, classes)):
        found |= vars(home)
    return found | {one.__name__: one for one in classes} | _ALIASES


def _subclasses(kind: type) -> list[type]:
    return sorted(kind.__subclasses__(), key=lambda one: one.__name__)
