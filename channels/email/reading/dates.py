"""Reads the dates that mails carry."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_MOST_CHARS = 100
_FROM_YEAR, _TO_YEAR = 1971, 2100
_COMMENT = re.compile(r"\([^()]*\)")


def parse_date(value: str) -> datetime | None:
    """Return the moment that a Date header names, with its time zone, or None for nonsense.

    A date without a zone counts as UTC.
    """
    text = _COMMENT.sub(" ", value)[:_MOST_CHARS].strip()
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            moment = read(text)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            moment.astimezone(UTC)
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
        return moment if _FROM_YEAR <= moment.year <= _TO_YEAR else None
    return None
