"""What is known of passages beforehand, and that the repository's file is of its own articles."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from bench.keep_vectors import FILE, starter_passages
from core.adapters.kept_vectors import KeptVectors, write
from core.runtime.embedder import MODEL, EmbeddingModel


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


async def test_every_passage_of_the_starter_articles_is_known() -> None:
    """Where this fails: `python -m bench.keep_vectors`."""
    other = Counting()
    other.model, other.dimensions = MODEL, 384
    await KeptVectors(other, FILE).embed_passages(starter_passages())
    assert other.asked == []


async def test_what_is_known_is_what_the_model_says() -> None:
    other = Counting()
    other.model, other.dimensions = MODEL, 384
    texts = starter_passages()[::400]
    model = EmbeddingModel()
    for text, kept in zip(texts, await KeptVectors(other, FILE).embed_passages(texts), strict=True):
        said, _ = model.embed(text, is_query=False)
        assert sum(a * b for a, b in zip(kept, said, strict=True)) == pytest.approx(1.0, abs=1e-3)
