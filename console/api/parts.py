"""Cuts parts out of lists that the desk reads whole, because they are short."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import TypeVar

from console.api.shapes import Page
from core.domain.errors import InvalidInput

Row = TypeVar("Row")
Shown = TypeVar("Shown")

_ID: Callable[[object], object] = attrgetter("id")


def cut(
    rows: Sequence[Row],
    cursor: str | None,
    limit: int,
    name: Callable[[Row], object] = _ID,
) -> tuple[Sequence[Row], str | None]:
    """Return the part of `rows` that `cursor` begins, and the cursor of the part after it.

    A cursor is the `name` of the first row of its part: a program that removes what it has read
    goes on all the same.

    Raises:
        InvalidInput: none of `rows` is called so.
    """
    start = 0
    if cursor is not None:
        names = [str(name(row)) for row in rows]
        if cursor not in names:
            raise InvalidInput("the cursor is not one that a list gave")
        start = names.index(cursor)
    end = start + limit
    return rows[start:end], str(name(rows[end])) if len(rows) > end else None


def part_of(
    rows: Sequence[Row],
    shown: Callable[[Row], Shown],
    cursor: str | None,
    limit: int,
    name: Callable[[Row], object] = _ID,
) -> Page[Shown]:
    """Return the part of `rows` that `cursor` begins, each row as it is `shown`.

    Raises:
        InvalidInput: none of `rows` is called so.
    """
    part, following = cut(rows, cursor, limit, name)
    return Page(items=[shown(row) for row in part], next=following)


def first_of(
    rows: Sequence[Row],
    shown: Callable[[Row], Shown],
    limit: int,
    name: Callable[[Row], object] = _ID,
) -> Page[Shown]:
    """Return the first `limit` of `rows`, which were read from a cursor on, with one more."""
    return part_of(rows, shown, None, limit, name)
