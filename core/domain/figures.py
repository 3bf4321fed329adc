"""What figures say about tickets: what is counted, by what, and medians of many lengths of time.

Lengths of time are kept as counts in buckets that grow by a tenth each, so that the figures of any
number of days are sums, and a median is right to within five in a hundred.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import accumulate

from core.domain.errors import InvalidInput

GROWTH = 1.1
"""How much longer than its predecessor's the times of a bucket are."""

MOST_DAYS = 1100
_FIRST_YEAR, _LAST_YEAR = 1970, 2200
_USUAL = timedelta(days=30)


class Dimension(StrEnum):
    """What tickets are told apart by."""

    ALL = "all"
    CHANNEL = "channel"
    TEAM = "team"
    AGENT = "agent"
    CATEGORY = "category"
    PRIORITY = "priority"
    REASON = "reason"  # for which the assistant handed over
    HOUR = "hour"  # of the opening, in the desk's time zone
    WEEKDAY = "weekday"  # 1 is Monday


class Measure(StrEnum):
    """What is counted on a day. Times of response count on the day of opening."""

    OPENED = "opened"
    SOLVED = "solved"
    REOPENED = "reopened"  # of those solved that day: solved once before
    FIRST_RESPONSE = "first_response"  # seconds since the hand-off
    FIRST_RESPONSE_BUSINESS = "first_response_business"
    NEXT_RESPONSE = "next_response"  # a ticket's average
    NEXT_RESPONSE_BUSINESS = "next_response_business"
    RESOLUTION = "resolution"  # seconds since the hand-off; on the day of solving
    RESOLUTION_BUSINESS = "resolution_business"
    ASSISTANT = "assistant"  # business seconds from the first message to the hand-off
    WORK = "work"  # business seconds in which it was for people to act; on the day of solving
    KEPT = "kept"  # promises of tickets opened that day that were kept in time
    BROKEN = "broken"
    SCORE = "score"  # of tickets; the bucket is the score; on the day of the answer
    ASSISTANT_SCORE = "assistant_score"  # of conversations that the assistant finished alone
    CONVERSATIONS = "conversations"  # that began that day
    ALONE = "alone"  # of those, the ones that the assistant finished by itself


TIMES = (
    Measure.FIRST_RESPONSE,
    Measure.FIRST_RESPONSE_BUSINESS,
    Measure.NEXT_RESPONSE,
    Measure.NEXT_RESPONSE_BUSINESS,
    Measure.RESOLUTION,
    Measure.RESOLUTION_BUSINESS,
    Measure.ASSISTANT,
    Measure.WORK,
)
"""Measures whose buckets are lengths of time."""

Buckets = Mapping[int, int]
"""How many fell in each bucket."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Many lengths of time in three numbers; seconds."""

    count: int
    median: float | None
    p90: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What was counted of some tickets."""

    opened: int
    solved: int
    reopened: int
    times: Mapping[Measure, Spread]
    kept: int
    broken: int
    scores: Buckets
    assistant_scores: Buckets
    conversations: int
    alone: int

    @property
    def kept_share(self) -> float | None:
        """Return which part of the promises was kept in time."""
        return _share(self.kept, self.kept + self.broken)

    @property
    def reopened_share(self) -> float | None:
        """Return which part of the solved tickets had been solved before."""
        return _share(self.reopened, self.solved)

    @property
    def alone_share(self) -> float | None:
        """Return which part of the conversations the assistant finished by itself."""
        return _share(self.alone, self.conversations)

    @property
    def score(self) -> float | None:
        """Return the average score of tickets."""
        return _average(self.scores)

    @property
    def assistant_score(self) -> float | None:
        """Return the average score of conversations that the assistant finished alone."""
        return _average(self.assistant_scores)


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """Days from `first` to `last`, both included."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise InvalidInput("a report ends on the day it begins, or later")
        if (self.last - self.first).days >= MOST_DAYS:
            raise InvalidInput("a report spans three years at most")
        if self.first.year < _FIRST_YEAR:
            raise InvalidInput("a report, and as many days before it, begin in 1970 or later")
        if self.last.year > _LAST_YEAR:
            raise InvalidInput("a report ends before the year 2201")

    @classmethod
    def until(cls, last: date, first: date | None = None) -> Period:
        """Return the days from `first`, None for the usual thirty, to `last`.

        Raises:
            InvalidInput: they are no period.
        """
        usual = last - min(_USUAL - timedelta(days=1), last - date.min)
        return cls(first=first or usual, last=last)

    @property
    def days(self) -> list[date]:
        """Return each day."""
        return [
            self.first + timedelta(days=number)
            for number in range((self.last - self.first).days + 1)
        ]

    @property
    def before(self) -> Period:
        """Return the period of the same length just before this one."""
        length = self.last - self.first
        last = self.first - timedelta(days=1)  # there is one: no period begins before 1970
        return Period(first=last - length, last=last)


def tally(counts: Mapping[Measure, Buckets]) -> Tally:
    """Return what the buckets of each measure come to."""

    def number(measure: Measure) -> int:
        return sum(counts.get(measure, {}).values())

    return Tally(
        opened=number(Measure.OPENED),
        solved=number(Measure.SOLVED),
        reopened=number(Measure.REOPENED),
        times={measure: spread(counts.get(measure, {})) for measure in TIMES},
        kept=number(Measure.KEPT),
        broken=number(Measure.BROKEN),
        scores=counts.get(Measure.SCORE, {}),
        assistant_scores=counts.get(Measure.ASSISTANT_SCORE, {}),
        conversations=number(Measure.CONVERSATIONS),
        alone=number(Measure.ALONE),
    )


def _average(scores: Buckets) -> float | None:
    answers = sum(scores.values())
    return sum(score * count for score, count in scores.items()) / answers if answers else None


def spread(buckets: Buckets) -> Spread:
    """Return the spread of the times in `buckets`."""
    filled = sorted(buckets)
    sums = list(accumulate(buckets[bucket] for bucket in filled))
    total = sums[-1] if sums else 0
    if not total:
        return Spread(count=0, median=None, p90=None)
    median, p90 = (_reached(buckets, filled, sums, part * total) for part in (0.5, 0.9))
    return Spread(count=total, median=median, p90=p90)


def _reached(buckets: Buckets, filled: Sequence[int], sums: Sequence[int], wanted: float) -> float:
    """Return the length of time that so many do not exceed; seconds.

    `sums` has how many are in each of the buckets `filled` and those before it.
    """
    at = bisect_left(sums, wanted)
    bucket = filled[at]
    inside = (wanted - (sums[at] - buckets[bucket])) / buckets[bucket]
    return float(GROWTH ** (bucket + inside) - 1)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
