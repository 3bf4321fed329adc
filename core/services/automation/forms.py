"""How rules' conditions and actions are kept in JSON, and read again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.automation.actions import IN_WORDS, Action, action_named
from core.domain.automation.conditions import Condition, Conditions
from core.domain.automation.fields import Comparison, field_named
from core.domain.automation.rule import Rule, Trigger
from core.domain.errors import InvalidInput
from core.services.automation.templates import check_template
from core.storage.tables import AutomationRule, Team


def conditions_json(conditions: Conditions) -> dict[str, Any]:
    """Return `conditions` as they are kept."""
    return {"every": _listed(conditions.every), "some": _listed(conditions.some)}


def conditions_from_json(stored: Mapping[str, Any]) -> Conditions:
    """Return what `conditions_json` made, or an admin sent.

    Raises:
        InvalidInput: it is not of that form.
    """
    return Conditions(every=_conditions(stored.get("every")), some=_conditions(stored.get("some")))


def actions_json(actions: Sequence[Action]) -> list[dict[str, str]]:
    """Return `actions` as they are kept."""
    return [{"kind": action.key, "value": action.value} for action in actions]


def actions_from_json(stored: Any) -> tuple[Action, ...]:
    """Return what `actions_json` made, or an admin sent.

    Raises:
        InvalidInput: it is not of that form, or a template in it is wrong.
    """
    found = []
    for item in _items(stored):
        try:
            kind, custom = action_named(str(item["kind"]))
            action = Action(kind=kind, custom=custom, value=str(item.get("value", "")))
        except (KeyError, ValueError) as error:
            raise InvalidInput(f"an action is not understood: {error}") from None
        if action.kind in IN_WORDS:
            check_template(action.value)
        found.append(action)
    return tuple(found)


def rule_of(row: AutomationRule) -> Rule:
    """Return the rule that `row` keeps."""
    return Rule(
        name=row.name,
        trigger=Trigger(row.trigger),
        conditions=conditions_from_json(row.conditions),
        actions=actions_from_json(row.actions),
        is_on=row.is_on,
        stops=row.stops,
    )


async def check_team(session: AsyncSession, team: UUID | None) -> None:
    """Raise `InvalidInput` where a form names a team that is not there."""
    if team is not None and await session.get(Team, team) is None:
        raise InvalidInput("there is no such team")


def _listed(conditions: Sequence[Condition]) -> list[dict[str, str]]:
    return [{"field": c.key, "comparison": c.comparison, "value": c.value} for c in conditions]


def _conditions(stored: Any) -> tuple[Condition, ...]:
    found = []
    for item in _items(stored):
        try:
            field, custom = field_named(str(item["field"]))
            found.append(
                Condition(
                    field=field,
                    custom=custom,
                    comparison=Comparison(item["comparison"]),
                    value=str(item.get("value", "")),
                )
            )
        except (KeyError, ValueError) as error:
            raise InvalidInput(f"a condition is not understood: {error}") from None
    return tuple(found)


def _items(stored: Any) -> Sequence[Mapping[str, Any]]:
    if stored is None:
        return ()
    if not isinstance(stored, list) or not all(isinstance(item, Mapping) for item in stored):
        raise InvalidInput("a list of conditions or actions is expected")
    return stored
