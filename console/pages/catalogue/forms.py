"""How the settings' forms of the catalogue are read: numbered rows of fields and of tasks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from uuid import UUID

from starlette.datastructures import FormData

from console.pages.session import text_field
from console.words.classification import FIELD_KIND
from core.domain.catalogue import Occasion
from core.domain.classification import FieldKind
from core.domain.errors import InvalidInput
from core.domain.ids import AgentId, ApprovalRoleId, CategoryId, FormFieldId, TeamId
from core.domain.languages import LANGUAGES
from core.services.catalogue.items import ItemDraft, ItemField, TaskDraft
from core.services.catalogue.roles import RoleDraft
from core.services.classification.fields import FieldDraft
from core.storage.queries.catalogue.items import ItemView

_ROW = re.compile(r"(field|task):(\d{1,3}):")
_SEPARATORS = re.compile(r"[\s,;]+")


def item_in(form: FormData) -> ItemDraft:
    """Return the item that the editor sent.

    Raises:
        InvalidInput: a row names what cannot be.
    """
    category, team, role = (_id(form, name) for name in ("category", "team", "role"))
    return ItemDraft(
        name=text_field(form, "name"),
        names=_by_language(form, "name"),
        description=text_field(form, "description"),
        descriptions=_by_language(form, "description"),
        words=_by_language(form, "words"),
        icon=text_field(form, "icon"),
        category=None if category is None else CategoryId(category),
        team=None if team is None else TeamId(team),
        role=None if role is None else ApprovalRoleId(role),
        fields=[_field(form, f"field:{row}") for row in _rows(form, "field", "label")],
        tasks=[_task(form, f"task:{row}") for row in _rows(form, "task", "title")],
        answers={one: _by_language(form, f"answer:{one}") for one in Occasion},
    )


def draft_of(item: ItemView | None) -> ItemDraft:
    """Return an item as the editor shows it; an empty one for None."""
    if item is None:
        return ItemDraft(name="")
    return ItemDraft(
        name=item.name,
        names=item.names,
        description=item.description,
        descriptions=item.descriptions,
        words=item.words,
        icon=item.icon,
        category=None if item.category is None else CategoryId(item.category.id),
        team=None if item.team is None else TeamId(item.team.id),
        role=None if item.role is None else ApprovalRoleId(item.role.id),
        fields=[
            ItemField(
                id=spec.id,
                draft=FieldDraft(
                    label=spec.label,
                    labels=spec.labels,
                    kind=spec.kind,
                    choices=spec.choices,
                    choice_labels=spec.choice_labels,
                    is_required=spec.is_required,
                ),
            )
            for spec in item.fields
        ],
        tasks=[
            TaskDraft(
                title=task.title,
                team=None if task.team is None else TeamId(task.team.id),
                agent=None if task.agent is None else AgentId(task.agent.id),
            )
            for task in item.tasks
        ],
        answers={one: item.answers.get(one, {}) for one in Occasion},
    )


def role_in(form: FormData) -> RoleDraft:
    """Return the approval role that a form describes."""
    try:
        agents = [AgentId(UUID(str(one))) for one in form.getlist("agent")]
    except ValueError:
        raise InvalidInput("there is no such agent") from None
    emails = filter(None, _SEPARATORS.split(text_field(form, "emails")))
    return RoleDraft(name=text_field(form, "name"), agents=agents, emails=list(emails))


def _rows(form: FormData, kind: str, named_by: str) -> Iterator[int]:
    """Yield the numbers of the rows that are filled in and to be kept, in the order they ask for.

    A row that says no place of its own stays where it stands.
    """
    found = {int(row[2]) for name in form if (row := _ROW.match(name)) and row[1] == kind}
    kept = [
        row
        for row in found
        if text_field(form, f"{kind}:{row}:{named_by}").strip()
        and not text_field(form, f"{kind}:{row}:gone")
    ]
    yield from sorted(kept, key=lambda row: (_place(form, f"{kind}:{row}:place", row), row))


def _place(form: FormData, name: str, row: int) -> float:
    words = text_field(form, name).strip()
    return float(words) if words.isascii() and words.isdigit() and len(words) < 5 else row + 1


def _field(form: FormData, row: str) -> ItemField:
    name = _id(form, f"{row}:id")
    kind = text_field(form, f"{row}:kind") or FieldKind.TEXT
    if kind not in FIELD_KIND:
        raise InvalidInput("there is no such kind of field")
    return ItemField(
        id=None if name is None else FormFieldId(name),
        draft=FieldDraft(
            label=text_field(form, f"{row}:label"),
            labels=_by_language(form, f"{row}:label"),
            kind=FieldKind(kind),
            choices=text_field(form, f"{row}:choices").splitlines(),
            choice_labels={
                code: words.splitlines()
                for code, words in _by_language(form, f"{row}:choices").items()
            },
            is_required=text_field(form, f"{row}:required") == "yes",
        ),
    )


def _task(form: FormData, row: str) -> TaskDraft:
    kind, _, name = text_field(form, f"{row}:who").partition(":")
    try:
        who = UUID(name) if name else None
    except ValueError:
        raise InvalidInput("there is nothing of this id") from None
    return TaskDraft(
        title=text_field(form, f"{row}:title"),
        team=TeamId(who) if who is not None and kind == "team" else None,
        agent=AgentId(who) if who is not None and kind == "agent" else None,
    )


def _by_language(form: FormData, name: str) -> dict[str, str]:
    return {code: words for code in LANGUAGES if (words := text_field(form, f"{name}:{code}"))}


def _id(form: FormData, name: str) -> UUID | None:
    words = text_field(form, name)
    try:
        return UUID(words) if words else None
    except ValueError:
        raise InvalidInput("there is nothing of this id") from None
