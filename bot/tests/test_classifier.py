"""One message is judged by the few weights that it touches, as by the whole matrix."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix, random

from components.classifier import Scale


@pytest.mark.parametrize("said", [0, 1, 7], ids=["no known word", "one word", "several words"])
def test_the_scores_of_one_message_are_those_of_the_matrix(said: int) -> None:
    dice = np.random.default_rng(3)
    learned = [
        csr_matrix(np.ceil(3 * random(40, width, 0.1, random_state=width).toarray()))
        for width in (50, 90)
    ]
    vectors = dice.normal(size=(40, 16)).astype(np.float32)
    scale = Scale.of(learned, vectors, share=1.5)
    weights = dice.normal(size=(50 + 90 + 16, 5)).astype(np.float32)
    counts = []
    for width in (50, 90):
        row = np.zeros((1, width), dtype=np.int64)
        row[0, dice.choice(width, said, replace=False)] = dice.integers(1, 4, said)
        counts.append(csr_matrix(row))
    vector = dice.normal(size=(1, 16)).astype(np.float32)
    found = scale.scores(counts, vector[0], weights)
    np.testing.assert_allclose(found, (scale.applied(counts, vector) @ weights)[0], rtol=1e-5)
