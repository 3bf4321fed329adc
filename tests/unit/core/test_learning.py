"""What a turn was, and whether there is something to learn from it."""

from __future__ import annotations

import pytest

from core.domain.assistant import (
    Answer,
    Close,
    Handoff,
    HandoffReason,
    LookUp,
    Offer,
    OpenTicket,
    Say,
    Step,
    TicketKind,
    Understanding,
)
from core.domain.ids import ArticleId
from core.domain.knowledge import Finding, Outcome
from core.domain.learning import Deed, Upshot, deed_of, is_missed, question_of

SEARCHED = Understanding(
    look_ups=(
        LookUp(
            question="connect the vpn  and on the mac?",
            finding=Finding(outcome=Outcome.HAND_OFF, hits=()),
        ),
    )
)
NOTHING = Understanding()


@pytest.mark.parametrize(
    ("steps", "understanding", "deed"),
    [
        ((Say(text="x"), Answer(article=ArticleId("a"))), SEARCHED, Deed.ANSWERED),
        ((Offer(articles=(ArticleId("a"),)),), SEARCHED, Deed.OFFERED),
        ((Say(text="x"),), SEARCHED, Deed.UNANSWERED),
        ((Say(text="x"), Handoff(reason=HandoffReason.ANGRY)), NOTHING, Deed.HANDED_OFF),
        (
            (OpenTicket(kind=TicketKind.INCIDENT, subject="s", description="d"),),
            Understanding(is_in_form=True),
            Deed.FILED,
        ),
        ((Say(text="x"),), Understanding(is_in_form=True), Deed.IN_FORM),
        ((Say(text="bye"), Close(reason="goodbye")), NOTHING, Deed.TALKED),
    ],
)
def test_what_tells_most_names_the_turn(
    steps: tuple[Step, ...], understanding: Understanding, deed: Deed
) -> None:
    assert deed_of(steps, understanding) == deed


@pytest.mark.parametrize(
    ("deed", "upshot", "reason", "missed"),
    [
        (Deed.UNANSWERED, None, None, True),
        (Deed.UNANSWERED, Upshot.HELPED, None, True),
        (Deed.ANSWERED, None, None, False),
        (Deed.ANSWERED, Upshot.HELPED, None, False),
        (Deed.ANSWERED, Upshot.NOT_HELPED, None, True),
        (Deed.OFFERED, Upshot.ESCALATED, None, True),
        (Deed.HANDED_OFF, Upshot.ESCALATED, HandoffReason.UNSURE_TWICE, True),
        (Deed.HANDED_OFF, Upshot.ESCALATED, HandoffReason.EMERGENCY, False),
        (Deed.TALKED, None, None, False),
    ],
)
def test_what_lacked_an_answer_is_to_be_learned(
    deed: Deed, upshot: Upshot | None, reason: str | None, missed: bool
) -> None:
    assert is_missed(deed, upshot, reason, is_in_words=True, has_search=True) is missed
    assert not is_missed(deed, upshot, reason, is_in_words=False, has_search=True)


def test_a_follow_up_is_learned_with_what_it_follows() -> None:
    assert question_of("and on the mac?", SEARCHED) == "connect the vpn and on the mac?"
    assert question_of(" how  so? ", NOTHING) == "how so?"
