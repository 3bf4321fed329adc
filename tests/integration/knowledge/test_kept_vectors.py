"""What is known of passages beforehand, and that the repository's file is of its own articles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from bench.keep_vectors import FILE, SECOND_FILE, starter_passages, starter_questions
from core.adapters.kept_vectors import KeptSecondVectors, KeptVectors, write
from core.runtime.embedder import MODEL, EmbeddingModel, Model
from core.runtime.minilm import LANGUAGES
from core.runtime.minilm import MODEL as SECOND_MODEL
from core.runtime.minilm.encoder import MiniLM


class Counting:
    """An embedder that notes what it is asked."""

    model = "tiny"
    dimensions = 2

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def embed_query(self, text: str) -> Sequence[float]:
        self.asked.append(text)
        return (1.0, 0.0)

    async def embed_passages(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        self.asked += texts
        return [(0.0, 1.0)] * len(texts)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "passages.vectors"
    write(file, "tiny", {"vpn": (0.6, 0.8), "printer": (0.8, 0.6), "wi-fi": (0.0, -1.0)})
    return file


async def test_only_what_is_not_known_is_asked_for_and_the_order_is_kept(file: Path) -> None:
    other = Counting()
    vectors = await KeptVectors(other, file).embed_passages(["new", "vpn", "new", "wi-fi"])
    assert [tuple(vector) for vector in vectors] == [
        (0.0, 1.0),
        pytest.approx((0.6, 0.8), abs=1e-3),
        (0.0, 1.0),
        (0.0, -1.0),
    ]
    assert other.asked == ["new"]


async def test_questions_are_not_passages(file: Path) -> None:
    other = Counting()
    await KeptVectors(other, file).embed_query("vpn")
    assert other.asked == ["vpn"]


@pytest.mark.parametrize("change", ["another model", "no file"])
async def test_vectors_of_another_model_or_none_are_no_vectors(file: Path, change: str) -> None:
    other = Counting()
    if change == "another model":
        other.model = "large"
    else:
        file.unlink()
    await KeptVectors(other, file).embed_passages(["vpn"])
    assert other.asked == ["vpn"]


class CountingSecond(Counting):
    """A second encoder that notes what it is asked."""

    languages = LANGUAGES
    is_missing = False


async def test_a_second_encoder_stays_what_it_is(file: Path) -> None:
    other = CountingSecond()
    kept = KeptSecondVectors(other, file)
    assert (kept.model, kept.languages, kept.is_missing) == ("tiny", LANGUAGES, False)
    other.is_missing = True
    assert kept.is_missing
    await kept.embed_passages(["vpn", "new"])
    assert other.asked == ["new"]


@pytest.mark.parametrize(
    ("file", "model", "passages"),
    [
        (FILE, MODEL, starter_passages()),
        (SECOND_FILE, SECOND_MODEL, starter_questions()),
    ],
    ids=["first encoder", "second encoder"],
)
async def test_every_passage_of_the_starter_articles_is_known(
    file: Path, model: str, passages: Sequence[str]
) -> None:
    """Where this fails: `python -m bench.keep_vectors`."""
    other = Counting()
    other.model, other.dimensions = model, 384
    await KeptVectors(other, file).embed_passages(passages)
    assert other.asked == []


@pytest.mark.parametrize(
    ("file", "name", "made", "passages"),
    [
        (FILE, MODEL, EmbeddingModel, starter_passages()[::400]),
        (SECOND_FILE, SECOND_MODEL, MiniLM, starter_questions()[::100]),
    ],
    ids=["first encoder", "second encoder"],
)
async def test_what_is_known_is_what_the_model_says(
    file: Path, name: str, made: Callable[[], Model], passages: Sequence[str]
) -> None:
    other = Counting()
    other.model, other.dimensions = name, 384
    model = made()
    for text, kept in zip(
        passages, await KeptVectors(other, file).embed_passages(passages), strict=True
    ):
        said, _ = model.embed(text, is_query=False)
        assert sum(a * b for a, b in zip(kept, said, strict=True)) == pytest.approx(1.0, abs=1e-3)
