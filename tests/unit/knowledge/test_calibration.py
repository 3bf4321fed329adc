"""What the search believes was fitted on the articles and the search that are here."""

from __future__ import annotations

import json
from pathlib import Path

from bench.calibrate_knowledge import fitted_on
from core.services.knowledge import ranking


def test_the_coefficients_that_ship_are_fitted_on_what_is_here() -> None:
    """Where this fails: `python -m bench.calibrate_knowledge --write`, then `make evaluate`."""
    shipped = Path(ranking.__file__).with_name("calibration.json")
    assert json.loads(shipped.read_text())["fitted_on"] == fitted_on()


def test_both_encoders_weigh_what_the_first_alone_weighs_alike() -> None:
    """Versions of one article are compared by the coefficients of both, whoever has read them."""
    shipped = json.loads(Path(ranking.__file__).with_name("calibration.json").read_text())
    alone, both = shipped["hybrid"]["candidate"], shipped["two_views"]["candidate"]
    assert {name: both[name] for name in alone} == alone
