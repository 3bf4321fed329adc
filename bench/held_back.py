"""The project's own questions and messages that are kept apart from articles and examples."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from bench.noise import misspelt, without_accents

_ROOT = Path(__file__).parent.parent
PLAIN = "as written"
WRITTEN: Mapping[str, Callable[[str], str]] = {
    PLAIN: lambda text: text,
    "misspelt": misspelt,
    "no accents": without_accents,
}
"""Ways of writing: the first one, and what people make of it in haste."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question and the family of articles that answers it; None where there is none."""

    language: str
    family: str | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message and the intent it has; `ask_question` stands for all that is searched for."""

    language: str
    intent: str
    text: str


def questions(path: Path = _ROOT / "tests" / "data" / "held_back.tsv") -> list[Question]:
    """Return the questions to the starter articles."""
    lines = path.read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if line and not line.startswith("#")]
    return [
        Question(language=language, family=None if name == "-" else name, text=text)
        for language, name, text in rows
    ]


def messages(folder: Path = _ROOT / "nlu_data" / "held_back") -> list[Message]:
    """Return the messages that the gate compares models by."""
    return [
        Message(language=language, intent=intent, text=str(text))
        for path in sorted(folder.glob("*.yml"))
        for language, intents in yaml.safe_load(path.read_text("utf-8")).items()
        for intent, texts in intents.items()
        for text in texts
    ]
