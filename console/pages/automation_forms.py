"""How a rule's or macro's form is read: rows of fields, and names where ids are kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import FormData

from console.pages.session import text_field
from core.domain.automation.actions import NOBODY, Action, ActionKind
from core.domain.automation.conditions import MAX_CONDITIONS, Condition, Field
from core.domain.errors import InvalidInput
from core.services.automation.forms import actions_from_json, conditions_from_json
from core.storage.tables import AgentRow, Category, Organisation, Team, Webhook

_BY_NAME: Mapping[str, str] = {
    Field.TEAM: "team",
    Field.ASSIGNEE: "agent",
    Field.CATEGORY: "category",
    Field.ORGANISATION: "organisation",
    ActionKind.SET_TEAM: "team",
    ActionKind.ASSIGN: "agent",
    ActionKind.SET_CATEGORY: "category",
    ActionKind.WEBHOOK: "webhook",
}
MOST_ROWS = MAX_CONDITIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What teams, agents and the like are called, by kind and id."""

    of: Mapping[str, Mapping[str, str]]

    def shown(self, field: str, value: str) -> str:
        """Return a stored value as it is shown: names for ids."""
        known = self.of.get(_BY_NAME.get(field, ""), {})
        return " | ".join(known.get(part, part) for part in _parts(value)) if known else value

    def kept(self, field: str, value: str) -> str:
        """Return a shown value as it is kept: ids for names.

        Raises:
            InvalidInput: nothing is called that.
        """
        kind = _BY_NAME.get(field)
        if kind is None:
            return value
        known = list(self.of.get(kind, {}).items())
        ids = {name.casefold(): key for key, name in known}
        counts = Counter(name.casefold() for _, name in known)
        found = []
        for part in _parts(value):
            if counts[part.casefold()] > 1:
                raise InvalidInput(f"several are called “{part[:60]}”: rename one")
            key = NOBODY if part.casefold() == NOBODY else ids.get(part.casefold(), part)
            if key not in self.of.get(kind, {}) and key != NOBODY:
                raise InvalidInput(f"nothing here is called “{part[:60]}”")
            found.append(key)
        return " | ".join(found)

    @property
    def all(self) -> Sequence[str]:
        """Return every name, for completion."""
        return sorted({name for names in self.of.values() for name in names.values()})


async def load_names(session: AsyncSession) -> Names:
    """Read what can be named in rules and macros."""
    rows = {
        "team": select(Team.id, Team.name).where(Team.archived_at.is_(None)),
        "agent": select(AgentRow.id, AgentRow.name).where(AgentRow.disabled_at.is_(None)),
        "category": select(Category.id, Category.name).where(Category.archived_at.is_(None)),
        "organisation": select(Organisation.id, Organisation.name),
        "webhook": select(Webhook.id, Webhook.name),
    }
    return Names(
        of={
            kind: {str(key): name for key, name in await session.execute(query)}
            for kind, query in rows.items()
        }
    )


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
        {"kind": action.kind, "value": names.shown(action.kind, action.value)} for action in actions
    ]


def shown_conditions(conditions: Sequence[Condition], names: Names) -> list[dict[str, str]]:
    """Return conditions with names for ids, to be shown in a form."""
    return [
        {
            "field": one.field,
            "comparison": one.comparison,
            "value": names.shown(one.field, one.value),
        }
        for one in conditions
    ]


def optional_id(words: str) -> UUID | None:
    """Return the id that a form's field names; none where it is empty."""
    try:
        return UUID(words) if words else None
    except ValueError:
        raise InvalidInput(f"“{words[:60]}” names nothing here") from None


def _parts(value: str) -> list[str]:
    return [part.strip() for part in value.split("|") if part.strip()]
