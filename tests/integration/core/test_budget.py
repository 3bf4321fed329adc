from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from core.domain.assistant import Handoff, HandoffReason, Say
from core.domain.conversation import Responder
from core.domain.ids import ConversationId
from core.services.delivery.budget import is_within
from tests.support.desk import Rig

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


async def _answered(rig: Rig, number: int) -> ConversationId:
    conversation = await rig.hear("Thanks for your mail!", thread=f"t{number}")
    await rig.reply(conversation, Say(text="You are welcome."))
    return conversation


async def test_a_person_gets_so_many_answers_and_then_a_human_in_silence(rig: Rig) -> None:
    rig.enable(answers_per_hour=2)
    await _answered(rig, 1)
    await _answered(rig, 2)
    conversation = await rig.hear("Thanks for your mail!", thread="t3")
    assert await rig.turns.plan(conversation) is None
    assert (await rig.conversation("t3")).responder == Responder.QUEUED
    assert (await rig.ticket("t3")).reason == HandoffReason.LOOP
    assert [who for who, _ in await rig.texts("t3")] == ["customer"]


async def test_after_a_pause_there_is_an_answer_again(rig: Rig) -> None:
    rig.enable(answers_per_hour=2)
    await _answered(rig, 1)
    await _answered(rig, 2)
    rig.clock.advance(hours=1)
    await _answered(rig, 3)
    conversation = await rig.hear("Thanks for your mail!", thread="t4")
    rig.clock.advance(minutes=90)
    assert await rig.turns.plan(conversation) is None


async def test_where_nothing_limits_answers_there_is_no_budget(rig: Rig) -> None:
    for number in range(5):
        await _answered(rig, number)


async def test_the_notice_of_a_hand_off_is_part_of_the_answer_where_letters_are_the_custom(
    rig: Rig,
) -> None:
    rig.enable(answers_per_hour=2, joins_turn=True)
    conversation = await rig.hear("I want a human")
    await rig.reply(
        conversation, Say(text="Of course."), Handoff(reason=HandoffReason.ASKED_FOR_HUMAN)
    )
    said = [(who, text) for who, text in await rig.texts() if who != "customer"]
    assert len(said) == 1
    assert said[0][0] == "bot"
    assert said[0][1].startswith("Of course.\n\nI have passed this conversation to our team.")


@pytest.mark.parametrize(
    ("hours_ago", "allowed"),
    [
        ([], True),
        ([0], True),
        ([0, 0], False),
        ([5, 0.9], False),
        ([5, 1], True),
        ([5, 4, 1.5], False),
        ([5, 4, 2], True),
        ([9, 8, 7, 3], False),
        ([9, 8, 7, 4], True),
    ],
)
def test_pauses_double(hours_ago: list[float], allowed: bool) -> None:
    times = [NOON - timedelta(hours=hours) for hours in hours_ago]
    assert is_within(times, 2, NOON) is allowed
