"""Buttons whose press the desk itself answers; the assistant never hears of them.

Their intents begin with `desk.`. A press is kept in the conversation like any other, but by itself
it opens nothing again and starts no turn.
"""

from __future__ import annotations

RATE = "desk.rate"
"""A requester's score; entities: `survey`, `score`."""

REOPEN = "desk.reopen"
"""That a ticket is to be opened again whose requester was not content; entity: `survey`."""

DECIDE = "desk.decide"
"""What somebody says who was asked to approve; entities: `ask`, `decision`."""


def is_for_desk(intent: str) -> bool:
    """Say whether the desk answers a button of this intent itself."""
    return intent.startswith("desk.")
