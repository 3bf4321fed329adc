from __future__ import annotations

from core.runtime.lanes.turns import AssistantGate


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
