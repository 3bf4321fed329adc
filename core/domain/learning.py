"""What a turn of the assistant was, what came of it, and what there is to learn from it."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from core.domain.assistant import (
    AddToTicket,
    Answer,
    Close,
    Handoff,
    HandoffReason,
    Offer,
    OpenTicket,
    Step,
    Understanding,
)


class Deed(StrEnum):
    """What the assistant did in a turn, what tells most."""

    HANDED_OFF = "handed_off"
    FILED = "filed"  # a ticket, from its form
    ADDED = "added"  # something to a ticket
    ANSWERED = "answered"  # with an article
    OFFERED = "offered"  # articles to choose from
    IN_FORM = "in_form"
    UNANSWERED = "unanswered"  # it searched and found nothing to show
    TALKED = "talked"
    FAILED = "failed"  # it could not be reached, or gave no reply
    DROPPED = "dropped"  # a human was faster


class Upshot(StrEnum):
    """What came of a turn, as far as is known."""

    HELPED = "helped"
    NOT_HELPED = "not_helped"
    ESCALATED = "escalated"  # a human took over the matter
    IGNORED = "ignored"  # nobody took what was offered


UNKNOWING = frozenset(
    {
        HandoffReason.NOT_HELPED,
        HandoffReason.UNSURE_TWICE,
        HandoffReason.OUT_OF_SCOPE,
        HandoffReason.VIP,
    }
)
"""Reasons for a hand-off that say: with more knowledge, none would have been needed."""

_OF_ONE_MATTER = frozenset({Deed.ANSWERED, Deed.OFFERED, Deed.UNANSWERED})
_IN_VAIN = frozenset({Upshot.NOT_HELPED, Upshot.ESCALATED, Upshot.IGNORED})
_MOST_CHARS = 500


def deed_of(steps: Sequence[Step], understanding: Understanding) -> Deed:
    """Return what the assistant did by `steps`."""
    kinds = {type(step) for step in steps}
    for kind, deed in (
        (Handoff, Deed.HANDED_OFF),
        (OpenTicket, Deed.FILED),
        (AddToTicket, Deed.ADDED),
        (Answer, Deed.ANSWERED),
        (Offer, Deed.OFFERED),
    ):
        if kind in kinds:
            return deed
    if understanding.look_ups:
        return Deed.UNANSWERED
    if understanding.is_in_form and Close not in kinds:
        return Deed.IN_FORM
    return Deed.TALKED


def belongs_to_matter(deed: Deed) -> bool:
    """Say whether a turn is part of answering a question: what came of it is told later."""
    return deed in _OF_ONE_MATTER


def is_missed(
    deed: Deed, upshot: Upshot | None, reason: str | None, *, is_in_words: bool, has_search: bool
) -> bool:
    """Say whether the assistant lacked an answer here, and should be taught one.

    What was pressed is no wording of anybody's; who asked for a human, or an alarm, got the right
    thing.
    """
    if not is_in_words:
        return False
    if deed == Deed.HANDED_OFF:
        return has_search and reason in UNKNOWING
    if deed == Deed.UNANSWERED:
        return True  # also where other words led to an answer: these did not
    return deed in _OF_ONE_MATTER and upshot in _IN_VAIN


def question_of(text: str, understanding: Understanding) -> str:
    """Return the question of a turn as it stands alone: a follow-up with what it follows."""
    asked = understanding.look_ups[-1].question if understanding.look_ups else text
    return " ".join(asked.split())[:_MOST_CHARS]
