"""Support plans: what an organisation has agreed on, and from when until when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import NewType
from uuid import UUID

PlanId = NewType("PlanId", UUID)


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """When an organisation's plan is in force; its first and last day count."""

    starts: date | None = None  # none: it has been all along
    ends: date | None = None  # none: until further notice

    def holds_on(self, day: date) -> bool:
        """Say whether the plan is in force on `day`."""
        begun = self.starts is None or self.starts <= day
        return begun and (self.ends is None or day <= self.ends)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """The plan that an organisation has, and its term."""

    plan: PlanId
    term: Term
