"""Knows what a model is made of, when it must be trained again, and where it is kept."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from lessons import NONE, Lessons, chosen, kept

BOT = Path(__file__).resolve().parent
PROJECT = BOT.parent

_KEPT = 5
_SCRATCH = ".training-in-"  # marks of sets in training are called `.training-of-…`
_OWN_EXAMPLES = PROJECT / "nlu_data" / "nlu"
_NOTHING = Lessons(name=NONE)
_INPUTS = (
    (PROJECT, "config.yml"),
    (PROJECT, "nlu_data/nlu/**/*.yml"),
    (BOT, "domain/**/*.yml"),
    (BOT, "rules/**/*.yml"),
    (BOT, "components/**/*.py"),
    (BOT, "uv.lock"),
)


class TrainingFailed(RuntimeError):
    """No model came out; the message says where to read why."""


def model_name(model: Path) -> str:
    """Return what a model's file is called, without its ending."""
    return model.name.removesuffix(".tar.gz")


def said_intents() -> list[str]:
    """Return the intents that people state in words: those with examples."""
    said = (path.read_text("utf-8") for path in sorted(_OWN_EXAMPLES.glob("*.yml")))
    return sorted({name for text in said for name in re.findall(r"^ *- intent: (\w+)", text, re.M)})


def chosen_lessons(folder: Path) -> Lessons:
    """Return the set of examples that counts in `folder`; none where it cannot be read."""
    return kept(folder, chosen(folder), intents=said_intents()) or _NOTHING


def fingerprint(lessons: Lessons = _NOTHING) -> str:
    """Return a name that changes with every input of the model."""
    digest = hashlib.sha256(lessons.learned)
    for root, pattern in _INPUTS:
        for path in sorted(root.glob(pattern)):
            digest.update(path.relative_to(root).as_posix().encode() + b"\0")
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def model_in(folder: Path, lessons: Lessons = _NOTHING) -> Path:
    """Return the model for today's inputs and `lessons`, trained where `folder` does not hold it.

    Raises:
        TrainingFailed: the inputs do not make a model.
    """
    model = folder / f"{fingerprint(lessons)}.tar.gz"
    if model.exists():
        return model
    folder.mkdir(parents=True, exist_ok=True)
    with _alone_in(folder):
        if not model.exists():  # another process may have trained it meanwhile
            _forget_killed_trainings(folder)
            _make(model, lessons)
    return model


def _make(model: Path, lessons: Lessons) -> None:
    folder = model.parent
    print("assistant: training, about half a minute…", flush=True)
    started = time.monotonic()
    log = folder / "train.log"
    with tempfile.TemporaryDirectory(prefix=_SCRATCH, dir=folder) as scratch:
        try:
            with output_to(log):
                trained = _train(Path(scratch), lessons)
        except Exception as error:
            raise TrainingFailed(f"training failed ({type(error).__name__}), see {log}") from error
        os.replace(trained, model)
    _forget_all_but_newest(folder)
    print(f"assistant: trained in {time.monotonic() - started:.0f} s", flush=True)


def _train(scratch: Path, lessons: Lessons) -> Path:
    os.environ["RASA_MAX_CACHE_SIZE"] = "0"  # no cache folder beside the project
    os.environ["RASA_CACHE_DIRECTORY"] = str(scratch / "cache")
    from rasa.engine.training import graph_trainer
    from rasa.model_training import train

    from components.kept_vectors import kept_in

    data = [str(_OWN_EXAMPLES), str(BOT / "rules")]
    if lessons.examples:
        taught = scratch / "taught.json"  # unlike in YAML, a text in it is free of marks of its own
        known = [{"text": one.text, "intent": one.intent} for one in lessons.examples]
        taught.write_text(json.dumps({"rasa_nlu_data": {"common_examples": known}}))
        data.append(str(taught))
    with kept_in(scratch.parent), _replaced(graph_trainer, "TrainingHook", _nothing_cached()):
        result = train(
            domain=str(BOT / "domain"),
            config=str(PROJECT / "config.yml"),
            training_files=data,
            output=str(scratch),
            force_training=True,
            fixed_model_name="model",
        )
    if result.model is None:
        raise TrainingFailed(f"Rasa returned code {result.code} and no model")
    return Path(result.model)


def _nothing_cached() -> type:
    """Return a `TrainingHook` that leaves out what Rasa does for its cache, which is off.

    That is a digest of everything that a component is given and gives, a sixth of a training.
    """
    from rasa.engine.training.hooks import TrainingHook

    class NothingCached(TrainingHook):
        def on_before_node(self, *_: Any, **__: Any) -> dict[str, Any]:
            return {}

        def on_after_node(self, *_: Any, **__: Any) -> None:
            """Nothing to store."""

    return NothingCached


@contextmanager
def _replaced(module: ModuleType, name: str, value: object) -> Iterator[None]:
    before = getattr(module, name)
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, before)


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Keep other trainings out of `folder`; the lock goes with the process, however it ends."""
    lock = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _forget_killed_trainings(folder: Path) -> None:
    """Remove what trainings left that were killed; the caller is alone in `folder`."""
    for scratch in folder.glob(f"{_SCRATCH}*"):
        shutil.rmtree(scratch)


def _forget_all_but_newest(folder: Path) -> None:
    models = sorted(folder.glob("*.tar.gz"), key=lambda path: path.stat().st_mtime, reverse=True)
    needed = {f"{fingerprint(chosen_lessons(folder))}.tar.gz"}
    for old in models[_KEPT:]:
        if old.name not in needed:
            old.unlink(missing_ok=True)


@contextmanager
def output_to(log: Path) -> Iterator[None]:
    """Send what is printed meanwhile, also by native code, to `log`."""
    sys.stdout.flush()
    sys.stderr.flush()
    saved = os.dup(1), os.dup(2)
    try:
        with log.open("wb") as stream:
            os.dup2(stream.fileno(), 1)
            os.dup2(stream.fileno(), 2)
            try:
                yield
            except BaseException:
                import traceback

                traceback.print_exc()
                raise
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
    finally:
        for target, source in zip((1, 2), saved, strict=True):
            os.dup2(source, target)
            os.close(source)
