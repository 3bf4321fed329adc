"""Public holidays by country and region, as the package `holidays` knows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Any


@cache
def countries() -> Mapping[str, Sequence[str]]:
    """Return the countries whose holidays are known (ISO 3166-1 alpha-2), with their regions."""
    from holidays import list_supported_countries

    found = list_supported_countries(include_aliases=False)
    return MappingProxyType(
        {country: tuple(sorted(found[country])) for country in sorted(found) if len(country) == 2}
    )


def has_country(country: str) -> bool:
    """Say whether holidays of `country` are known."""
    return country in countries()


def has_region(country: str, region: str) -> bool:
    """Say whether `country` has a region `region` with holidays of its own."""
    return region in countries().get(country, ())


@cache
def region_names(country: str) -> Mapping[str, str]:
    """Return the regions of `country` by code, in the order of their names.

    Names are the country's own, the first where there are several; a region without one is its
    code.
    """
    import holidays

    codes = countries().get(country, ())
    if not codes:
        return MappingProxyType({})
    names: dict[str, str] = {}
    for name, code in holidays.country_holidays(country).subdivisions_aliases.items():
        names.setdefault(code, name)
    found = {code: names.get(code, code) for code in codes}
    return MappingProxyType(dict(sorted(found.items(), key=lambda item: item[1])))


@lru_cache(maxsize=512)
def public_holidays(
    country: str, region: str | None, year: int, language: str | None = None
) -> Mapping[date, str]:
    """Return the days of `year` that are public holidays, days in lieu too, with their names.

    Sundays as such are no holidays here: a desk's week says whether it is open on Sundays.
    """
    import holidays  # takes most of a second; few processes need it

    options: dict[str, Any] = {"include_sundays": False} if country in _COUNT_SUNDAYS else {}
    names = _language_of(country, language)
    days = holidays.country_holidays(
        country, subdiv=region, years=year, expand=False, language=names, **options
    )
    return MappingProxyType({day: days[day] for day in sorted(days) if day.year == year})


_COUNT_SUNDAYS = frozenset({"NO", "SE"})
"""Countries for which the package can count every Sunday as a holiday."""


@cache
def _language_of(country: str, language: str | None) -> str | None:
    """Return the package's name of `language` where it has the names of `country` in it."""
    import holidays

    if language is None:
        return None
    spoken: Sequence[str] = holidays.country_holidays(country).supported_languages
    return next((each for each in spoken if each.partition("_")[0] == language), None)
