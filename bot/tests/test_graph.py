"""A model's graph gives in our order what it gives in Dask's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from rasa.core.channels.channel import UserMessage
from rasa.engine.constants import PLACEHOLDER_MESSAGE, PLACEHOLDER_TRACKER
from rasa.engine.runner.dask import DaskGraphRunner
from rasa.shared.core.events import ActionExecuted, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from inputs.graph import InOrder

if TYPE_CHECKING:
    from inputs.processor import DeskAgent


def both(agent: DeskAgent, target: str, inputs: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what our runner and Rasa's make of `inputs`."""
    runner = agent.processor.graph_runner
    assert isinstance(runner, InOrder)
    return [run(runner, inputs, [target]) for run in (InOrder.run, DaskGraphRunner.run)]


@pytest.mark.parametrize("text", ["my VPN is slow", "quiero hablar con alguien", "Build 7, fire!"])
def test_a_message_is_understood_as_by_rasas_runner(loaded: DeskAgent, text: str) -> None:
    target = loaded.processor.model_metadata.nlu_target
    empty = DialogueStateTracker.from_events("someone", [])
    ours, theirs = both(
        loaded, target, {PLACEHOLDER_MESSAGE: [UserMessage(text)], PLACEHOLDER_TRACKER: empty}
    )
    assert list(ours) == [target]
    assert ours[target][0].as_dict(True) == theirs[target][0].as_dict(True)
    assert ours[target][0].get("intent")["name"]


def test_the_next_action_is_that_of_rasas_runner(loaded: DeskAgent) -> None:
    target = loaded.processor.model_metadata.core_target
    tracker = DialogueStateTracker.from_events(
        "someone",
        [ActionExecuted("action_listen"), UserUttered("thanks", {"name": "thanks"})],
        slots=loaded.domain.slots,
    )
    ours, theirs = both(loaded, target, {PLACEHOLDER_TRACKER: tracker})
    assert ours[target].probabilities == theirs[target].probabilities
    assert max(ours[target].probabilities) == 1.0
