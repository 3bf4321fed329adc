"""Charts as SVG shapes: where points and bars stand; templates draw them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import accumulate

WIDTH, HEIGHT = 720, 180
_LEFT, _TOP, _BOTTOM = 34, 8, 20
_MOST_POINTS = 62


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar, with what it says."""

    x: float
    y: float
    width: float
    height: float
    label: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A mark on an axis."""

    at: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Lines over days; `columns` are what a table beside the chart shows."""

    lines: Sequence[str]  # the points of each polyline
    levels: Sequence[Tick]
    marks: Sequence[Tick]
    rows: Sequence[tuple[str, Sequence[int]]]


def series(labels: Mapping[date, str], *values: Mapping[date, int], summed: bool) -> Series:
    """Return lines of `values` over the days of `labels`.

    Where there are too many days to see, several make one point: their sum where `summed`, else
    the last of them.
    """
    days = list(labels)
    step = -(-len(days) // _MOST_POINTS)
    groups = [days[start : start + step] for start in range(0, len(days), step)]
    columns = [
        [
            sum(each.get(day, 0) for day in group) if summed else each.get(group[-1], 0)
            for group in groups
        ]
        for each in values
    ]
    top = _ceiling(max((max(column, default=0) for column in columns), default=0))
    across = (WIDTH - _LEFT) / max(1, len(groups) - 1)
    tall = HEIGHT - _TOP - _BOTTOM
    lines = [
        " ".join(
            f"{_LEFT + index * across:.1f},{_TOP + tall * (1 - value / top):.1f}"
            for index, value in enumerate(column)
        )
        for column in columns
    ]
    every = max(1, len(groups) // 6)
    return Series(
        lines=lines,
        levels=_levels(top),
        marks=[
            Tick(at=_LEFT + index * across, label=labels[group[0]])
            for index, group in enumerate(groups)
            if index % every == 0 and index < len(groups) - every // 2
        ],
        rows=[
            (labels[group[0]], [column[index] for column in columns])
            for index, group in enumerate(groups)
        ],
    )


def bars(values: Sequence[tuple[str, int]]) -> Sequence[Bar]:
    """Return upright bars, one for each label."""
    top = max((count for _, count in values), default=0) or 1
    across = WIDTH / max(1, len(values))
    tall = HEIGHT - _TOP - _BOTTOM
    return [
        Bar(
            x=index * across + across * 0.12,
            y=_TOP + tall * (1 - count / top),
            width=across * 0.76,
            height=tall * count / top,
            label=label,
            count=count,
        )
        for index, (label, count) in enumerate(values)
    ]


def _levels(top: int) -> list[Tick]:
    tall = HEIGHT - _TOP - _BOTTOM
    steps = 4 if top % 4 == 0 else (2 if top % 2 == 0 else 1)
    return [
        Tick(at=_TOP + tall * (1 - level / top), label=str(level))
        for level in accumulate([0] + [top // steps] * steps)
    ]


def _ceiling(value: int) -> int:
    """Return the next round number from `value` up, four at least."""
    size = 4
    while True:
        for factor in (1, 2, 5):
            if size * factor >= value:
                return size * factor
        size *= 10
