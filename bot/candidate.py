"""Knows how a model is made of what was taught, and compared with the one that serves.

The body of `main.py candidate`, a process that gives way to all others.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from gate import Answered, report
from lessons import Example, Lessons, in_training, kept, write_report
from training import (
    PROJECT,
    chosen_lessons,
    model_in,
    model_name,
    output_to,
    said_intents,
)
from understanding import understood

HELD_BACK = PROJECT / "nlu_data" / "held_back"
_LEAST_PRIORITY = 19


def make_candidate(folder: Path, name: str, against: Path) -> Path:
    """Train the model of the set `name` and report how it compares with the model `against`.

    Raises:
        TrainingFailed: see `model_in`.
        LookupError: there is no such set.
        BlockingIOError: another process makes it.
    """
    os.nice(_LEAST_PRIORITY)
    lessons = kept(folder, name, intents=said_intents())
    if lessons is None:
        raise LookupError(f"there is no set of examples {name}")
    with in_training(folder, name):
        return _make(folder, lessons, against)


def _make(folder: Path, lessons: Lessons, against: Path) -> Path:
    began = time.monotonic()
    model = model_in(folder, lessons)
    trained = time.monotonic()
    with output_to(folder / "compare.log"):
        found = compared(against, model, lessons)
    figures = {
        "model": model_name(model),
        "against": model_name(against),
        "examples": len(lessons.examples),
        "training_seconds": round(trained - began, 1),
        "comparing_seconds": round(time.monotonic() - trained, 1),
    }
    write_report(folder, lessons.name, {**found, **figures})
    return model


def make_and_compare(folder: Path) -> dict[str, Any]:
    """Return the report about the model of the files as they are, against the one before.

    Where `folder` holds no other model, it is compared with itself.
    """
    lessons = chosen_lessons(folder)
    model = model_in(folder, lessons)
    others = [path for path in folder.glob("*.tar.gz") if path != model]
    before = max(others, key=lambda path: path.stat().st_mtime, default=model)
    with output_to(folder / "compare.log"):
        found = compared(before, model, lessons)
    return {**found, "model": model_name(model), "against": model_name(before)}


def as_lines(found: Mapping[str, Any]) -> list[str]:
    """Return a report for people at a terminal."""
    if found["model"] == found["against"]:
        lines = [f"model {found['model']}; there was none before: the next is compared with it"]
    else:
        lines = [f"model {found['model']} against {found['against']}"]
    rows = [*found["languages"].items()]
    if found["taught"]["messages"]:
        rows.append(("taught", found["taught"]))
    lines += [
        f"  {name:<8} {row['messages']:>4} messages, right {row['old']} before, {row['new']} now"
        for name, row in rows
    ]
    for title in ("better", "worse"):
        for row in found[title]:
            turned = f"{row['old']} -> {row['new']}"
            lines.append(f"  {title}: {row['text']!r} means {row['meant']}: {turned}")
    lines.append("passed" if found["passed"] else f"not passed: {', '.join(found['reasons'])}")
    return lines


def compared(old: Path, new: Path, lessons: Lessons) -> dict[str, Any]:
    """Return the report about two models, by all that was held back."""
    asked = [(example, False) for example in held_back()]
    asked += [(example, True) for example in lessons.held_back]
    texts = [example.text for example, _ in asked]
    before = [one.intent for one in understood(old, texts)]
    after = [one.intent for one in understood(new, texts)] if new != old else before
    return report(
        [
            Answered(
                text=example.text,
                language=example.language,
                meant=example.intent,
                old=was,
                new=now,
                is_taught=is_taught,
            )
            for (example, is_taught), was, now in zip(asked, before, after, strict=True)
        ]
    )


def held_back() -> list[Example]:
    """Return the release's own messages that no model learns."""
    return [example for path in sorted(HELD_BACK.glob("*.yml")) for example in _read(path)]


def _read(path: Path) -> Iterator[Example]:
    for language, intents in yaml.safe_load(path.read_text("utf-8")).items():
        for intent, texts in intents.items():
            for text in texts:
                yield Example(text=str(text), intent=intent, language=language)
