"""Knows how often each word, or piece of a word, is in a message."""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from typing import Any

import numpy as np
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.nlu.featurizers.sparse_featurizer.count_vectors_featurizer import CountVectorsFeaturizer
from rasa.shared.nlu.constants import TEXT
from scipy.sparse import csr_matrix

Rows = list["csr_matrix | None"]


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=True)
class SentenceCounts(CountVectorsFeaturizer):
    """Rasa's counts of whole messages, without those of each word by itself.

    These take Rasa's own featurizer most of its time, for sequences that nothing here reads.
    """

    @cached_property
    def _terms(self) -> Any:
        # What scikit-learn would make anew for every text.
        return self.vectorizers[TEXT].build_analyzer()

    def _create_features(self, attribute: str, all_tokens: list[list[str]]) -> tuple[Rows, Rows]:
        """Return no features of words, and of each text its counts, a matrix of one row."""
        nothing: Rows = [None] * len(all_tokens)
        vocabulary = self._get_attribute_vocabulary(attribute)
        if attribute != TEXT or vocabulary is None:
            return nothing, nothing
        return nothing, [
            self._counted(" ".join(tokens), vocabulary) if tokens else None for tokens in all_tokens
        ]

    def _counted(self, text: str, vocabulary: dict[str, int]) -> csr_matrix:
        """Return how often each term of `vocabulary` is in `text`, in its column."""
        counts = Counter(vocabulary[term] for term in self._terms(text) if term in vocabulary)
        columns = sorted(counts)
        times = np.array([counts[column] for column in columns], dtype=np.int64)
        return csr_matrix((times, columns, [0, len(columns)]), shape=(1, len(vocabulary)))
