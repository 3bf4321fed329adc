"""Teams: how they share out work, and whether their agents are there."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta
from enum import StrEnum

LEVELS = (1, 2, 3)
"""Levels of support; a ticket begins at the first."""

MOST_CAPACITY = 1_000
USUAL_CAPACITY = 10
"""Open tickets that an agent is given at most, where nothing else is set."""

SILENCE = timedelta(minutes=3)
"""An agent whose console was not heard of for this long is offline."""


class Strategy(StrEnum):
    """How a team's tickets find an agent."""

    MANUAL = "manual"  # agents take what they choose
    ROUND_ROBIN = "round_robin"  # whoever was given one longest ago
    LEAST_LOADED = "least_loaded"  # whoever has the fewest open tickets


class Onward(StrEnum):
    """Where a ticket can be sent on to without naming it."""

    NEXT = "next"  # the next level; after the highest, the team that the team names
    LEAD = "lead"  # a lead of its team


class Visibility(StrEnum):
    """Who sees a team's tickets, beside admins and auditors."""

    EVERYBODY = "everybody"
    MEMBERS = "members"  # and whoever has one, or is to approve what it asks for


class Presence(StrEnum):
    """Whether an agent is there."""

    ONLINE = "online"
    AWAY = "away"
    OFFLINE = "offline"


def level_that_serves(levels: Collection[int], wanted: int) -> int | None:
    """Return which of a team's `levels` has the tickets of level `wanted`.

    That level itself; where nobody has it the next above, or else the highest there is.
    """
    if not levels:
        return None
    return min((level for level in levels if level >= wanted), default=max(levels))


def leads_back(escalates_to: Mapping[object, object | None], start: object) -> bool:
    """Say whether following `escalates_to` from `start` comes back to a team it has passed."""
    seen = {start}
    at = escalates_to.get(start)
    while at is not None:
        if at in seen:
            return True
        seen.add(at)
        at = escalates_to.get(at)
    return False
