"""Categories, their fields and the priority matrix in the API."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, Field

from console.api.parts import part_of
from console.api.preconditions import IfMatch, tag
from console.api.principal import AgentCaller, LeadCaller
from console.api.put_back import PutBack
from console.api.shapes import Body, Cursor, Limit, Page, Text
from console.desk import ConsoleDesk, desk_of
from core.domain.classification import Extent, FieldKind, FieldSpec, Matrix
from core.domain.errors import NotFound
from core.domain.ids import CategoryId, FormFieldId, TeamId
from core.domain.ticket import Priority
from core.services.classification.categories import CategoryDraft
from core.services.classification.fields import FieldDraft
from core.services.classification.priorities import version_of_matrix
from core.storage.engine import storage_errors
from core.storage.queries.classification.categories import (
    CategoryView,
    category_tree,
    priority_matrix,
)

router = APIRouter(route_class=PutBack, tags=["categories"])

Name = Annotated[Text, Field(min_length=1, max_length=200)]
Names = Annotated[dict[str, Name], Field(description="By language, such as `es`.")]
Id = Annotated[UUID, Field(strict=False)]


class FieldOut(BaseModel):
    """Something that is asked about a category's tickets, or with an item of the catalogue."""

    id: UUID
    label: str
    labels: dict[str, str]
    kind: FieldKind
    choices: list[str]
    choice_labels: dict[str, list[str]]  # by language, in the choices' order
    required: bool  # before a ticket is solved; of an item: before it is asked for

    @classmethod
    def of(cls, spec: FieldSpec) -> FieldOut:
        """Return what the API tells of `spec`."""
        return cls(
            id=spec.id,
            label=spec.label,
            labels=dict(spec.labels),
            kind=spec.kind,
            choices=list(spec.choices),
            choice_labels={code: list(words) for code, words in spec.choice_labels.items()},
            required=spec.is_required,
        )


class CategoryOut(BaseModel):
    """A category; parents come before their children."""

    id: UUID
    parent: UUID | None
    name: str
    names: dict[str, str]
    path: str
    team: UUID | None
    archived: bool
    revision: int
    fields: list[FieldOut]  # its own; what is above it asks too

    @classmethod
    def of(cls, category: CategoryView, path: str) -> CategoryOut:
        """Return what the API tells of `category`."""
        return cls(
            id=category.id,
            parent=category.parent,
            name=category.name,
            names=dict(category.names),
            path=path,
            team=category.team,
            archived=category.is_archived,
            revision=category.revision,
            fields=[FieldOut.of(spec) for spec in category.fields],
        )


class CategoryBody(Body):
    """A category as it is to be."""

    name: Name
    names: Names = Field(default_factory=dict)
    parent: Id | None = None
    team: Id | None = None

    def draft(self) -> CategoryDraft:
        """Return it as the desk takes it."""
        return CategoryDraft(
            name=self.name,
            names=self.names,
            parent=None if self.parent is None else CategoryId(self.parent),
            team=None if self.team is None else TeamId(self.team),
        )


class FieldBody(Body):
    """A field as it is to be."""

    label: Name
    labels: Names = Field(default_factory=dict)
    kind: Annotated[FieldKind, Field(strict=False)] = FieldKind.TEXT
    choices: Annotated[list[Text], Field(max_length=100)] = Field(default_factory=list)
    choice_labels: dict[str, Annotated[list[Text], Field(max_length=100)]] = Field(
        default_factory=dict, description="By language, in the choices' order."
    )
    required: bool = False

    def draft(self) -> FieldDraft:
        """Return it as the desk takes it."""
        return FieldDraft(
            label=self.label,
            labels=self.labels,
            kind=self.kind,
            choices=self.choices,
            choice_labels=self.choice_labels,
            is_required=self.required,
        )


class MatrixBody(Body):
    """The priority of each impact (outer key) and urgency (inner key)."""

    priorities: Annotated[
        dict[
            Annotated[Extent, Field(strict=False)],
            dict[Annotated[Extent, Field(strict=False)], Annotated[Priority, Field(strict=False)]],
        ],
        Field(description="`low`, `medium`, `high` to `low`, `normal`, `high`, `urgent`."),
    ]

    def matrix(self) -> Matrix:
        """Return it as the desk takes it."""
        return {
            (impact, urgency): priority
            for impact, row in self.priorities.items()
            for urgency, priority in row.items()
        }


@router.get("/categories")
async def list_categories(
    request: Request,
    _: AgentCaller,
    archived: bool = False,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[CategoryOut]:
    """List the categories, parents first."""
    async with storage_errors(), desk_of(request).sessions() as session:
        tree = await category_tree(session)
    shown = tree.rows if archived else tree.choosable()
    return part_of(shown, lambda one: CategoryOut.of(one, tree.path(one.id)), cursor, limit)


@router.post("/categories", status_code=201)
async def add_category(
    request: Request, response: Response, caller: LeadCaller, body: CategoryBody
) -> CategoryOut:
    """Add a category."""
    desk = desk_of(request)
    return await _answer(desk, response, await desk.categories.add(body.draft(), caller))


@router.get("/categories/{category}")
async def get_category(
    request: Request, response: Response, _: AgentCaller, category: UUID
) -> CategoryOut:
    """Return one category."""
    return await _answer(desk_of(request), response, CategoryId(category))


@router.put("/categories/{category}")
async def change_category(
    request: Request,
    response: Response,
    caller: LeadCaller,
    category: UUID,
    body: CategoryBody,
    revision: IfMatch,
) -> CategoryOut:
    """Rename or move a category, or give it another team."""
    desk, named = desk_of(request), CategoryId(category)
    await desk.categories.change(named, body.draft(), caller, revision=revision)
    return await _answer(desk, response, named)


@router.delete("/categories/{category}", status_code=204)
async def archive_category(
    request: Request, caller: LeadCaller, category: UUID, revision: IfMatch
) -> None:
    """Take a category, and what stands below it, out of choices. Tickets keep it."""
    await desk_of(request).categories.set_archived(
        CategoryId(category), caller, archived=True, revision=revision
    )


@router.post("/categories/{category}/restore")
async def restore_category(
    request: Request, response: Response, caller: LeadCaller, category: UUID
) -> CategoryOut:
    """Put a category back."""
    desk, named = desk_of(request), CategoryId(category)
    await desk.categories.set_archived(named, caller, archived=False)
    return await _answer(desk, response, named)


@router.post("/categories/{category}/fields", status_code=201)
async def add_field(
    request: Request, response: Response, caller: LeadCaller, category: UUID, body: FieldBody
) -> CategoryOut:
    """Ask for one thing more about a category's tickets."""
    desk, named = desk_of(request), CategoryId(category)
    await desk.categories.add_field(named, body.draft(), caller)
    return await _answer(desk, response, named)


FieldName = Annotated[UUID, Path(description="The field's id.")]


@router.put("/categories/{category}/fields/{field}")
async def change_field(
    request: Request,
    response: Response,
    caller: LeadCaller,
    category: UUID,
    field: FieldName,
    body: FieldBody,
    revision: IfMatch,
) -> CategoryOut:
    """Change a field; its kind stays. The `ETag` is its category's."""
    desk, named = desk_of(request), CategoryId(category)
    await desk.categories.change_field(FormFieldId(field), body.draft(), caller, revision=revision)
    return await _answer(desk, response, named)


@router.delete("/categories/{category}/fields/{field}", status_code=204)
async def archive_field(
    request: Request, caller: LeadCaller, category: UUID, field: FieldName
) -> None:
    """Ask for something no more; tickets keep what they have of it."""
    del category  # part of the address alone: ids of fields are unique
    await desk_of(request).categories.archive_field(FormFieldId(field), caller)


@router.get("/priorities")
async def get_matrix(request: Request, response: Response, _: AgentCaller) -> dict[str, Any]:
    """Return which priority follows from impact and urgency."""
    async with storage_errors(), desk_of(request).sessions() as session:
        matrix = await priority_matrix(session)
    tag(response, version_of_matrix(matrix))
    return _matrix_out(matrix)


@router.put("/priorities")
async def set_matrix(
    request: Request, response: Response, caller: LeadCaller, body: MatrixBody, revision: IfMatch
) -> dict[str, Any]:
    """Replace the matrix; tickets follow it when their impact or urgency is next set."""
    matrix = body.matrix()
    await desk_of(request).priorities.set(matrix, caller, revision=revision)
    tag(response, version_of_matrix(matrix))
    return _matrix_out(matrix)


def _matrix_out(matrix: Matrix) -> dict[str, Any]:
    return {
        "priorities": {
            impact: {urgency: matrix[impact, urgency] for urgency in Extent} for impact in Extent
        }
    }


async def _answer(desk: ConsoleDesk, response: Response, category: CategoryId) -> CategoryOut:
    async with storage_errors(), desk.sessions() as session:
        tree = await category_tree(session)
    found = tree.by_id.get(category)
    if found is None:
        raise NotFound("there is no such category")
    tag(response, found.revision)
    return CategoryOut.of(found, tree.path(category))
