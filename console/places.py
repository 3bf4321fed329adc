"""Where one stopped reading a list that is sorted by time, as words for addresses."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from core.domain.errors import InvalidInput

Place = tuple[datetime, UUID]
"""The moment and the id of what was read last."""


def place_of(at: datetime, name: UUID) -> str:
    """Return a place as words."""
    return f"{at.isoformat()}/{name}"


def place_in(words: str) -> Place:
    """Return the place that `words` are.

    Raises:
        InvalidInput: they are none that a list gave.
    """
    at, _, name = words.partition("/")
    try:
        moment, read = datetime.fromisoformat(at), UUID(name)
    except ValueError:
        raise InvalidInput("the cursor is not one that a list gave") from None
    if moment.tzinfo is None:
        raise InvalidInput("the cursor is not one that a list gave")
    return moment, read
