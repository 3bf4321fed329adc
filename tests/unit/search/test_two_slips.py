"""Long words two slips apart."""

from __future__ import annotations

import pytest

from core.services.search.two_slips import meant_twice_slipped

KNOWN = {"impresora": 40, "impresoras": 7, "impresion": 9, "impostora": 2, "instalar": 5}


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("inpressora", ["impresora"]),  # one letter for another, one doubled
        ("imrpeosra", ["impresora"]),  # exchanged twice
        ("imprsra", ["impresora"]),  # two left out
        ("impressoraa", ["impresora", "impresoras"]),  # as near; the one used more comes first
        ("impresorax", ["impresora", "impresoras"]),  # one slip
        ("impersonal", []),
    ],
)
def test_the_nearest_words_are_meant(typed: str, meant: list[str]) -> None:
    assert meant_twice_slipped(typed, KNOWN, 4) == meant


def test_no_more_than_so_many_are_meant() -> None:
    known = {f"impresor{letter}": 1 for letter in "bcdefgh"}
    assert meant_twice_slipped("impresoxy", known, 4) == [f"impresor{one}" for one in "bcde"]
