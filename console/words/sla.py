"""What calendars, policies and clocks are called; English, the keys of the catalogue."""

from __future__ import annotations

from collections.abc import Mapping

from console.words.states import Translate
from core.domain.calendars.calendar import Impossible, ImpossibleCalendar
from core.domain.sla.policy import ClockStart

WEEKDAY = (
    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
)  # fmt: skip

START: Mapping[str, str] = {
    ClockStart.HAND_OFF: "when the assistant hands over",
    ClockStart.FIRST_MESSAGE: "at the requester's first message",
}

CONDITION: Mapping[str, str] = {
    "organisations": "Organisations",
    "priorities": "Priorities",
    "categories": "Categories",
    "channels": "Channels",
    "teams": "Teams",
    "plans": "Support plans",
}

IMPOSSIBLE = tuple(str(why) for why in Impossible)

SLA_ERRORS = (
    "there is no such calendar",
    "there is no such policy",
    "there is a calendar with this name already",
    "a policy uses this calendar",
    "a name has 1 to 100 characters",
    "a policy has at least one target",
    "a target lies between one minute and a year",
    "a target is a number",
    "there is nothing of this name to choose",
    "a warning comes at 1 to 99 percent of the target",
    "a number of days lies between 1 and 365",
    "a number of days is a whole number",
    "the reminder comes before the end",
    "the calendar does not open often enough for this",
    "this was changed meanwhile: load it again",
)
"""What errors about promises say for themselves."""


def impossible_in_words(error: ImpossibleCalendar, t: Translate) -> str:
    """Return why there cannot be such a calendar, with the part that is wrong."""
    said = t(str(error.why))
    said = said[:1].upper() + said[1:]
    return f"{said}: {error.what}" if error.what else said


def target_in_words(minutes: int, t: Translate) -> str:
    """Return a target in the largest units that it fills."""
    hours, rest = divmod(minutes, 60)
    if not hours:
        return t("{count} min", count=rest)
    if not rest:
        return t("{count} h", count=hours)
    return t("{hours} h {minutes} min", hours=hours, minutes=rest)
