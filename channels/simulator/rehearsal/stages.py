"""Which platforms there are to rehearse on, and by which ways they tell the desk."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from channels.simulator.rehearsal import email, slack, telegram
from channels.simulator.rehearsal.email import EmailStage
from channels.simulator.rehearsal.slack import SlackStage
from channels.simulator.rehearsal.stage import Stage
from channels.simulator.rehearsal.telegram import TelegramStage

_STAGES: Mapping[str, tuple[Callable[[str], Stage], Sequence[str]]] = {
    "slack": (SlackStage, slack.INLETS),
    "telegram": (TelegramStage, telegram.INLETS),
    "email": (EmailStage, email.INLETS),
}


def inlets(kind: str) -> Sequence[str]:
    """Return the ways in of a kind of channel, the usual one first; none: it has no stage."""
    return _STAGES[kind][1] if kind in _STAGES else ()


def open_stage(kind: str, inlet: str) -> Stage:
    """Return a platform that is not running yet."""
    return _STAGES[kind][0](inlet)
