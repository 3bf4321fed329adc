"""Knows when a new model may take the place of the old one: by messages that neither has learned.

Both are asked the messages of `nlu_data/held_back/` and the examples from the console that were
held back. The new one passes where it misses no alarm that the old one hears and raises none where
the old one raises none, understands at most one message in a hundred less in each language, and of
the console's own no fewer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

QUESTION = "ask_question"
QUESTIONS = frozenset({QUESTION, "nlu_fallback", "follow_up"})
"""What leads to the knowledge search, all the same to who asks."""

SEARCHED = QUESTIONS | {"request_item", "vague_problem"}
"""What is searched for: a wish too, where the catalogue has nothing for it."""

ALARMS = frozenset({"ask_human", "angry", "emergency", "security_incident", "self_harm"})
WORSE_IN_HUNDRED = 1
_SHOWN = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A message that was held back, and what both models took it for."""

    text: str
    language: str
    meant: str
    old: str
    new: str
    is_taught: bool  # from the console

    @property
    def was_right(self) -> bool:
        return is_same(self.meant, self.old)

    @property
    def is_right(self) -> bool:
        return is_same(self.meant, self.new)


def report(answers: Sequence[Answered]) -> dict[str, Any]:
    """Return the figures of both models, what changed, and whether the new one passes."""
    languages = {
        language: _figures([a for a in answers if a.language == language and not a.is_taught])
        for language in sorted({a.language for a in answers if not a.is_taught})
    }
    taught = _figures([a for a in answers if a.is_taught])
    own = [a for a in answers if not a.is_taught]
    missed = [a for a in own if a.meant in ALARMS and a.old in ALARMS and a.new not in ALARMS]
    false = [a for a in own if a.meant not in ALARMS and a.old not in ALARMS and a.new in ALARMS]
    reasons = [
        f"language:{language}"
        for language, found in languages.items()
        if (found["old"] - found["new"]) * 100 > WORSE_IN_HUNDRED * found["messages"]
    ]
    reasons += ["alarm_missed"] if missed else []
    reasons += ["false_alarm"] if false else []
    reasons += ["taught"] if taught["new"] < taught["old"] else []
    return {
        "passed": not reasons,
        "reasons": reasons,
        "languages": languages,
        "taught": taught,
        "better": [_fields(a) for a in answers if a.is_right and not a.was_right][:_SHOWN],
        "worse": [_fields(a) for a in answers if a.was_right and not a.is_right][:_SHOWN],
    }


def _figures(answers: Sequence[Answered]) -> dict[str, int]:
    return {
        "messages": len(answers),
        "old": sum(a.was_right for a in answers),
        "new": sum(a.is_right for a in answers),
    }


def is_same(meant: str, understood: str) -> bool:
    """Say whether what was `understood` leads to what was `meant`."""
    return meant == understood or (meant == QUESTION and understood in QUESTIONS)


def _fields(answer: Answered) -> dict[str, Any]:
    return {
        "text": answer.text,
        "language": answer.language,
        "meant": answer.meant,
        "old": answer.old,
        "new": answer.new,
        "taught": answer.is_taught,
    }
