"""Knows what a model takes texts for, and whether that leads to what was meant.

The body of `main.py understand`, which `make evaluate` asks; `gate.py` judges by the same rules.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gate import ALARMS, SEARCHED, is_same
from training import chosen_lessons, model_in, model_name, output_to

_GUESSES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Understood:
    """What a model takes a text for."""

    intent: str
    confidence: float
    guesses: list[tuple[str, float]]  # of the classifier, the likeliest first


def understood(model: Path, texts: Sequence[str]) -> list[Understood]:
    """Return what `model` takes each text for."""
    from inputs.processor import DeskAgent

    agent = DeskAgent()
    agent.load_model(model)

    async def all_of_them() -> list[Understood]:
        return [_read(await agent.parse_message(text)) for text in texts]

    return asyncio.run(all_of_them())


def _read(parsed: dict[str, Any]) -> Understood:
    ranking = parsed.get("intent_ranking") or [parsed["intent"]]
    return Understood(
        intent=str(parsed["intent"]["name"]),
        confidence=float(parsed["intent"]["confidence"]),
        guesses=[(str(one["name"]), float(one["confidence"])) for one in ranking[:_GUESSES]],
    )


def judge(folder: Path, texts: Path, out: Path) -> None:
    """Write to `out` what the model of the files as they are takes the texts of a file for.

    `texts` is a JSON list of `{"text", "meant"}`; what is written has a row for each, in order.

    Raises:
        TrainingFailed: see `model_in`.
    """
    asked = json.loads(texts.read_text("utf-8"))
    model = model_in(folder, chosen_lessons(folder))
    with output_to(folder / "understand.log"):
        found = understood(model, [one["text"] for one in asked])
    rows = [
        {
            **asdict(one),
            "right": is_same(row["meant"], one.intent),
            "alarm": one.intent in ALARMS,
            "meant_alarm": row["meant"] in ALARMS,
            "searched": one.intent in SEARCHED,
        }
        for row, one in zip(asked, found, strict=True)
    ]
    out.write_text(json.dumps({"model": model_name(model), "rows": rows}), "utf-8")
