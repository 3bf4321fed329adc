from __future__ import annotations

import pytest

from core.domain.assistant import TurnReply, TurnRequest
from core.runtime.lanes.turns import AssistantGate


class _Looked:
    """An assistant that was looked at so many times, and answered these looks or did not."""

    def __init__(self, *answers: bool) -> None:
        self._answers = list(answers)

    async def is_ready(self) -> bool:
        return self._answers.pop(0)

    async def reply(self, request: TurnRequest) -> TurnReply:
        raise AssertionError(request)


class _Seconds:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_an_assistant_that_was_never_seen_is_starting_for_a_while() -> None:
    clock = _Seconds()
    gate = AssistantGate(300, clock=clock)
    assert gate.is_starting
    clock.now = 301
    assert not gate.is_starting


def test_an_assistant_that_was_up_is_away_and_not_starting() -> None:
    gate = AssistantGate(300)
    assert gate.observe(is_up=True)
    assert not gate.observe(is_up=True)
    gate.observe(is_up=False)
    assert not gate.is_starting
    assert gate.observe(is_up=True)


def test_a_worker_that_begins_while_the_assistant_is_away_does_not_take_it_for_starting() -> None:
    assert not AssistantGate(300, was_up=True).is_starting


@pytest.mark.parametrize(
    ("answers", "is_up"), [((False, True), True), ((False, False), False), ((True,), True)]
)
async def test_one_missed_look_does_not_make_an_assistant_away(
    answers: tuple[bool, ...], is_up: bool
) -> None:
    gate = AssistantGate(300)
    gate.observe(is_up=True)
    assert not await gate.look(_Looked(*answers))
    assert gate.is_up == is_up


async def test_one_that_comes_up_is_seen_at_the_first_look() -> None:
    gate = AssistantGate(300)
    assert not await gate.look(_Looked(False))
    assert await gate.look(_Looked(True))
