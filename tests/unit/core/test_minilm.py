"""The second encoder gives the vectors that its published model gives."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from core.runtime.minilm.encoder import DIMENSIONS, MAX_TOKENS, MiniLM
from core.runtime.minilm.wordpiece import WordPieces

# By onnxruntime 1.30 with the tokeniser that comes with the model; the first five numbers.
PUBLISHED = [
    ("How do I reset my password?", 9, (0.00537, -0.06111, -0.07128, -0.03423, -0.04279)),
    (
        "Ich hätte gern: Übergröße, bitte! 東京",
        18,
        (0.06683, 0.11770, 0.07367, -0.04137, -0.03369),
    ),
    ("a", 3, (-0.03853, 0.03608, -0.04513, 0.03398, -0.08012)),
]


@pytest.fixture(scope="module")
def model() -> MiniLM:
    return MiniLM()


def cosine(one: Sequence[float], other: Sequence[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize(("text", "tokens", "begins"), PUBLISHED)
def test_vectors_are_those_of_the_published_model(
    model: MiniLM, text: str, tokens: int, begins: Sequence[float]
) -> None:
    vector, read = model.embed(text)
    assert read == tokens
    assert len(vector) == DIMENSIONS
    assert list(vector[: len(begins)]) == pytest.approx(begins, abs=2e-5)
    assert math.isclose(cosine(vector, vector), 1, abs_tol=1e-5)


def test_questions_that_mean_the_same_are_nearer_than_others(model: MiniLM) -> None:
    forgotten, lost, weather = (
        model.embed(text)[0]
        for text in ("I forgot my login", "How do I reset my password?", "Will it rain today?")
    )
    assert cosine(forgotten, lost) > 0.5 > 0.2 > cosine(forgotten, weather)


@pytest.mark.parametrize("text", ["", " \t\n", "\0", "\ud800", "x" * 50_000, "word " * 10_000])
def test_any_text_has_a_vector_of_no_more_tokens_than_the_limit(model: MiniLM, text: str) -> None:
    vector, read = model.embed(text)
    assert all(math.isfinite(number) for number in vector)
    assert read <= MAX_TOKENS


def test_a_process_that_has_the_model_multiplies_on_one_thread() -> None:
    with threadpool_limits(2, user_api="blas"):
        MiniLM()
        threads = [one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"]
    assert threads
    assert set(threads) == {1}


def test_a_word_falls_into_the_longest_pieces_that_are_known() -> None:
    names = ("[UNK]", "[CLS]", "[SEP]", "un", "##able", "##a", "!", "cafe", "京")
    pieces = WordPieces({name: number for number, name in enumerate(names)})

    def of(text: str) -> list[str]:
        return [names[number] for number in pieces.numbers(text, limit=20)[1:-1]]

    assert of("Unable!") == ["un", "##able", "!"]
    assert of("CAFÉ") == ["cafe"]
    assert of("una\u200bble") == ["un", "##able"]
    assert of("unb") == ["[UNK]"]
    assert of("京京") == ["京", "京"]
    assert of("un" * 51) == ["[UNK]"]
    assert len(pieces.numbers("un " * 50, limit=20)) == 20
