"""What entries of a ticket's history say of the fields that conditions look at."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.automation.fields import Field, custom_key
from core.domain.automation.matching import Changed, Fact
from core.domain.classification import FieldKind, FieldSpec
from core.storage.once import once
from core.storage.queries.classification.categories import category_tree
from core.storage.queries.teams.routing import category_parents, category_path

Parents = Mapping[UUID, UUID | None]
"""Of each category the one above it."""

_FORM = "field:"
"""How the history calls a change of a form's field; its label follows."""

_FIELDS: Mapping[str, Field] = MappingProxyType(
    {
        "status": Field.STATUS,
        "priority": Field.PRIORITY,
        "kind": Field.TYPE,
        "impact": Field.IMPACT,
        "urgency": Field.URGENCY,
        "team": Field.TEAM,
        "level": Field.LEVEL,
        "assignee": Field.ASSIGNEE,
        "category": Field.CATEGORY,
        "tags": Field.TAGS,
        "satisfaction": Field.SCORE,
    }
)


def is_of_form(name: str) -> bool:
    """Say whether an entry of that name is about a field of a category's form."""
    return name.startswith(_FORM)


def changed_in(
    name: str,
    old: str | None,
    new: str | None,
    *,
    parents: Parents,
    specs: Mapping[str, FieldSpec],
) -> Changed | None:
    """Return what an entry says that conditions can look at; `specs` are by label."""
    if is_of_form(name):
        spec = specs.get(name.removeprefix(_FORM))
        if spec is None:
            return None
        return Changed(key=custom_key(spec.key), old=_read(spec, old), new=_read(spec, new))
    field = _FIELDS.get(name)
    if field is None:
        return None
    return Changed(
        key=field,
        old=_fact(field, old, parents),
        new=_fact(field, new, parents),
    )


def custom_fact(value: Any) -> Fact:
    """Return what is known of a form's field, from how the ticket keeps it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return float(value) if isinstance(value, int | float) else value


def category_fact(category: UUID | None, parents: Parents) -> Fact:
    """Return what is known of a category: its id and the ids of those above it."""
    if category is None:
        return None
    return frozenset(str(one) for one in category_path(parents, category))


async def parents_of_categories(session: AsyncSession) -> Parents:
    """Return of each category the one above it, read once in a transaction."""
    return await once(session, "category parents", lambda: category_parents(session))


async def specs_by_label(session: AsyncSession, category: UUID | None) -> Mapping[str, FieldSpec]:
    """Return what the form of a category asks for, by label; read once in a transaction."""
    tree = await once(session, "category tree", lambda: category_tree(session))
    return {spec.label: spec for spec in tree.fields_of(category)}


def _fact(field: Field, words: str | None, parents: Parents) -> Fact:
    if field is Field.TAGS:
        return frozenset(filter(None, (words or "").split(", ")))
    if words is None:
        return None
    if field is Field.CATEGORY:
        return category_fact(UUID(words), parents)
    return float(words) if field in {Field.LEVEL, Field.SCORE} else words


def _read(spec: FieldSpec, words: str | None) -> Fact:
    """Return what the history says of a field, which may have been of another kind then."""
    if words is None or spec.kind not in {FieldKind.NUMBER, FieldKind.YES_NO}:
        return words
    try:
        found = json.loads(words)
    except ValueError:
        return words
    return custom_fact(found) if isinstance(found, int | float) else words
