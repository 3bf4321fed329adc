"""Examples and models of the assistant: what is taught, how a model is judged, which one serves."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from core.domain.errors import IllegalTransition

NO_LESSONS = "none"
"""Names the set without examples: the release as it comes."""

_HELD_BACK_ONE_IN = 5
_LEAST_TO_HOLD_BACK = 5


class ExampleState(StrEnum):
    """Whether the assistant learns an example."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"


class ModelState(StrEnum):
    """Where a model stands."""

    QUEUED = "queued"
    TRAINING = "training"
    PASSED = "passed"  # it may serve
    WORSE = "worse"  # it may serve if an admin says so
    BROKEN = "broken"  # nothing came of its training
    LIVE = "live"
    RETIRED = "retired"  # it has served, and may again


class ModelTrigger(StrEnum):
    """What moves a model."""

    BEGAN = "began"
    PASSED = "passed"
    GOT_WORSE = "got_worse"
    BROKE = "broke"
    USED = "used"
    REPLACED = "replaced"


_S, _T = ModelState, ModelTrigger
TRANSITIONS: Mapping[tuple[ModelState, ModelTrigger], ModelState] = MappingProxyType(
    {
        (_S.QUEUED, _T.BEGAN): _S.TRAINING,
        (_S.TRAINING, _T.PASSED): _S.PASSED,
        (_S.TRAINING, _T.GOT_WORSE): _S.WORSE,
        (_S.TRAINING, _T.BROKE): _S.BROKEN,
        (_S.QUEUED, _T.BROKE): _S.BROKEN,
        (_S.PASSED, _T.USED): _S.LIVE,
        (_S.WORSE, _T.USED): _S.LIVE,
        (_S.RETIRED, _T.USED): _S.LIVE,
        (_S.LIVE, _T.REPLACED): _S.RETIRED,
    }
)

CAN_SERVE = frozenset({_S.PASSED, _S.WORSE, _S.RETIRED})
UNDER_WAY = frozenset({_S.QUEUED, _S.TRAINING})


def next_state(state: ModelState, trigger: ModelTrigger) -> ModelState:
    """Return the state that `trigger` leads to, or raise `IllegalTransition`."""
    try:
        return TRANSITIONS[state, trigger]
    except KeyError:
        raise IllegalTransition("model", state, trigger) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A message and what it means."""

    text: str
    intent: str
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lessons:
    """What a model learns beside the release's own examples, and what it is asked afterwards."""

    examples: tuple[Example, ...] = ()
    held_back: tuple[Example, ...] = ()

    @classmethod
    def of(cls, approved: Sequence[Example]) -> Lessons:
        """Share out examples: one in five is held back, where an intent has enough in a language.

        Which one is decided by its own words, so that it stays held back while others come.
        """
        counts: dict[tuple[str, str], int] = {}
        for one in approved:
            key = (one.language, one.intent)
            counts[key] = counts.get(key, 0) + 1
        ordered = sorted(approved, key=lambda one: (one.language, one.intent, one.text))
        held = tuple(
            one
            for one in ordered
            if counts[one.language, one.intent] >= _LEAST_TO_HOLD_BACK
            and _number(one) % _HELD_BACK_ONE_IN == 0
        )
        kept_out = frozenset(held)
        return cls(examples=tuple(one for one in ordered if one not in kept_out), held_back=held)

    @property
    def name(self) -> str:
        """Return what the assistant calls this set; equal sets have equal names."""
        if not self.examples and not self.held_back:
            return NO_LESSONS
        rows = [
            [[one.text, one.intent, one.language] for one in part]
            for part in (self.examples, self.held_back)
        ]
        return hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:16]


def _number(example: Example) -> int:
    return hashlib.sha256(f"{example.language} {example.text}".encode()).digest()[0]


class TrainingState(StrEnum):
    """How far the assistant is with a training."""

    BUSY = "busy"  # with another one
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """What the assistant says of a training that was asked for."""

    state: TrainingState
    detail: str = ""
    passed: bool = False
    report: Mapping[str, Any] | None = None  # see bot/README.md


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingModel:
    """Which model the assistant serves, and which intents it can be taught."""

    model: str | None
    lessons: str
    intents: tuple[str, ...]
