"""Knows softmax regression over features of which some are counts and the others dense.

scikit-learn would take both as one sparse matrix, and need several times as long for the dense
ones as they do here, where they stay what they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.sparse import csr_matrix

Floats = npt.NDArray[np.float32]

_SMALLEST_SLOPE = 1e-4  # of the loss, where fitting ends before its steps are used up


@dataclass(frozen=True)
class Rows:
    """Features of messages, a row each: what is counted, then the dense ones."""

    counted: csr_matrix
    dense: Floats

    def __getitem__(self, chosen: npt.NDArray[np.int_]) -> Rows:
        return Rows(self.counted[chosen], self.dense[chosen])

    def times(self, weights: Floats) -> Floats:
        """Return these rows times `weights`, which have a row for each feature."""
        number = self.counted.shape[1]
        product: Floats = self.counted @ weights[:number] + self.dense @ weights[number:]
        return product


@dataclass(frozen=True)
class Weights:
    """What regression finds: the intents, the weights, a row a feature, and the bias of each."""

    intents: list[str]
    weights: Floats
    bias: Floats


def fitted(rows: Rows, meant: npt.NDArray[np.str_], *, c: float, steps: int) -> Weights:
    """Return the weights of multinomial logistic regression, after at most `steps` of L-BFGS.

    `c` is the inverse strength of the L2 penalty, as in scikit-learn; the bias is not penalised.

    Raises:
        ValueError: fewer than two intents, or numbers that are not finite.
    """
    intents, which = np.unique(meant, return_inverse=True)
    if len(intents) < 2:
        raise ValueError(f"examples of {len(intents)} intents are not enough to tell any apart")
    if not (np.isfinite(rows.counted.data).all() and np.isfinite(rows.dense).all()):
        raise ValueError("the features of an example are not finite")
    number, messages = len(intents), np.arange(len(meant))
    transposed = rows.counted.T.tocsr()

    def loss_and_slope(at: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        exact = at.reshape(-1, number)
        penalised = exact[:-1]
        now = exact.astype(np.float32)
        scores = rows.times(now[:-1]) + now[-1]
        scores -= scores.max(axis=1, keepdims=True)
        chances = np.exp(scores)
        sums = chances.sum(axis=1, keepdims=True)
        lost = np.log(sums.ravel(), dtype=np.float64) - scores[messages, which]
        chances /= sums
        chances[messages, which] -= 1  # now how far each chance is from what was meant
        slope = np.vstack(
            [transposed @ chances, rows.dense.T @ chances, chances.sum(axis=0, keepdims=True)]
        ).astype(np.float64)
        slope[:-1] += penalised / c
        return float(lost.sum() + (penalised**2).sum() / (2 * c)), slope.ravel()

    features = rows.counted.shape[1] + rows.dense.shape[1]
    found = minimize(
        loss_and_slope,
        np.zeros((features + 1) * number),
        method="L-BFGS-B",
        jac=True,
        options={"maxiter": steps, "gtol": _SMALLEST_SLOPE, "maxls": 50},
    )
    was_stuck = not found.success and found.nit == 0
    if was_stuck or not (np.isfinite(found.fun) and np.isfinite(found.x).all()):
        # It ends where it began, with weights of zero, and says so only in what it returns.
        raise ValueError(f"no weights can be found: {found.message}")
    weights = found.x.reshape(-1, number).astype(np.float32)
    return Weights([str(one) for one in intents], np.ascontiguousarray(weights[:-1]), weights[-1])
