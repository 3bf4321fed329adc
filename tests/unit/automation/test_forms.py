"""Conditions and actions are read again as they were kept."""

from __future__ import annotations

from uuid import UUID

import pytest

from core.domain.automation.conditions import Condition, Conditions
from core.domain.automation.fields import Comparison, Field
from core.domain.errors import InvalidInput
from core.services.automation.forms import conditions_from_json, conditions_json


def test_a_condition_about_a_field_of_a_form_names_it() -> None:
    conditions = Conditions(
        every=(
            Condition(
                field=Field.CUSTOM, custom=UUID(int=3), comparison=Comparison.CHANGED_TO, value="x"
            ),
        )
    )
    kept = conditions_json(conditions)
    assert kept["every"][0]["field"] == f"field:{UUID(int=3)}"
    assert conditions_from_json(kept) == conditions


@pytest.mark.parametrize("field", ["field", "field:3", "status:x", "mood", "fields:"])
def test_a_field_that_is_none_is_refused(field: str) -> None:
    with pytest.raises(InvalidInput, match="not understood"):
        conditions_from_json({"every": [{"field": field, "comparison": "filled"}]})
