"""Refuses to change a record that is not any more what its caller has read."""

from __future__ import annotations

from typing import Protocol

from core.domain.errors import Outdated


class Revised(Protocol):
    """A record that counts its changes."""

    revision: int


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
