"""How a rule's or macro's form is read: rows of fields, and names where ids are kept."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from starlette.datastructures import FormData

from console.pages.automation.names import Names
from console.pages.session import text_field
from core.domain.automation.actions import Action
from core.domain.automation.conditions import MAX_CONDITIONS, Condition
from core.domain.errors import WrongName
from core.services.automation.forms import actions_from_json, conditions_from_json

MOST_ROWS = MAX_CONDITIONS


def conditions_in(form: FormData, prefix: str, names: Names) -> tuple[Condition, ...]:
    """Return the conditions of a form's rows; rows without a field are left out."""
    rows = []
    for number in range(MOST_ROWS):
        field = text_field(form, f"{prefix}-field-{number}")
        if field:
            rows.append(
                {
                    "field": field,
                    "comparison": text_field(form, f"{prefix}-comparison-{number}"),
                    "value": names.kept(field, text_field(form, f"{prefix}-value-{number}")),
                }
            )
    return conditions_from_json({"every": rows}).every


def actions_in(form: FormData, names: Names) -> tuple[Action, ...]:
    """Return the actions of a form's rows; rows without a kind are left out."""
    rows = []
    for number in range(MOST_ROWS):
        kind = text_field(form, f"action-kind-{number}")
        if kind:
            value = text_field(form, f"action-value-{number}")
            rows.append({"kind": kind, "value": names.kept(kind, value)})
    return actions_from_json(rows)


def shown_actions(actions: Sequence[Action], names: Names) -> list[Action | dict[str, str]]:
    """Return actions with names for ids, to be shown in a form."""
    return [
        {"kind": action.key, "value": names.shown(action.key, action.value)} for action in actions
    ]


def shown_conditions(conditions: Sequence[Condition], names: Names) -> list[dict[str, str]]:
    """Return conditions with names for ids, to be shown in a form."""
    return [
        {
            "field": one.key,
            "comparison": one.comparison,
            "value": names.shown(one.key, one.value),
        }
        for one in conditions
    ]


def typed_rows(form: FormData, *columns: str) -> list[dict[str, str]]:
    """Return a form's rows as they were typed, by the ends of the columns' names."""
    keys = [column.rpartition("-")[2] for column in columns]
    rows = []
    for number in range(MOST_ROWS):
        values = [text_field(form, f"{column}-{number}") for column in columns]
        if values[0]:
            rows.append(dict(zip(keys, values, strict=True)))
    return rows


def optional_id(words: str) -> UUID | None:
    """Return the id that a form's field names; none where it is empty."""
    try:
        return UUID(words) if words else None
    except ValueError:
        raise WrongName("“{name}” names nothing here", words) from None
