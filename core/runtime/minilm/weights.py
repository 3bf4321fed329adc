"""Where the numbers of the encoder lie in its ONNX file, which is read in place and never whole.

ONNX's own runtime would hold every matrix in memory as 32-bit numbers, some 100 MB more than the
bytes they are stored as. Of the format (onnx.proto3, protocol buffers' wire format) only the
constants and the order in which matrices are used are read.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_GRAPH = 7  # of a model
_NODE, _CONSTANT = 1, 5  # of a graph
_INPUTS, _KIND = 1, 4  # of a node
_SHAPE, _TYPE, _NAME, _BYTES = 1, 2, 8, 9  # of a constant
_TYPES: Mapping[int, np.dtype[Any]] = {
    1: np.dtype("<f4"),
    3: np.dtype("i1"),
    7: np.dtype("<i8"),
    10: np.dtype("<f2"),
}

_Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Matrix:
    """Numbers as they are stored: 8-bit, with a factor for each column (or row)."""

    stored: NDArray[np.int8]
    scale: NDArray[np.float32]

    def rows(self, places: NDArray[np.intp]) -> NDArray[np.float32]:
        """Return some rows as they are meant."""
        scale = self.scale if self.scale.shape[0] == 1 else self.scale[places]
        return np.asarray(self.stored[places] * scale, dtype=np.float32)

    def after(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return `vectors` times this matrix."""
        return np.asarray((vectors @ self.stored.astype(np.float32)) * self.scale, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Weights:
    """The constants of a model by name, and its matrices in the order of their use."""

    named: Mapping[str, NDArray[Any]]
    matrices: tuple[Matrix, ...]

    def matrix(self, name: str) -> Matrix:
        """Return the matrix stored under `name`."""
        return Matrix(self.named[f"{name}_q"], _as_factors(self.named[f"{name}_scale"]))


def read(file: Path) -> Weights:
    """Read where everything is.

    Raises:
        ValueError: this is no such file.
    """
    with file.open("rb") as opened:
        content = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
    named: dict[str, NDArray[Any]] = {}
    used: list[str] = []
    for number, graph in _fields(content, (0, len(content))):
        if number != _GRAPH or not isinstance(graph, tuple):
            continue
        for kind, part in _fields(content, graph):
            if not isinstance(part, tuple):
                continue
            if kind == _CONSTANT:
                name, numbers = _constant(content, part)
                named[name] = numbers
            elif kind == _NODE:
                used += _multiplied(content, part)
    weights = Weights(named, ())
    return Weights(named, tuple(weights.matrix(name) for name in used if f"{name}_q" in named))


def _as_factors(scale: NDArray[Any]) -> NDArray[np.float32]:
    return np.asarray(scale, dtype=np.float32)


def _constant(content: mmap.mmap, part: _Range) -> tuple[str, NDArray[Any]]:
    shape: list[int] = []
    kind, name, place = 0, "", (0, 0)
    for number, value in _fields(content, part):
        if number == _SHAPE:
            shape += _numbers(content, value) if isinstance(value, tuple) else [value]
        elif number == _TYPE and isinstance(value, int):
            kind = value
        elif number == _NAME and isinstance(value, tuple):
            name = content[slice(*value)].decode()
        elif number == _BYTES and isinstance(value, tuple):
            place = value
    if kind not in _TYPES:
        return name, np.empty(0)
    dtype = _TYPES[kind]
    count = (place[1] - place[0]) // dtype.itemsize
    return name, np.frombuffer(content, dtype, count, place[0]).reshape(shape or ())


def _multiplied(content: mmap.mmap, part: _Range) -> list[str]:
    """Return what a node multiplies by, if it is a matrix product."""
    inputs: list[str] = []
    kind = ""
    for number, value in _fields(content, part):
        if number == _INPUTS and isinstance(value, tuple):
            inputs.append(content[slice(*value)].decode())
        elif number == _KIND and isinstance(value, tuple):
            kind = content[slice(*value)].decode()
    return inputs[1:2] if kind == "MatMul" else []


def _fields(content: mmap.mmap, within: _Range) -> Iterator[tuple[int, int | _Range]]:
    """Yield number and value of each field: an integer, or where its bytes are."""
    place, end = within
    while place < end:
        key, place = _varint(content, place)
        match key & 7:
            case 0:
                value, place = _varint(content, place)
                yield key >> 3, value
                continue
            case 1:
                length = 8
            case 2:
                length, place = _varint(content, place)
            case 5:
                length = 4
            case other:
                raise ValueError(f"wire type {other}")
        yield key >> 3, (place, place + length)
        place += length


def _numbers(content: mmap.mmap, within: _Range) -> list[int]:
    found = []
    place, end = within
    while place < end:
        number, place = _varint(content, place)
        found.append(number)
    return found


def _varint(content: mmap.mmap, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = content[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:  # the last one has no continuation bit
            return value, place
        shift += 7
