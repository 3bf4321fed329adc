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
