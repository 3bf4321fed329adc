"""One message is judged by the few weights that it touches, as by the whole matrix."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix, hstack, random
from scipy.special import logsumexp, softmax
from sklearn.linear_model import LogisticRegression

from components.classifier import Scale, scores
from components.regression import Rows, fitted


@pytest.mark.parametrize("said", [0, 1, 7], ids=["no known word", "one word", "several words"])
def test_the_logits_of_one_message_are_those_of_the_matrix(said: int) -> None:
    dice = np.random.default_rng(3)
    learned = [
        csr_matrix(np.ceil(3 * random(40, width, 0.1, random_state=width).toarray()))
        for width in (50, 90)
    ]
    vectors = [dice.normal(size=(40, width)).astype(np.float32) for width in (10, 6)]
    scale = Scale.of(learned, vectors, share=1.5)
    weights = dice.normal(size=(50 + 90 + 16, 5)).astype(np.float32)
    counts = []
    for width in (50, 90):
        row = np.zeros((1, width), dtype=np.int64)
        row[0, dice.choice(width, said, replace=False)] = dice.integers(1, 4, said)
        counts.append(csr_matrix(row))
    vector = [dice.normal(size=(1, width)).astype(np.float32) for width in (10, 6)]
    found = scale.logits(counts, vector, weights)
    np.testing.assert_allclose(found, scale.applied(counts, vector).times(weights)[0], rtol=1e-5)


def test_a_score_is_the_logit_less_half_of_what_the_others_reach() -> None:
    logits = np.random.default_rng(5).normal(scale=4, size=(20, 7))
    expected = [
        [one - logsumexp(np.delete(row, i)) / 2 for i, one in enumerate(row)] for row in logits
    ]
    np.testing.assert_allclose(scores(logits), expected)
    np.testing.assert_array_equal(np.argsort(scores(logits)), np.argsort(logits))


def test_what_is_like_no_intent_scores_less_than_what_is_like_two() -> None:
    faint, torn = [1.5, -0.3, -0.4, -0.4, -0.4], [5.2, 4.7, -3.3, -3.3, -3.3]
    assert softmax(faint).max() == pytest.approx(softmax(torn).max(), abs=0.02)
    assert scores(faint).max() < scores(torn).max() - 1


def test_the_score_of_what_leaves_no_doubt_is_finite() -> None:
    assert np.isfinite(scores([1e4, -1e4])).all()


def test_each_sentence_vector_weighs_the_same() -> None:
    dice = np.random.default_rng(3)
    vectors = [
        dice.normal(mean, width, size=(200, width)).astype(np.float32)
        for mean, width in ((5, 30), (0, 90))
    ]
    counts = [csr_matrix((200, 1))]
    rows = Scale.of(counts, vectors, share=1.5).applied(counts, vectors).dense
    for one in (rows[:, :30], rows[:, 30:]):
        assert np.linalg.norm(one, axis=1).mean() == pytest.approx(1.5, abs=0.05)


@pytest.mark.parametrize("intents", [2, 5])
def test_the_regression_is_that_of_scikit_learn(intents: int) -> None:
    dice = np.random.default_rng(4)
    counted = random(120, 40, 0.1, "csr", np.float32, random_state=4)
    dense = dice.normal(size=(120, 12)).astype(np.float32)
    meant = np.array([f"intent {one}" for one in dice.integers(intents, size=120)])
    found = fitted(Rows(counted, dense), meant, c=2.0, steps=400)
    model = LogisticRegression(C=2.0, max_iter=400, multi_class="multinomial", tol=1e-6)
    model.fit(hstack([counted, csr_matrix(dense)]), meant)
    assert found.intents == list(model.classes_)
    chances = softmax(Rows(counted, dense).times(found.weights) + found.bias, axis=1)
    expected = model.predict_proba(hstack([counted, csr_matrix(dense)]))
    np.testing.assert_allclose(chances, expected, atol=2e-3)


@pytest.mark.parametrize("number", [np.nan, np.inf, 1e30])
@pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")
@pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")
def test_numbers_that_are_no_numbers_make_no_model(number: float) -> None:
    dense = np.ones((4, 3), np.float32)
    dense[1, 2] = number
    with pytest.raises(ValueError, match=r"finite|no weights"):
        fitted(Rows(csr_matrix((4, 2)), dense), np.array(["a", "b", "a", "b"]), c=1.0, steps=5)


@pytest.mark.parametrize("meant", [[], ["a", "a"]])
def test_less_than_two_intents_make_no_model(meant: list[str]) -> None:
    rows = Rows(csr_matrix((len(meant), 2)), np.ones((len(meant), 3), np.float32))
    with pytest.raises(ValueError, match="not enough"):
        fitted(rows, np.array(meant), c=1.0, steps=5)
