"""What figures are called; English, the keys of the catalogue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from console.words.sla import WEEKDAY
from console.words.states import PRIORITY, REASON, Translate, channel_in_words
from core.domain.figures import Dimension, Measure

DIMENSION: Mapping[str, str] = {
    Dimension.CHANNEL: "Channel",
    Dimension.TEAM: "Team",
    Dimension.AGENT: "Agent",
    Dimension.CATEGORY: "Category",
    Dimension.PRIORITY: "Priority",
    Dimension.REASON: "Reason of the hand-off",
    Dimension.HOUR: "Hour",
    Dimension.WEEKDAY: "Weekday",
}
"""What tickets can be told apart by."""

TIME: Mapping[Measure, str] = {
    Measure.FIRST_RESPONSE: "First response",
    Measure.FIRST_RESPONSE_BUSINESS: "First response, in business time",
    Measure.NEXT_RESPONSE: "Next response",
    Measure.NEXT_RESPONSE_BUSINESS: "Next response, in business time",
    Measure.RESOLUTION: "Resolution",
    Measure.RESOLUTION_BUSINESS: "Resolution, in business time",
    Measure.ASSISTANT: "With the assistant, in business time",
    Measure.WORK: "With people, in business time",
}
"""What lengths of time are of, in the order of `TIMES`."""


def headings(by: Dimension, t: Translate) -> Sequence[str]:
    """Return the first line of a report as a table."""
    return [
        t(DIMENSION[by]),
        t("Tickets opened"),
        t("Tickets solved"),
        t("Waiting now"),
        t("Reopened"),
        t("SLAs met"),
        t("SLAs breached"),
        t("Satisfaction"),
        t("Answers"),
        *(
            heading
            for name in TIME.values()
            for heading in (
                t("{time}: median (seconds)", time=t(name)),
                t("{time}: nine in ten within (seconds)", time=t(name)),
            )
        ),
    ]


FIGURE_ERRORS = (
    "a report ends on the day it begins, or later",
    "a report spans three years at most",
    "a report, and as many days before it, begin in 1970 or later",
    "a report ends before the year 2201",
    "what waits is not told apart by hour or weekday",
    "only leads, admins and auditors may see this",
)


class Named(Protocol):
    """A value of a dimension, with what it is called where it is a team, an agent or so."""

    @property
    def value(self) -> str: ...
    @property
    def name(self) -> str | None: ...


def line_in_words(by: Dimension, line: Named, t: Translate) -> str:
    """Return what one line of a report stands for."""
    match by:
        case _ if not line.value:
            return t("none")
        case Dimension.CHANNEL:
            return channel_in_words(line.value, t)
        case Dimension.PRIORITY:
            return t(PRIORITY.get(line.value, line.value))
        case Dimension.REASON:
            return t(REASON.get(line.value, line.value))
        case Dimension.HOUR:
            return f"{int(line.value):02}:00"
        case Dimension.WEEKDAY:
            return t(WEEKDAY[int(line.value) - 1])
        case _:
            return line.name or "?"
