"""What a check of one component found, and how to mend it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """The state of one component, in words for an admin."""

    component: str
    ok: bool
    detail: str  # what was found
    remedy: str = ""  # what to do about it; empty when all is well
