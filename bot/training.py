"""Knows what a model is made of, when it must be trained again, and where it is kept."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BOT = Path(__file__).resolve().parent
PROJECT = BOT.parent

_KEPT = 3
_SCRATCH = ".training-"
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


def fingerprint() -> str:
    """Return a name that changes with every input of the model."""
    digest = hashlib.sha256()
    for root, pattern in _INPUTS:
        for path in sorted(root.glob(pattern)):
            digest.update(path.relative_to(root).as_posix().encode() + b"\0")
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def model_in(folder: Path) -> Path:
    """Return the model for today's inputs, training it where `folder` does not hold it yet.

    Raises:
        TrainingFailed: the inputs do not make a model.
    """
    model = folder / f"{fingerprint()}.tar.gz"
    if model.exists():
        return model
    folder.mkdir(parents=True, exist_ok=True)
    with _alone_in(folder):
        if not model.exists():  # another process may have trained it meanwhile
            _forget_killed_trainings(folder)
            _make(model)
    return model


def _make(model: Path) -> None:
    folder = model.parent
    print("assistant: training (first start, about half a minute)…", flush=True)
    started = time.monotonic()
    log = folder / "train.log"
    with tempfile.TemporaryDirectory(prefix=_SCRATCH, dir=folder) as scratch:
        try:
            with output_to(log):
                trained = _train(Path(scratch))
        except Exception as error:
            raise TrainingFailed(f"training failed ({type(error).__name__}), see {log}") from error
        os.replace(trained, model)
    _forget_all_but_newest(folder)
    print(f"assistant: trained in {time.monotonic() - started:.0f} s", flush=True)


def _train(scratch: Path) -> Path:
    os.environ["RASA_MAX_CACHE_SIZE"] = "0"  # no cache folder beside the project
    os.environ["RASA_CACHE_DIRECTORY"] = str(scratch / "cache")
    from rasa.model_training import train

    result = train(
        domain=str(BOT / "domain"),
        config=str(PROJECT / "config.yml"),
        training_files=[str(PROJECT / "nlu_data" / "nlu"), str(BOT / "rules")],
        output=str(scratch),
        force_training=True,
        fixed_model_name="model",
    )
    if result.model is None:
        raise TrainingFailed(f"Rasa returned code {result.code} and no model")
    return Path(result.model)


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
    for old in models[_KEPT:]:
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
