"""Reads what tickets are sorted by: the tree of categories with fields, priorities, tags."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.classification import USUAL_MATRIX, Extent, FieldKind, FieldSpec, Matrix
from core.domain.errors import InvalidInput
from core.domain.ids import CategoryId, FormFieldId, TeamId
from core.domain.ticket import Priority
from core.storage.queries.tickets.tickets import Named, Person
from core.storage.tables import (
    AgentRow,
    Category,
    FormField,
    PriorityRule,
    Tag,
    Team,
    TicketWatcher,
)

_TAGS_SHOWN = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryView:
    """One category, at its place in the tree."""

    id: CategoryId
    parent: CategoryId | None
    name: str  # in the desk's default language
    names: Mapping[str, str]  # by language
    team: TeamId | None  # who usually has its tickets
    depth: int  # 0: at the top
    is_archived: bool
    revision: int
    fields: Sequence[FieldSpec]  # its own, in order

    def named(self, language: str | None) -> str:
        """Return what it is called in `language`."""
        return self.names.get(language or "") or self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryTree:
    """All categories, parents before their children, each level by name."""

    rows: Sequence[CategoryView]
    by_id: Mapping[CategoryId, CategoryView]

    def __iter__(self) -> Iterator[CategoryView]:
        return iter(self.rows)

    def lineage(self, category: UUID | None) -> list[CategoryView]:
        """Return a category after all that it stands below."""
        found: list[CategoryView] = []
        at = None if category is None else self.by_id.get(CategoryId(category))
        while at is not None:
            found.insert(0, at)
            at = None if at.parent is None else self.by_id.get(at.parent)
        return found

    def path(self, category: UUID | None, language: str | None = None) -> str:
        """Return where a category stands: "Hardware / Laptop"."""
        return " / ".join(one.named(language) for one in self.lineage(category))

    def at_or_below(self, category: CategoryId) -> list[CategoryId]:
        """Return a category with all that stand below it."""
        return [
            one.id for one in self.rows if category in {above.id for above in self.lineage(one.id)}
        ]

    def fields_of(self, category: UUID | None) -> list[FieldSpec]:
        """Return what is asked about tickets of `category`: what is above it asks comes first."""
        return [spec for one in self.lineage(category) for spec in one.fields]

    def choosable(self, now: UUID | None = None) -> list[CategoryView]:
        """Return the categories that a ticket can be given; the one it has `now` stays one."""
        return [
            one
            for one in self.rows
            if one.id == now or not any(above.is_archived for above in self.lineage(one.id))
        ]


async def category_tree(session: AsyncSession) -> CategoryTree:
    """Return the whole tree, archived categories too, without archived fields."""
    specs = [
        spec_of(row)
        for row in await session.scalars(
            select(FormField)
            .where(FormField.category_id.is_not(None), FormField.archived_at.is_(None))
            .order_by(FormField.category_id, FormField.position, FormField.id)
        )
    ]
    fields: dict[UUID, list[FieldSpec]] = {
        key: list(group) for key, group in groupby(specs, lambda spec: spec.owner)
    }
    children: dict[UUID | None, list[Category]] = {}
    for row in await session.scalars(select(Category)):
        children.setdefault(row.parent_id, []).append(row)
    ordered: list[CategoryView] = []

    def gather(parent: UUID | None, depth: int) -> None:
        rows = children.get(parent, [])
        for row in sorted(rows, key=lambda row: (row.name.casefold(), row.id)):
            category = CategoryId(row.id)
            ordered.append(
                CategoryView(
                    id=category,
                    parent=None if row.parent_id is None else CategoryId(row.parent_id),
                    name=row.name,
                    names=row.names,
                    team=None if row.team_id is None else TeamId(row.team_id),
                    depth=depth,
                    is_archived=row.archived_at is not None,
                    revision=row.revision,
                    fields=fields.get(category, ()),
                )
            )
            gather(row.id, depth + 1)

    gather(None, 0)
    return CategoryTree(rows=ordered, by_id={one.id: one for one in ordered})


def spec_of(row: FormField) -> FieldSpec:
    """Return a field as the domain knows it."""
    owner = row.category_id or row.item_id
    assert owner is not None  # the table insists on one of them
    return FieldSpec(
        id=FormFieldId(row.id),
        owner=owner,
        label=row.label,
        labels=row.labels,
        kind=FieldKind(row.kind),
        choices=tuple(row.choices),
        choice_labels=row.choice_labels,
        is_required=row.is_required,
    )


async def priority_matrix(session: AsyncSession) -> Matrix:
    """Return the desk's matrix: the usual one, with what admins have set."""
    rules = await session.scalars(select(PriorityRule))
    return dict(USUAL_MATRIX) | {
        (Extent(rule.impact), Extent(rule.urgency)): Priority(rule.priority) for rule in rules
    }


async def tags_like(
    session: AsyncSession,
    beginning: str = "",
    *,
    start: str | None = None,
    limit: int = _TAGS_SHOWN,
) -> Sequence[str]:
    """Return tags that begin so, those used last first; from `start` on, where one is named.

    Raises:
        InvalidInput: there is no tag `start`.
    """
    query = select(Tag.name).order_by(Tag.used_at.desc(), Tag.name).limit(limit)
    if start is not None:
        used_at = await session.scalar(select(Tag.used_at).where(Tag.name == start))
        if used_at is None:
            raise InvalidInput("the cursor is not one that a list gave")
        alike = and_(Tag.used_at == used_at, Tag.name >= start)
        query = query.where(or_(Tag.used_at < used_at, alike))
    if beginning:
        query = query.where(Tag.name.istartswith(beginning, autoescape=True))
    return (await session.scalars(query)).all()


async def watchers_of(session: AsyncSession, ticket: UUID) -> Sequence[Person]:
    """Return the agents who want to hear of a ticket, by name."""
    rows = await session.execute(
        select(AgentRow.id, AgentRow.name, AgentRow.email)
        .join(TicketWatcher, TicketWatcher.agent_id == AgentRow.id)
        .where(TicketWatcher.ticket_id == ticket, AgentRow.disabled_at.is_(None))
        .order_by(AgentRow.name, AgentRow.id)
    )
    return [Person(id=row.id, name=row.name, email=row.email) for row in rows]


async def open_teams(session: AsyncSession) -> Sequence[Named]:
    """Return the teams that tickets can be given to, by name."""
    rows = await session.execute(
        select(Team.id, Team.name).where(Team.archived_at.is_(None)).order_by(Team.name)
    )
    return [Named(id=row.id, name=row.name) for row in rows]
