"""The tree of categories as leads and admins keep it, and the fields that each asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.actor import Agent
from core.domain.audited import Deed
from core.domain.classification import FieldKind, check_place, checked_name
from core.domain.errors import Conflict, InvalidInput, NotFound
from core.domain.ids import CategoryId, FormFieldId, TeamId, new_id
from core.services.audit import record
from core.services.classification.fields import (
    MOST_FIELDS,
    FieldDraft,
    checked_names,
    fill_field,
    said_field,
)
from core.services.revisions import revise
from core.storage.engine import Sessions, storage_errors
from core.storage.tables import Category, FormField, Team

_LOCK_TREE = text("SELECT pg_advisory_xact_lock(0x63617465)")  # "cate"
# Two moves at once could each be right and together make a circle.


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryDraft:
    """A category as somebody wants it."""

    name: str
    names: Mapping[str, str] = field(default_factory=dict)  # by language
    parent: CategoryId | None = None
    team: TeamId | None = None


class Categories:
    """Changes of the tree; each is in the audit log."""

    def __init__(
        self, sessions: Sessions, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._sessions = sessions
        self._now = now

    async def add(self, draft: CategoryDraft, by: Agent) -> CategoryId:
        """Add a category.

        Raises:
            InvalidInput: it has no name, stands too deep, or names what is not there.
            Conflict: there is one of this name at this place.
        """
        async with storage_errors(), self._sessions.begin() as session:
            await session.execute(_LOCK_TREE)
            row = Category(id=new_id(), revision=1)
            await _fill(session, row, draft, None)
            session.add(row)
            record(session, by.actor, "category.added", _subject(row), new=_said(row))
            return CategoryId(row.id)

    async def change(
        self, category: CategoryId, draft: CategoryDraft, by: Agent, *, revision: int | None = None
    ) -> None:
        """Rename or move a category, or give it another team.

        Raises:
            NotFound: there is none.
            Outdated: it is not at `revision` any more.
            InvalidInput: it would stand below itself or too deep, or names what is not there.
            Conflict: there is another of this name at this place.
        """
        async with storage_errors(), self._sessions.begin() as session:
            await session.execute(_LOCK_TREE)
            row = await _locked(session, category)
            revise(row, revision)
            old = _said(row)
            await _fill(session, row, draft, category)
            record(session, by.actor, "category.changed", _subject(row), old=old, new=_said(row))

    async def set_archived(
        self, category: CategoryId, by: Agent, *, archived: bool, revision: int | None = None
    ) -> None:
        """Take a category, and what stands below it, out of choices, or put it back.

        Tickets that have it keep it.

        Raises:
            NotFound: there is none.
            Outdated: it is not at `revision` any more.
        """
        async with storage_errors(), self._sessions.begin() as session:
            row = await _locked(session, category)
            revise(row, revision)
            row.archived_at = self._now() if archived else None
            action: Deed = "category.archived" if archived else "category.restored"
            record(session, by.actor, action, _subject(row))

    async def add_field(self, category: CategoryId, draft: FieldDraft, by: Agent) -> FormFieldId:
        """Ask for one thing more about a category's tickets.

        Raises:
            NotFound: there is no such category.
            InvalidInput: the field has no label, a choice without choices, or is one too many.
        """
        async with storage_errors(), self._sessions.begin() as session:
            row = await _locked(session, category)
            count, last = (
                await session.execute(
                    select(func.count(), func.coalesce(func.max(FormField.position), 0)).where(
                        FormField.category_id == category, FormField.archived_at.is_(None)
                    )
                )
            ).one()
            if count >= MOST_FIELDS:
                raise InvalidInput("a category has 30 fields at most")
            revise(row, None)
            added = FormField(id=new_id(), category_id=category, position=last + 1)
            fill_field(added, draft, draft.kind)
            session.add(added)
            record(session, by.actor, "category.field_added", _subject(row), new=said_field(added))
            return FormFieldId(added.id)

    async def change_field(
        self, name: FormFieldId, draft: FieldDraft, by: Agent, *, revision: int | None = None
    ) -> None:
        """Rename a field, or change its choices or whether it is required; its kind stays.

        Raises:
            NotFound: there is none.
            Outdated: its category is not of revision `revision` any more.
            InvalidInput: the field has no label, or a choice without choices.
        """
        async with storage_errors(), self._sessions.begin() as session:
            row, asked = await _field(session, name)
            revise(row, revision)
            old = said_field(asked)
            fill_field(asked, draft, FieldKind(asked.kind))
            record(
                session,
                by.actor,
                "category.field_changed",
                _subject(row),
                old=old,
                new=said_field(asked),
            )

    async def archive_field(self, name: FormFieldId, by: Agent) -> None:
        """Ask for something no more; tickets keep what they have of it.

        Raises:
            NotFound: there is none.
        """
        async with storage_errors(), self._sessions.begin() as session:
            row, asked = await _field(session, name)
            revise(row, None)
            asked.archived_at = self._now()
            record(
                session, by.actor, "category.field_archived", _subject(row), old=said_field(asked)
            )


async def _locked(session: AsyncSession, category: CategoryId) -> Category:
    row = await session.get(Category, category, with_for_update=True)
    if row is None:
        raise NotFound("there is no such category")
    return row


async def _field(session: AsyncSession, name: FormFieldId) -> tuple[Category, FormField]:
    asked = await session.get(FormField, name, with_for_update=True)
    if asked is None or asked.archived_at is not None or asked.category_id is None:
        raise NotFound("there is no such field")
    return await _locked(session, CategoryId(asked.category_id)), asked


async def _fill(
    session: AsyncSession, row: Category, draft: CategoryDraft, category: CategoryId | None
) -> None:
    rows = await session.execute(select(Category.id, Category.parent_id))
    parents = {
        CategoryId(one): None if parent is None else CategoryId(parent) for one, parent in rows
    }
    if draft.parent is not None and draft.parent not in parents:
        raise InvalidInput("there is no such category")
    check_place(parents, category, draft.parent)
    if draft.team is not None and await session.get(Team, draft.team) is None:
        raise InvalidInput("there is no such team")
    name = checked_name(draft.name)
    namesake = await session.scalar(
        select(Category.id).where(
            Category.parent_id.is_not_distinct_from(draft.parent),
            func.lower(Category.name) == name.lower(),
            Category.archived_at.is_(None),
            Category.id != row.id,
        )
    )
    if namesake is not None:
        raise Conflict("there is a category of this name here already")
    row.name = name
    row.names = checked_names(draft.names)
    row.parent_id = draft.parent
    row.team_id = draft.team


def _subject(row: Category) -> tuple[str, object, str]:
    return "category", row.id, row.name


def _said(row: Category) -> dict[str, Any]:
    return {
        "name": row.name,
        "names": dict(row.names),
        "parent": None if row.parent_id is None else str(row.parent_id),
        "team": None if row.team_id is None else str(row.team_id),
    }
