"""What was filled in is told in the reader's language."""

from __future__ import annotations

from typing import Any

import pytest

from core.domain.classification import FieldKind, FieldSpec
from core.domain.ids import FormFieldId, new_id
from core.services.catalogue.telling import in_words


@pytest.mark.parametrize(
    ("kind", "value", "language", "words"),
    [
        (FieldKind.DATE, "2030-01-31", "en", "31 Jan 2030"),
        (FieldKind.DATE, "2030-01-31", "es", "31 ene 2030"),
        (FieldKind.DATE, "2030-01-31", None, "31 Jan 2030"),
        (FieldKind.YES_NO, True, "es", "Sí"),
        (FieldKind.TEXT, "two\nlines", "es", "two lines"),
    ],
)
def test_a_value_is_called_what_its_reader_calls_it(
    kind: FieldKind, value: Any, language: str | None, words: str
) -> None:
    field = FieldSpec(id=FormFieldId(new_id()), owner=new_id(), label="Field", labels={}, kind=kind)
    assert in_words(field, value, language) == words
