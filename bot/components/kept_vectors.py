"""Keeps sentence vectors between trainings, so that the next one computes only what is new.

Much of what a training takes is the vectors of examples that the one before had too. Those of each
package stand in one file beside the models, by a digest of the text and the model that made them.
What the latest training did not use is forgotten. Where there was no training yet, those that come
with the assistant's own examples are used, which take two fifths of it: `nlu_data/vectors/`.
"""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from importlib import metadata
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

SHIPPED = Path(__file__).resolve().parents[2] / "nlu_data" / "vectors"

MOST_KEPT = 20_000
"""Vectors in a file: at most some 40 MB."""

_MADE_BY_MACHINES = {".so", ".pyd", ".dylib", ".pyc"}
_UNREADABLE = (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile)
_folder: ContextVar[Path | None] = ContextVar("folder of kept vectors", default=None)


@contextmanager
def kept_in(folder: Path) -> Iterator[None]:
    """Let what is trained meanwhile use, and leave, vectors in `folder`."""
    token = _folder.set(folder)
    try:
        yield
    finally:
        _folder.reset(token)


class KeptVectors:
    """The vectors of one file, by text; empty outside `kept_in`."""

    def __init__(self, path: Path | None, model: str) -> None:
        self._path, self._model = path, model
        self._known: dict[bytes, Floats] = {} if path is None else dict(_read(path, model))

    @classmethod
    def of_this_training(cls, file: str, package: str) -> KeptVectors:
        """Return those that `package`, as it is installed, has left in `file`.

        That is in the folder that `kept_in` named. Where it has none, those in `SHIPPED` count.
        """
        folder = _folder.get()
        model = model_identity(package)
        kept = cls(None if folder is None else folder / file, model)
        if folder is not None and not kept._known:
            kept._known = dict(_read(SHIPPED / file, model))
        return kept

    def find(self, texts: Sequence[str]) -> dict[str, Floats]:
        """Return the vectors of those of `texts` that are known."""
        found = {text: self._known.get(_key(text)) for text in texts}
        return {text: vector for text, vector in found.items() if vector is not None}

    def keep(self, vectors: Mapping[str, Floats]) -> None:
        """Write `vectors`, all that a training used, as far as there is room, and no others.

        A training goes on where they cannot be written; that is told.
        """
        if self._path is None:
            return
        every = {_key(text): vector for text, vector in vectors.items()}
        used = dict(islice(every.items(), MOST_KEPT))
        if used.keys() == self._known.keys():
            return
        try:
            _write(self._path, self._model, used)
        except OSError as error:
            print(f"{self._path.name} cannot be written ({error})", flush=True)


def model_identity(package: str) -> str:
    """Return what changes with the model of `package` and with the code that computes it.

    It is the same wherever the same release is installed: commands name the folder of their Python,
    and what is compiled differs between machines, whose numbers are the same but for rounding.
    """
    found = metadata.distribution(package)
    digests = sorted(
        f"{file} {file.hash.value}"
        for file in found.files or ()
        if file.hash and not _differs_between_machines(file)
    )
    every = hashlib.sha256("\n".join(digests).encode()).hexdigest()
    return f"{package} {found.version} {every[:16]}"


def _differs_between_machines(file: metadata.PackagePath) -> bool:
    outer = file.parts[0]
    return (
        outer == ".." or outer.endswith((".dist-info", ".libs")) or file.suffix in _MADE_BY_MACHINES
    )


def _key(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _read(path: Path, model: str) -> dict[bytes, Floats]:
    """Return what `path` has of `model`; nothing where it cannot be read, which is told."""
    if not path.exists():
        return {}
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            if str(stored["model"]) != model:
                return {}
            keys, vectors = stored["keys"], stored["vectors"]
        if keys.shape[1:] != (32,) or vectors.ndim != 2 or len(keys) != len(vectors):
            raise ValueError("keys and vectors do not belong together")
        if vectors.dtype != np.float32 or not np.isfinite(vectors).all():
            raise ValueError("these are no vectors")
    except _UNREADABLE as error:
        print(f"{path.name} cannot be read ({error}); its vectors are computed again", flush=True)
        return {}
    return {key.tobytes(): vector for key, vector in zip(keys, vectors, strict=True)}


def _write(path: Path, model: str, vectors: Mapping[bytes, Floats]) -> None:
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with fresh.open("wb") as stream:
            np.savez(
                stream,
                model=np.array(model),
                keys=np.frombuffer(b"".join(vectors), np.uint8).reshape(-1, 32),
                vectors=np.stack(list(vectors.values())),
            )
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
