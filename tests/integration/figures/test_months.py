"""Sums of months say what their days say, and go when one of the days changes."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select, text

from core.domain.figures import Dimension, Measure, Period
from core.services.figures.counting import Report, report
from core.storage.engine import Sessions
from core.storage.packed_counts import packed
from core.storage.queries.figures.figures import BUCKET, count_day, sum_next_month
from core.storage.tables import FigureSum
from tests.support.buckets import bucket_of

TODAY = date(2026, 3, 14)
FIRST = date(2025, 11, 20)


@pytest.fixture
async def counted(sessions: Sessions) -> Sessions:
    """Days with drawn counts, and one month without any."""
    drawn = random.Random(1)
    async with sessions.begin() as session:
        for ahead in range((TODAY - FIRST).days + 1):
            day = FIRST + timedelta(days=ahead)
            if day.month == 1:
                continue
            for dimension, value in (("all", ""), ("channel", "a"), ("channel", "b")):
                opened = drawn.randint(1, 9)
                times = {drawn.randint(0, 150): drawn.randint(1, 5) for _ in range(3)}
                counts = {Measure.OPENED: {0: opened}, Measure.RESOLUTION: times}
                session.add(
                    FigureSum(
                        dimension=dimension,
                        span="day",
                        first=day,
                        value=value,
                        opened=opened,
                        solved=1,
                        counts=packed(counts),
                    )
                )
    return sessions


async def _report(sessions: Sessions, first: date, last: date) -> Report:
    async with sessions() as session:
        return await report(session, Period(first=first, last=last), Dimension.CHANNEL)


async def _months(sessions: Sessions) -> set[date]:
    async with sessions() as session:
        found = await session.scalars(select(FigureSum.first).where(FigureSum.span == "month"))
        return set(found)


async def _sum_all(sessions: Sessions) -> list[date]:
    made: list[date] = []
    while True:
        async with sessions.begin() as session:
            month = await sum_next_month(session, TODAY)
        if month is None:
            return made
        made.append(month)


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (FIRST, TODAY),
        (date(2025, 12, 1), date(2026, 2, 28)),
        (date(2025, 12, 2), date(2026, 2, 27)),
        (date(2025, 12, 1), date(2025, 12, 31)),
        (date(2025, 12, 31), date(2026, 1, 1)),
        (TODAY, TODAY),
    ],
)
async def test_a_report_says_the_same_with_sums_of_months(
    counted: Sessions, first: date, last: date
) -> None:
    by_days = await _report(counted, first, last)
    await _sum_all(counted)
    assert await _report(counted, first, last) == by_days
    assert by_days.total.opened > 0


async def test_months_are_summed_once_they_have_passed(counted: Sessions) -> None:
    made = await _sum_all(counted)
    assert made == [date(2026, 2, 1), date(2025, 12, 1), date(2025, 11, 1)]
    assert await _months(counted) == set(made)


async def test_a_day_that_is_counted_anew_takes_its_month_along(counted: Sessions) -> None:
    await _sum_all(counted)
    async with counted.begin() as session:
        await count_day(session, date(2025, 12, 5), "UTC")
    assert date(2025, 12, 1) not in await _months(counted)
    whole = await _report(counted, date(2025, 12, 1), date(2025, 12, 31))
    assert await _sum_all(counted) == [date(2025, 12, 1)]
    assert await _report(counted, date(2025, 12, 1), date(2025, 12, 31)) == whole
    assert datetime(2025, 12, 5, tzinfo=UTC).date() not in {
        day for day, opened in whole.opened.items() if opened
    }


async def test_the_database_works_buckets_out_as_tests_of_medians_do(sessions: Sessions) -> None:
    lengths = [-5, 0, 1, 59, 60, 3600, 24 * 3600, 400 * 24 * 3600]
    async with sessions() as session:
        found = await session.scalars(
            text(f"SELECT {BUCKET.format('length')} FROM unnest(CAST(:all AS int[])) AS length"),
            {"all": lengths},
        )
        assert found.all() == [bucket_of(length) for length in lengths]
