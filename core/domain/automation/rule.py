"""A rule: when it looks, what has to hold, what it does."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from core.domain.automation.actions import Action, checked_actions
from core.domain.automation.conditions import Conditions
from core.domain.errors import InvalidInput

MAX_NAME_CHARS = 120


class Trigger(StrEnum):
    """What makes a rule look at a ticket."""

    OPENED = "opened"
    CHANGED = "changed"  # anything but a message: status, priority, team, …
    REQUESTER_WROTE = "requester_wrote"
    AGENT_WROTE = "agent_wrote"
    RATED = "rated"
    PROMISE_AT_RISK = "promise_at_risk"
    PROMISE_BROKEN = "promise_broken"
    IDLE = "idle"  # by the clock, once for each time a ticket has been left alone


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule, as an admin wrote it."""

    name: str
    trigger: Trigger
    conditions: Conditions
    actions: tuple[Action, ...]
    is_on: bool = True
    stops: bool = False  # where it applies, later rules of the same trigger do not

    def __post_init__(self) -> None:
        if not 0 < len(self.name.strip()) <= MAX_NAME_CHARS or "\x00" in self.name:
            raise InvalidInput(f"a name has 1 to {MAX_NAME_CHARS} characters")
        if not self.actions:
            raise InvalidInput("a rule does something: add an action")
        checked_actions(self.actions)
        if self.trigger is Trigger.IDLE and not (self.conditions.every or self.conditions.some):
            raise InvalidInput("a time-based rule needs a condition, such as hours idle")
        if self.trigger is not Trigger.CHANGED and self.conditions.look_at_changes:
            raise InvalidInput("only a rule about a changed ticket can look at what changed")
