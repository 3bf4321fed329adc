"""Moments are told by the reader's clock, whatever their browser calls it."""

from __future__ import annotations

import pytest

from console.times import zone


def test_a_zone_is_known_by_its_name() -> None:
    assert zone("America/Lima").key == "America/Lima"


@pytest.mark.parametrize(
    "name",
    [None, "", "Etc/Unknown", "%00", "America", "../../etc/passwd", "tzdata.zi", "a" * 5_000],
)
def test_a_name_of_no_zone_means_utc(name: str | None) -> None:
    assert zone(name).key == "UTC"
