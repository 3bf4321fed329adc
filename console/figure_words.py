"""What figures are called; English, the keys of the catalogue."""

from __future__ import annotations

from collections.abc import Mapping

from console.sla_words import WEEKDAY
from console.words import PRIORITY, REASON, Translate, channel_in_words
from core.domain.figures import Dimension
from core.services.figures.counting import Line

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

FIGURE_ERRORS = (
    "a report ends on the day it begins, or later",
    "a report spans three years at most",
    "only leads, admins and auditors may see this",
)


def line_in_words(by: Dimension, line: Line, t: Translate) -> str:
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
