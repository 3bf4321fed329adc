"""What a requester says about how they were helped: a score from 1 to 5."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from core.domain.errors import InvalidInput

SCORES = range(1, 6)
MAX_COMMENT_CHARS = 2_000

LABELS = ("Very bad", "Bad", "So-so", "Good", "Very good")
"""What the scores are called, from 1 to 5; English sentences of `core.texts`."""


class SurveyStatus(StrEnum):
    """Where a question about satisfaction stands."""

    WAITING = "waiting"  # is to be asked
    ASKED = "asked"
    ANSWERED = "answered"  # may be changed until it expires
    DROPPED = "dropped"  # the ticket was opened again, or nobody can be asked
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyRules:
    """Whether, when and how often requesters are asked."""

    is_on: bool = True
    delay: timedelta = timedelta()  # from solving to asking
    remind_after: timedelta | None = timedelta(days=2)  # once
    lasts: timedelta = timedelta(days=14)  # an answer counts, and may be changed, that long
    quiet: timedelta = timedelta(days=1)  # the same person is not asked again so soon
    low_score: int = 2  # a score up to this one alerts a lead
    asks_of_assistant: bool = False  # also where it finished a conversation alone

    def __post_init__(self) -> None:
        if self.low_score not in SCORES:
            raise InvalidInput("a low score is between 1 and 5")
        if not timedelta() <= self.delay <= timedelta(days=7):
            raise InvalidInput("between solving and asking there are 7 days at most")
        if not timedelta(hours=1) <= self.lasts <= timedelta(days=90):
            raise InvalidInput("a survey lasts 90 days at most")
        if not timedelta() <= self.quiet <= timedelta(days=365):
            raise InvalidInput("a person is asked again within a year")
        if self.remind_after is not None and not timedelta() < self.remind_after < self.lasts:
            raise InvalidInput("the reminder comes before the survey ends")


def checked_score(score: int) -> int:
    """Return `score`, or raise `InvalidInput`."""
    if score not in SCORES:
        raise InvalidInput("a score is a whole number from 1 to 5")
    return score


def checked_comment(words: str) -> str:
    """Return a comment without space around it, or raise `InvalidInput`."""
    comment = words.strip()
    if len(comment) > MAX_COMMENT_CHARS or "\x00" in comment:
        raise InvalidInput(f"a comment has {MAX_COMMENT_CHARS} characters at most")
    return comment
