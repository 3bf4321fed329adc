"""Reads the catalogue: items with their forms, approval roles, and which item words name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.automation.matching import folded
from core.domain.catalogue import Occasion
from core.domain.classification import FieldSpec
from core.domain.errors import NotFound
from core.domain.ids import ApprovalRoleId, ItemId
from core.storage.queries.classification.categories import spec_of
from core.storage.queries.tickets.tickets import Named, Person
from core.storage.tables import (
    AgentRow,
    ApprovalRole,
    Approver,
    CatalogueItem,
    CatalogueTask,
    Category,
    FormField,
    Team,
)
from core.storage.text_search import CONFIGURATIONS

MAX_WISH_CHARS = 500

_NAMED = text(
    """
    SELECT p.item, max(numnode(q)) AS size
    FROM unnest(CAST(:items AS uuid[]), CAST(:configurations AS text[]), CAST(:phrases AS text[]))
         AS p (item, configuration, phrase),
         plainto_tsquery(p.configuration::regconfig, p.phrase) AS q
    WHERE numnode(q) > 0 AND to_tsvector(p.configuration::regconfig, :words) @@ q
    GROUP BY p.item
    """
)
"""Items of which all words of some phrase are said; the longest such phrase of each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskShape:
    """What is done for each request of an item."""

    title: str
    team: Named | None
    agent: Named | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemView:
    """Something that can be asked for."""

    id: ItemId
    name: str  # in the desk's default language
    names: Mapping[str, str]  # by language
    description: str
    descriptions: Mapping[str, str]
    words: Mapping[str, str]  # by language: what people call it, with commas between
    icon: str
    category: Named | None
    team: Named | None
    role: Named | None  # who approves
    fields: Sequence[FieldSpec]  # in order
    tasks: Sequence[TaskShape]  # in order
    answers: Mapping[str, Mapping[str, str]]  # by occasion, then by language
    revision: int
    is_archived: bool

    def named(self, language: str | None) -> str:
        """Return what it is called in `language`."""
        return self.names.get(language or "") or self.name

    def described(self, language: str | None) -> str:
        """Return what is said of it in `language`."""
        return self.descriptions.get(language or "") or self.description

    def answer(self, occasion: Occasion, language: str | None) -> str | None:
        """Return the item's own words for `occasion`, or None."""
        return self.answers.get(occasion, {}).get(language or "")


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleView:
    """An approval role, with who is in it."""

    id: ApprovalRoleId
    name: str
    agents: Sequence[Person]
    emails: Sequence[str]
    revision: int


async def catalogue_items(session: AsyncSession, *, archived: bool = False) -> Sequence[ItemView]:
    """Return the items by name, those that cannot be asked for any more only if wanted."""
    which = [] if archived else [CatalogueItem.archived_at.is_(None)]
    return await _views(session, *which)


async def item_view(session: AsyncSession, item: ItemId) -> ItemView:
    """Return one item.

    Raises:
        NotFound: there is none.
    """
    found = await _views(session, CatalogueItem.id == item)
    if not found:
        raise NotFound("there is no such item")
    return found[0]


async def items_named(session: AsyncSession, words: str, *, limit: int = 3) -> Sequence[ItemView]:
    """Return the items that `words` name in one of the desk's languages, the surest first.

    An item is named where all words of its name are said, or of one of the other words for it,
    whatever their endings and accents. More words count more: "new laptop" beats "laptop".
    """
    items = await catalogue_items(session)
    phrases = [
        (item.id, configuration, folded(phrase))
        for item in items
        for language, configuration in CONFIGURATIONS.items()
        for phrase in {item.name, item.named(language), *item.words.get(language, "").split(",")}
        if phrase.strip()
    ]
    if not phrases or not words.strip():
        return []
    rows = await session.execute(
        _NAMED,
        {
            "items": [item for item, _, _ in phrases],
            "configurations": [configuration for _, configuration, _ in phrases],
            "phrases": [phrase for _, _, phrase in phrases],
            "words": folded(words[:MAX_WISH_CHARS]),
        },
    )
    sizes: dict[UUID, int] = {row.item: row.size for row in rows}
    named = [item for item in items if item.id in sizes]
    return sorted(named, key=lambda item: -sizes[item.id])[:limit]


async def approval_roles(session: AsyncSession) -> Sequence[RoleView]:
    """Return the roles by name."""
    agents: dict[UUID, list[Person]] = {}
    emails: dict[UUID, list[str]] = {}
    members = await session.execute(
        select(Approver.role_id, Approver.email, AgentRow)
        .outerjoin(AgentRow, AgentRow.id == Approver.agent_id)
        .order_by(AgentRow.name, Approver.email)
    )
    for role, email, agent in members:
        if agent is None:
            emails.setdefault(role, []).append(email)
        else:
            person = Person(id=agent.id, name=agent.name, email=agent.email)
            agents.setdefault(role, []).append(person)
    rows = await session.scalars(select(ApprovalRole).order_by(func.lower(ApprovalRole.name)))
    return [
        RoleView(
            id=ApprovalRoleId(row.id),
            name=row.name,
            agents=agents.get(row.id, ()),
            emails=emails.get(row.id, ()),
            revision=row.revision,
        )
        for row in rows
    ]


async def role_view(session: AsyncSession, role: ApprovalRoleId) -> RoleView:
    """Return one role.

    Raises:
        NotFound: there is none.
    """
    found = [one for one in await approval_roles(session) if one.id == role]
    if not found:
        raise NotFound("there is no such approval role")
    return found[0]


async def _views(session: AsyncSession, *which: ColumnElement[bool]) -> Sequence[ItemView]:
    rows = (
        await session.execute(
            select(CatalogueItem, Category, Team, ApprovalRole)
            .outerjoin(Category, Category.id == CatalogueItem.category_id)
            .outerjoin(Team, Team.id == CatalogueItem.team_id)
            .outerjoin(ApprovalRole, ApprovalRole.id == CatalogueItem.approval_role_id)
            .where(*which)
            .order_by(func.lower(CatalogueItem.name), CatalogueItem.id)
        )
    ).all()
    items = [row.id for row, *_ in rows]
    fields: dict[UUID, list[FieldSpec]] = {}
    for field in await session.scalars(
        select(FormField)
        .where(FormField.item_id.in_(items), FormField.archived_at.is_(None))
        .order_by(FormField.position, FormField.id)
    ):
        fields.setdefault(spec_of(field).owner, []).append(spec_of(field))
    tasks = await _tasks(session, items)
    return [
        ItemView(
            id=ItemId(row.id),
            name=row.name,
            names=row.names,
            description=row.description,
            descriptions=row.descriptions,
            words=row.words,
            icon=row.icon,
            category=_named(category),
            team=_named(team),
            role=_named(role),
            fields=fields.get(row.id, ()),
            tasks=tasks.get(row.id, ()),
            answers=row.answers,
            revision=row.revision,
            is_archived=row.archived_at is not None,
        )
        for row, category, team, role in rows
    ]


async def _tasks(session: AsyncSession, items: Sequence[UUID]) -> dict[UUID, list[TaskShape]]:
    found: dict[UUID, list[TaskShape]] = {}
    rows = await session.execute(
        select(CatalogueTask, Team, AgentRow)
        .outerjoin(Team, Team.id == CatalogueTask.team_id)
        .outerjoin(AgentRow, AgentRow.id == CatalogueTask.agent_id)
        .where(CatalogueTask.item_id.in_(items))
        .order_by(CatalogueTask.item_id, CatalogueTask.position)
    )
    for task, team, agent in rows:
        shape = TaskShape(title=task.title, team=_named(team), agent=_named(agent))
        found.setdefault(task.item_id, []).append(shape)
    return found


def _named(row: Category | Team | ApprovalRole | AgentRow | None) -> Named | None:
    return None if row is None else Named(id=row.id, name=row.name)
