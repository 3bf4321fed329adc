"""Writes the vectors of the starter articles' passages, which a new desk need not work out.

    python -m bench.keep_vectors

To be run after a change of the articles, of how they are taken apart, or of a model.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from core.adapters.kept_vectors import write
from core.domain.knowledge import Article
from core.runtime.embedder import MODEL, EmbeddingModel
from core.runtime.minilm import LANGUAGES
from core.runtime.minilm import MODEL as SECOND_MODEL
from core.runtime.minilm.encoder import MiniLM
from core.services.knowledge.articles import checked
from core.services.knowledge.indexing import passages_of
from core.services.knowledge.sources import entries

STARTER = Path(__file__).parent.parent / "nlu_data" / "knowledge"
FILE = STARTER / "passages.vectors"
SECOND_FILE = STARTER / "questions.vectors"


def starter_passages() -> Sequence[str]:
    """Return the texts of all passages of the starter articles, each once."""
    return list(dict.fromkeys(text for _, _, text in _passages()))


def starter_questions() -> Sequence[str]:
    """Return the texts that the second encoder reads: titles and questions in its languages."""
    return list(
        dict.fromkeys(
            text
            for article, kind, text in _passages()
            if kind != "body" and article.language in LANGUAGES
        )
    )


def _passages() -> Iterator[tuple[Article, str, str]]:
    """Yield article, kind and text of each."""
    for entry in entries(STARTER):
        if entry.article is not None:
            article = checked(entry.article)
            yield from ((article, kind, text) for kind, text in passages_of(article))


def main() -> None:
    """Embed them, and write the files."""
    first, second = EmbeddingModel(threads=2), MiniLM()
    passages = {text: first.embed(text, is_query=False)[0] for text in starter_passages()}
    write(FILE, MODEL, passages)
    questions = {text: second.embed(text, is_query=False)[0] for text in starter_questions()}
    write(SECOND_FILE, SECOND_MODEL, questions)
    print(f"{len(passages)} vectors in {FILE}, {len(questions)} in {SECOND_FILE}")


if __name__ == "__main__":
    main()
