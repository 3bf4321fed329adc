"""Conditions on custom fields in the address of a list of tickets: `field.KEY=…`."""

from __future__ import annotations

from typing import Any

from starlette.datastructures import QueryParams

from core.domain.automation.conditions import Condition
from core.domain.automation.fields import WITHOUT_VALUE, Comparison
from core.domain.errors import InvalidInput
from core.domain.views import LIST_COMPARISONS, MOST_FIELDS, custom_condition

_PREFIX = "field."
_OPPOSITE = {Comparison.EMPTY: Comparison.FILLED, Comparison.FILLED: Comparison.EMPTY}
_ID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_COMPARED = "|".join(one for one in LIST_COMPARISONS if one != Comparison.IS)

PARAMETERS: dict[str, Any] = {
    "parameters": [
        {
            "name": "fields",
            "in": "query",
            "style": "form",
            "explode": True,
            "description": (
                "Conditions on custom fields, by their ids: `field.KEY=…` of what it is to be,"
                " `field.KEY.more=…` and so on of other comparisons. `more` is at least;"
                " `empty` and `filled` take `true` or `false`. All have to hold; of what is named"
                " several times, one."
            ),
            "schema": {
                "type": "object",
                "patternProperties": {
                    rf"^field\.{_ID}(\.({_COMPARED}))?$": {
                        "type": "array",
                        "items": {"type": "string"},
                    }
                },
                "additionalProperties": False,
            },
        }
    ]
}
"""What the description of the API says of them: their names cannot be listed."""


def fields_in(asked: QueryParams) -> tuple[Condition, ...]:
    """Return the conditions on custom fields that an address names.

    Raises:
        InvalidInput: one is none, or there are too many.
    """
    names = [name for name in asked if name.startswith(_PREFIX)]
    if len(names) > MOST_FIELDS:
        raise InvalidInput(f"a list has {MOST_FIELDS} conditions on fields at most")
    return tuple(_condition(name, asked.getlist(name)) for name in names)


def _condition(name: str, values: list[str]) -> Condition:
    field, _, compared = name.removeprefix(_PREFIX).partition(".")
    compared = compared or Comparison.IS
    if compared in WITHOUT_VALUE:
        if values not in (["true"], ["false"]):
            raise InvalidInput(f"{name} is true or false"[:200])
        if values == ["false"]:
            compared = _OPPOSITE[Comparison(compared)]
        values = []
    return custom_condition(field, compared, " | ".join(values))
