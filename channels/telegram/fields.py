"""How a field of a Telegram object is read: with its type, or as a shape we do not know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from core.domain.errors import UnknownPayload

Fields = Mapping[str, Any]
"""An object of the Bot API, as its JSON has it."""

_MAX_INTEGER = 2**63 - 1
_MAX_SECONDS = 253_402_300_799  # the last second of the year 9999


def integer(fields: Fields, name: str) -> int:
    """Return a whole number of at most 64 bits."""
    value = maybe_integer(fields, name)
    if value is None:
        raise UnknownPayload(f"`{name}` is missing")
    return value


def maybe_integer(fields: Fields, name: str) -> int | None:
    """Return a whole number, or None where there is no such field."""
    value = fields.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > _MAX_INTEGER:
        raise UnknownPayload(f"`{name}` is not a whole number")
    return value


def number(fields: Fields, name: str) -> float:
    """Return a number."""
    value = fields.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > _MAX_INTEGER:
        raise UnknownPayload(f"`{name}` is not a number")
    return float(value)


def string(fields: Fields, name: str) -> str:
    """Return a string."""
    value = maybe_string(fields, name)
    if value is None:
        raise UnknownPayload(f"`{name}` is missing")
    return value


def maybe_string(fields: Fields, name: str) -> str | None:
    """Return a string, or None where there is no such field."""
    value = fields.get(name)
    if value is None or isinstance(value, str):
        return value
    raise UnknownPayload(f"`{name}` is not a string")


def flag(fields: Fields, name: str) -> bool:
    """Return a boolean; False where there is no such field."""
    value = fields.get(name, False)
    if isinstance(value, bool):
        return value
    raise UnknownPayload(f"`{name}` is not a boolean")


def mapping(fields: Fields, name: str) -> Fields:
    """Return an object."""
    value = maybe_mapping(fields, name)
    if value is None:
        raise UnknownPayload(f"`{name}` is missing")
    return value


def maybe_mapping(fields: Fields, name: str) -> Fields | None:
    """Return an object, or None where there is no such field."""
    value = fields.get(name)
    if value is None or isinstance(value, dict):
        return value
    raise UnknownPayload(f"`{name}` is not an object")


def mappings(fields: Fields, name: str) -> Sequence[Fields]:
    """Return a list of objects; empty where there is no such field."""
    value = fields.get(name, [])
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise UnknownPayload(f"`{name}` is not a list of objects")
    return value


def moment(fields: Fields, name: str) -> datetime:
    """Return a point in time, which Telegram gives in seconds since 1970."""
    seconds = integer(fields, name)
    if not 0 <= seconds <= _MAX_SECONDS:
        raise UnknownPayload(f"`{name}` is no date")
    return datetime.fromtimestamp(seconds, UTC)
