"""How many of a hundred answers may be wrong, and what that would mean for known questions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.domain.errors import InvalidInput

LEAST_QUESTIONS = 30
"""Of fewer questions nothing is said: one more or less would be another figure."""

LOST = 0.25
"""The share of questions that no article answers, where a figure has to suppose one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """What counts, and where it comes from."""

    set_to: float | None  # by an admin; None: what was installed counts
    installed: float  # DESK_WRONG_ANSWERS_PER_HUNDRED
    revision: int

    @property
    def wrong_per_hundred(self) -> float:
        """What counts."""
        return self.installed if self.set_to is None else self.set_to


def check(wrong_per_hundred: float) -> None:
    """Raise `InvalidInput` where this cannot be a tolerance."""
    if not 0 < wrong_per_hundred < 100:
        raise InvalidInput("wrong answers in 100 are more than 0 and less than 100")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospect:
    """What would become of the knowledge base's own questions at one tolerance; counts.

    `lost_…` are the same questions while their article is not there: nothing answers them.
    """

    wrong_per_hundred: float
    answered_right: int = 0
    answered_wrong: int = 0
    offered_right: int = 0  # the right article is among those offered
    offered_wrong: int = 0
    handed_off: int = 0
    lost_answered: int = 0
    lost_offered: int = 0
    lost_handed_off: int = 0

    @property
    def asked(self) -> int:
        """How many questions were asked."""
        answered = self.answered_right + self.answered_wrong
        return answered + self.offered_right + self.offered_wrong + self.handed_off

    def wrong_in_a_hundred(self, *, lost: float) -> float | None:
        """Return how many of a hundred answers would be wrong; None where none is given.

        `lost` is the share of questions, 0 to 1, that no article answers.
        """
        asked = max(self.asked, 1)
        asked_lost = max(self.lost_answered + self.lost_offered + self.lost_handed_off, 1)
        right = (1 - lost) * self.answered_right / asked
        wrong = (1 - lost) * self.answered_wrong / asked + lost * self.lost_answered / asked_lost
        return 100 * wrong / (right + wrong) if right + wrong else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What tolerances would mean, by language, "" for all together."""

    by_language: Mapping[str, tuple[Prospect, ...]]
    questions: int  # that were asked
    is_current: bool  # False: articles changed since
    can_be_measured: bool  # False: there are no sentence vectors to measure with
