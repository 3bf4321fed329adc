"""The items of the catalogue as leads and admins keep them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.actor import WORKING, Agent, Role
from core.domain.audited import Deed
from core.domain.catalogue import (
    MAX_ICON_CHARS,
    MAX_WORDS_CHARS,
    MOST_TASKS,
    Occasion,
    checked_text,
)
from core.domain.classification import FieldKind, checked_name
from core.domain.errors import Conflict, InvalidInput, NotFound
from core.domain.ids import AgentId, ApprovalRoleId, CategoryId, FormFieldId, ItemId, TeamId, new_id
from core.domain.languages import LANGUAGES
from core.services.audit import record
from core.services.automation.templates import check_template
from core.services.classification.fields import (
    MOST_FIELDS,
    FieldDraft,
    checked_names,
    fill_field,
    said_field,
)
from core.services.revisions import revise
from core.storage.engine import Sessions, storage_errors
from core.storage.tables import (
    AgentRow,
    ApprovalRole,
    CatalogueItem,
    CatalogueTask,
    Category,
    FormField,
    Team,
)

ByLanguage = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemField:
    """A field of an item's form: a new one, or the one of that id, whose kind stays."""

    draft: FieldDraft
    id: FormFieldId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDraft:
    """Something to do for each request, by a team, by an agent, or by whoever has the ticket."""

    title: str
    team: TeamId | None = None
    agent: AgentId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemDraft:
    """An item as somebody wants it, with all that belongs to it."""

    name: str
    names: ByLanguage = field(default_factory=dict)
    description: str = ""
    descriptions: ByLanguage = field(default_factory=dict)
    words: ByLanguage = field(default_factory=dict)  # what people call it, with commas between
    icon: str = ""
    category: CategoryId | None = None
    team: TeamId | None = None
    role: ApprovalRoleId | None = None  # who approves; none: nobody has to
    fields: Sequence[ItemField] = ()
    tasks: Sequence[TaskDraft] = ()
    answers: Mapping[Occasion, ByLanguage] = field(default_factory=dict)


class CatalogueItems:
    """Changes of the catalogue; each is in the audit log."""

    def __init__(
        self, sessions: Sessions, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._sessions = sessions
        self._now = now

    async def add(self, draft: ItemDraft, by: Agent) -> ItemId:
        """Add an item.

        Raises:
            InvalidInput: something of it cannot be, or names what is not there.
            Conflict: there is one of this name.
        """
        async with storage_errors(), self._sessions.begin() as session:
            row = CatalogueItem(id=new_id(), revision=1)
            await _fill(session, row, draft)
            session.add(row)
            await session.flush()
            await self._fill_form(session, row, draft.fields)
            await _fill_tasks(session, row, draft.tasks)
            new = await _said(session, row)
            record(session, by.actor, "catalogue.item_added", _subject(row), new=new)
            return ItemId(row.id)

    async def change(
        self, item: ItemId, draft: ItemDraft, by: Agent, *, revision: int | None = None
    ) -> None:
        """Replace an item; fields that `draft` does not name are asked for no more.

        Requests under way go on as they began.

        Raises:
            NotFound: there is none.
            Outdated: it is not at `revision` any more.
            InvalidInput: something of it cannot be, or names what is not there.
            Conflict: there is another of this name.
        """
        async with storage_errors(), self._sessions.begin() as session:
            row = await _locked(session, item)
            revise(row, revision)
            old = await _said(session, row)
            await _fill(session, row, draft)
            await self._fill_form(session, row, draft.fields)
            await _fill_tasks(session, row, draft.tasks)
            await session.flush()
            new = await _said(session, row)
            record(session, by.actor, "catalogue.item_changed", _subject(row), old=old, new=new)

    async def set_archived(
        self, item: ItemId, by: Agent, *, archived: bool, revision: int | None = None
    ) -> None:
        """Let an item be asked for no more, or again.

        Raises:
            NotFound: there is none.
            Outdated: it is not at `revision` any more.
        """
        async with storage_errors(), self._sessions.begin() as session:
            row = await _locked(session, item)
            revise(row, revision)
            row.archived_at = self._now() if archived else None
            action: Deed = "catalogue.item_archived" if archived else "catalogue.item_restored"
            record(session, by.actor, action, _subject(row))

    async def _fill_form(
        self, session: AsyncSession, row: CatalogueItem, wanted: Sequence[ItemField]
    ) -> None:
        if len(wanted) > MOST_FIELDS:
            raise InvalidInput("a form has 30 fields at most")
        known = {field.id: field for field in await _form_of(session, row)}
        for position, one in enumerate(wanted):
            if one.id is None:
                asked = FormField(id=new_id(), item_id=row.id)
                fill_field(asked, one.draft, one.draft.kind)
                session.add(asked)
            elif (kept := known.pop(one.id, None)) is not None:
                asked = kept
                fill_field(asked, one.draft, FieldKind(asked.kind))
            else:
                raise InvalidInput("there is no such field")
            asked.position = position
        for gone in known.values():
            gone.archived_at = self._now()


async def _locked(session: AsyncSession, item: ItemId) -> CatalogueItem:
    row = await session.get(CatalogueItem, item, with_for_update=True)
    if row is None:
        raise NotFound("there is no such item")
    return row


async def _form_of(session: AsyncSession, row: CatalogueItem) -> Sequence[FormField]:
    found = await session.scalars(
        select(FormField)
        .where(FormField.item_id == row.id, FormField.archived_at.is_(None))
        .order_by(FormField.position, FormField.id)
    )
    return found.all()


async def _fill(session: AsyncSession, row: CatalogueItem, draft: ItemDraft) -> None:
    name = checked_name(draft.name)
    namesake = await session.scalar(
        select(CatalogueItem.id).where(
            func.lower(CatalogueItem.name) == name.lower(),
            CatalogueItem.archived_at.is_(None),
            CatalogueItem.id != row.id,
        )
    )
    if namesake is not None:
        raise Conflict("there is an item of this name already")
    for table, wanted, said in (
        (Category, draft.category, "there is no such category"),
        (Team, draft.team, "there is no such team"),
        (ApprovalRole, draft.role, "there is no such approval role"),
    ):
        if wanted is not None and await session.get(table, wanted) is None:
            raise InvalidInput(said)
    icon = draft.icon.strip()
    if len(icon) > MAX_ICON_CHARS or not icon.isprintable():
        raise InvalidInput("an icon is one sign, such as an emoji")
    row.name, row.names, row.icon = name, checked_names(draft.names), icon
    row.description = checked_text(draft.description)
    row.descriptions = _texts(draft.descriptions)
    row.words = _texts(draft.words, MAX_WORDS_CHARS)
    row.category_id, row.team_id, row.approval_role_id = draft.category, draft.team, draft.role
    row.answers = {
        occasion: words for occasion, of in draft.answers.items() if (words := _templates(of))
    }


def _texts(given: ByLanguage, *most: int) -> dict[str, str]:
    if not set(given) <= set(LANGUAGES):
        raise InvalidInput("the desk does not speak this language")
    return {code: text for code, words in given.items() if (text := checked_text(words, *most))}


def _templates(given: ByLanguage) -> dict[str, str]:
    return {code: check_template(words) for code, words in _texts(given).items()}


async def _fill_tasks(
    session: AsyncSession, row: CatalogueItem, wanted: Sequence[TaskDraft]
) -> None:
    if len(wanted) > MOST_TASKS:
        raise InvalidInput("an item has 20 tasks at most")
    await session.execute(delete(CatalogueTask).where(CatalogueTask.item_id == row.id))
    for position, task in enumerate(wanted):
        await _check_doer(session, task)
        session.add(
            CatalogueTask(
                item_id=row.id,
                position=position,
                title=checked_name(task.title),
                team_id=task.team,
                agent_id=task.agent,
            )
        )


async def _check_doer(session: AsyncSession, task: TaskDraft) -> None:
    if task.team is not None and task.agent is not None:
        raise InvalidInput("a task is a team's or an agent's, not both")
    if task.team is not None and await session.get(Team, task.team) is None:
        raise InvalidInput("there is no such team")
    if task.agent is None:
        return
    agent = await session.get(AgentRow, task.agent)
    if agent is None or agent.disabled_at is not None or Role(agent.role) not in WORKING:
        raise InvalidInput("there is no such agent")


def _subject(row: CatalogueItem) -> tuple[str, object, str]:
    return "catalogue_item", row.id, row.name


async def _said(session: AsyncSession, row: CatalogueItem) -> dict[str, Any]:
    tasks = await session.scalars(
        select(CatalogueTask)
        .where(CatalogueTask.item_id == row.id)
        .order_by(CatalogueTask.position)
    )
    return {
        "name": row.name,
        "names": dict(row.names),
        "description": row.description,
        "descriptions": dict(row.descriptions),
        "words": dict(row.words),
        "icon": row.icon,
        "category": _plain(row.category_id),
        "team": _plain(row.team_id),
        "approval role": _plain(row.approval_role_id),
        "fields": [said_field(field) for field in await _form_of(session, row)],
        "tasks": [
            {"title": task.title, "team": _plain(task.team_id), "agent": _plain(task.agent_id)}
            for task in tasks
        ],
        "answers": {occasion: dict(said) for occasion, said in row.answers.items()},
    }


def _plain(key: object) -> str | None:
    return None if key is None else str(key)
