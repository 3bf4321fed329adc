"""Writes the vectors of the starter articles' passages, which a new desk need not work out.

    python -m bench.keep_vectors

To be run after a change of the articles, of how they are taken apart, or of the model.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from core.adapters.kept_vectors import write
from core.runtime.embedder import MODEL, EmbeddingModel
from core.services.knowledge.articles import checked
from core.services.knowledge.indexing import passages_of
from core.services.knowledge.sources import entries

STARTER = Path(__file__).parent.parent / "nlu_data" / "knowledge"
FILE = STARTER / "passages.vectors"


def starter_passages() -> Sequence[str]:
    """Return the texts of all passages of the starter articles, each once."""
    found = [
        text
        for entry in entries(STARTER)
        if entry.article is not None
        for _, text in passages_of(checked(entry.article))
    ]
    return list(dict.fromkeys(found))


def main() -> None:
    """Embed them, and write the file."""
    model = EmbeddingModel(threads=2)
    vectors = {text: model.embed(text, is_query=False)[0] for text in starter_passages()}
    write(FILE, MODEL, vectors)
    print(f"{len(vectors)} vectors in {FILE}")


if __name__ == "__main__":
    main()
