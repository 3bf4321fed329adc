"""Questions to ask: those that the starter articles name, each used once."""

from __future__ import annotations

import random

import yaml

from bench.machine import REPOSITORY

_FOLDER = REPOSITORY / "nlu_data" / "knowledge" / "en"
_SEED = 20260101


class TooFewQuestions(RuntimeError):
    """More distinct questions are wanted than the starter articles name."""


def distinct_questions(count: int) -> list[str]:
    """Return `count` different questions, mixed over all articles, the same on every run.

    No question comes twice, not even for different servers: the desk remembers the vector of a
    question, so that whoever asks second would be answered sooner.
    """
    found: dict[str, str] = {}
    for path in sorted(_FOLDER.glob("*.md")):
        if path.name == "README.md":
            continue
        _, front, _ = path.read_text(encoding="utf-8").split("---", 2)
        for question in yaml.safe_load(front)["questions"]:
            found.setdefault(question.casefold(), question)
    if len(found) < count:
        raise TooFewQuestions(f"{count} questions are wanted, the articles name {len(found)}")
    return random.Random(_SEED).sample(list(found.values()), count)
