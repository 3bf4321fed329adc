"""How measured figures are shown: one Markdown table with target, measured value and verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of the report."""

    what: str
    measured: str
    target: str = ""  # empty: nothing was promised, the figure is there to compare
    is_met: bool | None = None  # None: there is no target, or it could not be measured

    @property
    def verdict(self) -> str:
        if not self.target:
            return ""
        return {True: "met", False: "**missed**", None: "not measured"}[self.is_met]


def at_most(what: str, value: float, limit: float, unit: str, *, note: str = "") -> Figure:
    """Return a figure that should not be above `limit`."""
    return Figure(
        what=what,
        measured=_amount(value, unit) + note,
        target=f"≤ {_amount(limit, unit)}",
        is_met=value <= limit,
    )


def at_least(what: str, value: float, limit: float, unit: str, *, note: str = "") -> Figure:
    """Return a figure that should not be below `limit`."""
    return Figure(
        what=what,
        measured=_amount(value, unit) + note,
        target=f"≥ {_amount(limit, unit)}",
        is_met=value >= limit,
    )


def table(figures: Sequence[Figure]) -> str:
    """Return `figures` as a Markdown table."""
    rows = [
        ("figure", "target", "measured", "verdict"),
        ("---", "---", "---", "---"),
        *((f.what, f.target, f.measured, f.verdict) for f in figures),
    ]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows)


def _amount(value: float, unit: str) -> str:
    digits = f"{value:.2f}" if abs(value) < 10 else f"{value:,.0f}"
    return f"{digits} {unit}"
