"""Knows what people taught the assistant in the desk's console: sets of examples, and which counts.

A set is a file in the folder of the models, named by the desk. One of them is chosen: a model made
of this release's own examples and of those is the one to serve. No set chosen is the same as one
without examples.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NONE = "none"
"""Names the set without examples: the release as it comes."""

_NAME = re.compile(r"[0-9a-f]{16}")
_CHOICE = "lessons"
_MAX_EXAMPLES = 20_000
_MAX_CHARS = 500


class BadLessons(ValueError):
    """What was sent is no set of examples; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A message and what it means."""

    text: str
    intent: str
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lessons:
    """Examples to learn, and others to be asked after learning."""

    name: str
    examples: tuple[Example, ...] = ()
    held_back: tuple[Example, ...] = ()

    @property
    def learned(self) -> bytes:
        """What a model is made of besides the release; empty where there is nothing to learn."""
        if not self.examples:
            return b""
        known = sorted((one.text, one.intent) for one in self.examples)
        return json.dumps(known).encode()


def parse_lessons(body: Any, *, intents: Sequence[str]) -> Lessons:
    """Return the set that `body`, read from JSON, describes.

    Examples of other intents than `intents` are left out: a release may have given one up.

    Raises:
        BadLessons: it has another form.
    """
    if not isinstance(body, Mapping):
        raise BadLessons("the body is not a JSON object")
    return Lessons(
        name=name_of(body),
        examples=_examples(body, "examples", intents),
        held_back=_examples(body, "held_back", intents),
    )


def name_of(body: Any) -> str:
    """Return the name of a set in `body`.

    Raises:
        BadLessons: there is none.
    """
    name = body.get("lessons") if isinstance(body, Mapping) else None
    if not isinstance(name, str) or not (name == NONE or _NAME.fullmatch(name)):
        raise BadLessons("lessons must be 16 hexadecimal digits, or none")
    return name


def _examples(body: Mapping[str, Any], field: str, intents: Sequence[str]) -> tuple[Example, ...]:
    rows = body.get(field) or []
    if not isinstance(rows, list) or len(rows) > _MAX_EXAMPLES:
        raise BadLessons(f"{field} must be a list of at most {_MAX_EXAMPLES}")
    read = [_example(row, field) for row in rows]
    return tuple(one for one in read if one.intent in intents)


def _example(row: Any, field: str) -> Example:
    try:
        text, intent, language = row["text"], row["intent"], row["language"]
    except (TypeError, KeyError):
        raise BadLessons(f"{field}: each needs text, intent and language") from None
    if not isinstance(text, str) or not 0 < len(text.strip()) <= _MAX_CHARS:
        raise BadLessons(f"{field}: a text has 1 to {_MAX_CHARS} characters")
    return Example(text=text, intent=str(intent), language=str(language))


def keep(folder: Path, lessons: Lessons) -> None:
    """Write a set down, whole or not at all."""
    if lessons.name == NONE:
        return
    fields = {
        "lessons": lessons.name,
        "examples": [_fields(one) for one in lessons.examples],
        "held_back": [_fields(one) for one in lessons.held_back],
    }
    _write(_file(folder, lessons.name), json.dumps(fields, ensure_ascii=False))


def kept(folder: Path, name: str, *, intents: Sequence[str] | None = None) -> Lessons | None:
    """Return a set that was written down; None where there is none, or none that can be used.

    Examples of intents that a later release has no more are left out.
    """
    if name == NONE:
        return Lessons(name=NONE)
    try:
        body = json.loads(_file(folder, name).read_text("utf-8"))
        return Lessons(
            name=name,
            examples=_still_known(body["examples"], intents),
            held_back=_still_known(body["held_back"], intents),
        )
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def _still_known(
    rows: Sequence[Mapping[str, str]], intents: Sequence[str] | None
) -> tuple[Example, ...]:
    return tuple(Example(**row) for row in rows if intents is None or row["intent"] in intents)


def chosen(folder: Path) -> str:
    """Return the name of the set that counts."""
    try:
        name = (folder / _CHOICE).read_text("utf-8").strip()
    except FileNotFoundError:
        return NONE
    return name if _NAME.fullmatch(name) else NONE


def choose(folder: Path, name: str) -> None:
    """Let a set count from the next start on."""
    _write(folder / _CHOICE, name)


def _file(folder: Path, name: str) -> Path:
    return folder / f"lessons-{name}.json"


def report_file(folder: Path, name: str) -> Path:
    """Return where the report about a set's model stands."""
    return folder / f"report-{name}.json"


@contextmanager
def in_training(folder: Path, name: str) -> Iterator[None]:
    """Let others see that the model of a set is being made; the mark goes with the process.

    Raises:
        BlockingIOError: somebody else makes it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    mark = os.open(folder / f".training-of-{name}", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(mark)


def is_in_training(folder: Path, name: str) -> bool:
    """Say whether some process makes the model of a set, on this machine or a shared disk."""
    try:
        with in_training(folder, name):
            return False
    except BlockingIOError:
        return True


def _fields(example: Example) -> dict[str, str]:
    return {"text": example.text, "intent": example.intent, "language": example.language}


def _write(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_text(content, encoding="utf-8")
    fresh.replace(path)


def write_report(folder: Path, name: str, report: Mapping[str, Any]) -> None:
    """Write down what is to be said of a set's model."""
    _write(report_file(folder, name), json.dumps(report, ensure_ascii=False))
