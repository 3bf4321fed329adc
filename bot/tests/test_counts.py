"""Counts of a message are those of Rasa's own featurizer, without those of its words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rasa.engine.graph import ExecutionContext, GraphSchema
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.nlu.constants import TOKENS_NAMES
from rasa.nlu.featurizers.sparse_featurizer.count_vectors_featurizer import CountVectorsFeaturizer
from rasa.nlu.tokenizers.whitespace_tokenizer import WhitespaceTokenizer
from rasa.shared.nlu.constants import (
    FEATURE_TYPE_SENTENCE,
    FEATURE_TYPE_SEQUENCE,
    INTENT,
    TEXT,
)
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from components.counts import SentenceCounts

LEARNED = ["my VPN is slow", "Mi contraseña no funciona", "the printer, the printer!", "vpn 4711"]
ASKED = [*LEARNED, "la impresora", "contrasena vpn vpn 12", "жж", "!!!"]
OPTIONS = [
    {"strip_accents": "unicode", "min_ngram": 1, "max_ngram": 2},
    {
        "analyzer": "char_wb",
        "strip_accents": "unicode",
        "min_ngram": 2,
        "max_ngram": 4,
        "min_df": 2,
    },
]


def tokenized(text: str) -> Message:
    message = Message({TEXT: text, INTENT: "ask_question"})
    tokenizer = WhitespaceTokenizer(WhitespaceTokenizer.get_default_config())
    message.set(TOKENS_NAMES[TEXT], tokenizer.tokenize(message, TEXT))
    return message


def made_by(kind: type[CountVectorsFeaturizer], options: dict[str, Any], folder: Path) -> Any:
    """Return a featurizer of `kind` that has learned, loaded as a model is."""
    config = {**kind.get_default_config(), "strip_accents": "unicode", **options}
    folder.mkdir()
    where = (
        LocalModelStorage.create(folder),
        Resource("counts"),
        ExecutionContext(GraphSchema({}), node_name="counts"),
    )
    kind.create(config, *where).train(TrainingData([tokenized(text) for text in LEARNED]))
    return kind.load(config, *where)


@pytest.mark.parametrize("options", OPTIONS, ids=["words", "pieces"])
def test_the_counts_of_a_message_are_those_of_rasa(options: dict[str, Any], tmp_path: Path) -> None:
    ours = made_by(SentenceCounts, options, tmp_path / "ours")
    theirs = made_by(CountVectorsFeaturizer, options, tmp_path / "theirs")
    counted = 0
    for text in ASKED:
        (one,), (other,) = ours.process([tokenized(text)]), theirs.process([tokenized(text)])
        found, expected = (
            [f.features.toarray() for f in m.features if f.type == FEATURE_TYPE_SENTENCE]
            for m in (one, other)
        )
        np.testing.assert_array_equal(found, expected)
        counted += int(np.sum(found))
        assert not any(f.type == FEATURE_TYPE_SEQUENCE for f in one.features)
    assert counted > 10
