"""Names as people and directories write them, and what each is called by."""

from __future__ import annotations

import pytest

from core.domain.first_names import first_name


@pytest.mark.parametrize(
    ("name", "called"),
    [
        ("Carmen Ibáñez", "Carmen"),
        ("Dr. Pablo Seco", "Pablo"),
        ("Sra. Dra. Ana María Gil", "Ana"),
        ("Prof. Ada Lovelace", "Ada"),
        ("Ibáñez Soler, Carmen", "Carmen"),
        ("Dr. Seco", "Dr. Seco"),
        ("Ada", "Ada"),
        ("Ada,", "Ada"),
        ("  ", ""),
        ("Dr.", "Dr."),
    ],
)
def test_a_person_is_called_by_the_first_name_without_titles(name: str, called: str) -> None:
    assert first_name(name) == called
