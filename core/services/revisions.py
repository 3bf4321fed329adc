"""Refuses to change a record that is not any more what its caller has read."""

from __future__ import annotations

from datetime import datetime
from hashlib import blake2b
from typing import Protocol

from core.domain.errors import Outdated


class Revised(Protocol):
    """A record that counts its changes."""

    revision: int


class Stamped(Protocol):
    """A record that keeps when it was last changed."""

    updated_at: datetime


def version_of(updated_at: datetime) -> int:
    """Return the name of a ticket's present state, from when it was last changed."""
    return int(updated_at.timestamp() * 1_000_000)


def check_version(row: Stamped, expected: int | None) -> None:
    """Refuse to change `row`, which the caller has locked.

    Raises:
        Outdated: the caller read it in another state; None stands for any.
    """
    if expected is not None and version_of(row.updated_at) != expected:
        raise Outdated


def check_revision(row: Revised, expected: int | None) -> None:
    """Refuse to change `row`, which the caller has locked and the database counts changes of.

    Raises:
        Outdated: the caller read another revision of it; None stands for any.
    """
    if expected is not None and row.revision != expected:
        raise Outdated


def revise(row: Revised, expected: int | None) -> None:
    """Count one more change of `row`, which the caller has locked.

    Raises:
        Outdated: the caller read another revision of it; None stands for any.
    """
    check_revision(row, expected)
    row.revision += 1


def content_version(value: object) -> int:
    """Return a number for what `value` says, where nobody counts its changes.

    `value` is made of frozen dataclasses, tuples and plain values, so that it is written the same
    whenever it says the same.
    """
    return int.from_bytes(blake2b(repr(value).encode(), digest_size=7).digest())


def check_content(value: object, expected: int | None) -> None:
    """Refuse to change what says `value` now, and which the caller has locked.

    Raises:
        Outdated: the caller read something else; None stands for anything.
    """
    if expected is not None and content_version(value) != expected:
        raise Outdated
