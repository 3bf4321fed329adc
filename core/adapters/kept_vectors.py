"""Vectors of passages that are known beforehand: those of the starter articles.

Embedding some thousand passages takes a processor a minute, in which a new desk would answer by
words alone. Each encoder has a file of its own: a line of JSON, `{"model", "dimensions"}`, and
records in order: the first 16 bytes of a passage's BLAKE2 digest, and its vector in half precision,
both little-endian.
"""

from __future__ import annotations

import json
import struct
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from pathlib import Path

from core.ports import Embedder, SecondEncoder

_DIGEST_BYTES = 16
_NUMBER_BYTES = 2


class KeptVectors:
    """An `Embedder` that looks passages up in a file, and asks another one for the rest."""

    def __init__(self, other: Embedder, file: Path) -> None:
        """Where `file` is missing, or of another model, `other` is asked for everything."""
        self.model = other.model
        self.dimensions = other.dimensions
        self._other = other
        self._file = file

    async def embed_query(self, text: str) -> Sequence[float]:
        """See `core.ports.Embedder.embed_query`."""
        return await self._other.embed_query(text)

    async def embed_passages(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """See `core.ports.Embedder.embed_passages`."""
        # Read each time: passages are embedded in the beginning, and the file is soon forgotten.
        found = dict(self._looked_up(texts))
        unknown = [text for text in dict.fromkeys(texts) if text not in found]
        if unknown:
            vectors = await self._other.embed_passages(unknown)
            found.update(zip(unknown, vectors, strict=True))
        return [found[text] for text in texts]

    def _looked_up(self, texts: Sequence[str]) -> Mapping[str, Sequence[float]]:
        try:
            header, _, records = self._file.read_bytes().partition(b"\n")
        except FileNotFoundError:
            return {}
        if json.loads(header) != _header(self.model, self.dimensions):
            return {}
        size = _DIGEST_BYTES + _NUMBER_BYTES * self.dimensions
        places = range(0, len(records), size)
        found: dict[str, Sequence[float]] = {}
        for text in texts:
            digest = _digest(text)
            number = bisect_left(
                places, digest, key=lambda place: records[place : place + _DIGEST_BYTES]
            )
            if number < len(places) and records.startswith(digest, places[number]):
                begin = places[number] + _DIGEST_BYTES
                found[text] = struct.unpack_from(f"<{self.dimensions}e", records, begin)
        return found


class KeptSecondVectors(KeptVectors):
    """The same for a `SecondEncoder`."""

    def __init__(self, other: SecondEncoder, file: Path) -> None:
        super().__init__(other, file)
        self.languages = other.languages
        self._second = other

    @property
    def is_missing(self) -> bool:
        """See `core.ports.SecondEncoder.is_missing`."""
        return self._second.is_missing


def write(file: Path, model: str, vectors: Mapping[str, Sequence[float]]) -> None:
    """Write what `KeptVectors` reads: the vectors of passages by their text; there is one."""
    dimensions = len(next(iter(vectors.values())))
    records = sorted(
        _digest(text) + struct.pack(f"<{dimensions}e", *vector) for text, vector in vectors.items()
    )
    header = json.dumps(_header(model, dimensions)).encode()
    file.write_bytes(b"\n".join([header, b"".join(records)]))


def _header(model: str, dimensions: int) -> dict[str, str | int]:
    return {"model": model, "dimensions": dimensions}


def _digest(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "replace"), digest_size=_DIGEST_BYTES).digest()
