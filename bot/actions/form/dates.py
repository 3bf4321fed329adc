"""Knows how people write a day, in English and Spanish."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from types import MappingProxyType

from components.folding import plain

_MONTHS: Mapping[str, int] = MappingProxyType(
    {
        name: number
        for number, names in enumerate(
            (
                "january jan enero ene",
                "february feb febrero",
                "march mar marzo",
                "april apr abril abr",
                "may mayo",
                "june jun junio",
                "july jul julio",
                "august aug agosto ago",
                "september sept sep septiembre setiembre",
                "october oct octubre",
                "november nov noviembre",
                "december dec diciembre dic",
            ),
            start=1,
        )
        for name in names.split()
    }
)
_WEEKDAYS: Mapping[str, int] = MappingProxyType(
    {
        name: number
        for number, names in enumerate(
            (
                "monday lunes",
                "tuesday martes",
                "wednesday miercoles",
                "thursday jueves",
                "friday viernes",
                "saturday sabado",
                "sunday domingo",
            )
        )
        for name in names.split()
    }
)
_DAYS: Mapping[str, int] = MappingProxyType(
    {
        r"day after tomorrow|pasado manana": 2,
        r"tomorrow|manana": 1,
        r"today|hoy|now|ahora|asap|cuanto antes|as soon as possible": 0,
    }
)
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_ISO = re.compile(r"\b(\d{4})-(\d{1,2})-(\d{1,2})\b")
_NUMBERS = re.compile(r"\b(\d{1,2})[/.-](\d{1,2})(?:[/.-](\d{4}|\d{2}))?\b")
_DAY_FIRST = re.compile(
    rf"\b(\d{{1,2}})(?:st|nd|rd|th|o)?(?: de| of)? ({_MONTH})\b\.?(?:(?: del?|,)? ?(\d{{4}}))?"
)
_MONTH_FIRST = re.compile(rf"\b({_MONTH})\.? (\d{{1,2}})(?:st|nd|rd|th)?\b(?:,? (\d{{4}}))?")
_AHEAD = re.compile(r"\b(?:in|en|dentro de) (\d{1,3}) (day|week|dia|semana)s?\b")
_WEEKDAY = re.compile(rf"\b({'|'.join(_WEEKDAYS)})s?\b")


def read_day(text: str, today: date) -> date | None:
    """Return the day that `text` names, or None.

    A day without a year is the next one; of two numbers, the first is the day, unless only the
    second can be one. A weekday is the next of its name.
    """
    said = plain(text)
    if found := _ISO.search(said):
        return _day(int(found[1]), int(found[2]), int(found[3]))
    if found := _NUMBERS.search(said):
        day, month = int(found[1]), int(found[2])
        if month > 12 >= day:
            day, month = month, day
        return _next(_year(found[3]), month, day, today)
    if found := _DAY_FIRST.search(said):
        return _next(_year(found[3]), _MONTHS[found[2]], int(found[1]), today)
    if found := _MONTH_FIRST.search(said):
        return _next(_year(found[3]), _MONTHS[found[1]], int(found[2]), today)
    if found := _AHEAD.search(said):
        return today + timedelta(days=int(found[1]) * (1 if found[2][0] == "d" else 7))
    for words, ahead in _DAYS.items():
        if re.search(rf"\b(?:{words})\b", said):
            return today + timedelta(days=ahead)
    if found := _WEEKDAY.search(said):
        return today + timedelta(days=(_WEEKDAYS[found[1]] - today.weekday() - 1) % 7 + 1)
    return None


def _year(words: str | None) -> int | None:
    if words is None:
        return None
    return int(words) if len(words) == 4 else 2000 + int(words)


def _next(year: int | None, month: int, day: int, today: date) -> date | None:
    if year is not None:
        return _day(year, month, day)
    this_year = _day(today.year, month, day)
    if this_year is not None and this_year >= today:
        return this_year
    return _day(today.year + 1, month, day)


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
