"""What the assistant takes held-back texts for, and what the desk takes for their language.

The assistant's own program says what it understands, and by the rules of its gate whether that is
right (`bot/main.py understand`).
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.held_back import Message
from core.adapters.language import LinguaDetector

_BOT = Path(__file__).parent.parent / "bot"
QUESTION = "ask_question"


@dataclass(frozen=True, slots=True, kw_only=True)
class Understood:
    """What a text was taken for."""

    message: Message
    intent: str
    confidence: float
    guesses: Sequence[tuple[str, float]]
    is_right: bool
    is_alarm: bool
    meant_alarm: bool
    is_searched: bool  # it goes to the knowledge search
    language: str | None  # None: goes on in that of the conversation


def understood(asked: Sequence[Message], folder: Path) -> list[Understood]:
    """Return what the texts are taken for; trains the assistant where no model of it is there.

    Raises:
        CalledProcessError: there is no model, and why has been printed.
    """
    texts, out = folder / "texts.json", folder / "understood.json"
    texts.write_text(json.dumps([{"text": m.text, "meant": m.intent} for m in asked]), "utf-8")
    command = ["main.py", "understand", "--into", "models", "--texts", str(texts)]
    python = str(_BOT / ".venv" / "bin" / "python")
    subprocess.run([python, *command, "--out", str(out)], cwd=_BOT, check=True)
    detector = LinguaDetector()
    return [
        _read(message, row, detector.detect(message.text))
        for message, row in zip(asked, json.loads(out.read_text("utf-8"))["rows"], strict=True)
    ]


def _read(message: Message, row: Mapping[str, Any], language: str | None) -> Understood:
    return Understood(
        message=message,
        intent=row["intent"],
        confidence=row["confidence"],
        guesses=[(name, confidence) for name, confidence in row["guesses"]],
        is_right=row["right"],
        is_alarm=row["alarm"],
        meant_alarm=row["meant_alarm"],
        is_searched=row["searched"],
        language=language,
    )


def figures(found: Sequence[Understood]) -> dict[str, float]:
    """Return counts and shares of what messages were taken for."""
    alarms = [one for one in found if one.meant_alarm]
    others = [one for one in found if not one.meant_alarm]
    asked = [one for one in found if one.message.intent == QUESTION]
    return {
        "n": len(found),
        "right": round(sum(one.is_right for one in found) / len(found), 4),
        "alarms": len(alarms),
        "alarms_missed": sum(not one.is_alarm for one in alarms),
        "reason_right": sum(one.is_right for one in alarms),  # of a hand-off
        "false_alarms": sum(one.is_alarm for one in others),
        "questions": len(asked),
        "questions_searched": sum(one.is_searched for one in asked),
        "language_right": sum(one.language == one.message.language for one in found),
        "language_wrong": sum(one.language not in (None, one.message.language) for one in found),
    }
