"""The request catalogue in the API: items with their forms, and who approves."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from console.api.classification.categories import FieldBody, FieldOut, Id, Name, Names
from console.api.parts import part_of
from console.api.preconditions import IfMatch, tag
from console.api.principal import AgentCaller, AnyCaller, LeadCaller
from console.api.put_back import PutBack
from console.api.shapes import Body, Cursor, Limit, NamedOut, Page, PersonOut, Text
from console.desk import ConsoleDesk, desk_of
from core.domain.catalogue import MAX_TEXT_CHARS, Occasion
from core.domain.ids import AgentId, ApprovalRoleId, CategoryId, FormFieldId, ItemId, TeamId
from core.services.catalogue.items import ItemDraft, ItemField, TaskDraft
from core.services.catalogue.roles import RoleDraft
from core.storage.engine import storage_errors
from core.storage.queries.catalogue.items import (
    MAX_WISH_CHARS,
    ItemView,
    RoleView,
    approval_roles,
    catalogue_items,
    item_view,
    items_named,
    role_view,
)

router = APIRouter(route_class=PutBack, tags=["catalogue"])

Words = Annotated[Text, Field(max_length=MAX_TEXT_CHARS)]
ByLanguage = Annotated[dict[str, Words], Field(description="By language, such as `es`.")]


class TaskOut(BaseModel):
    """Something that is done for each request of an item."""

    title: str
    team: NamedOut | None
    agent: NamedOut | None


class CatalogueItemOut(BaseModel):
    """Something that can be asked for."""

    id: UUID
    name: str
    names: dict[str, str]
    description: str
    descriptions: dict[str, str]
    words: dict[str, str]  # by language: what people call it, with commas between
    icon: str
    category: NamedOut | None
    team: NamedOut | None
    approval_role: NamedOut | None
    fields: list[FieldOut]
    tasks: list[TaskOut]
    answers: dict[str, dict[str, str]]  # by occasion, then by language
    archived: bool
    revision: int

    @classmethod
    def of(cls, item: ItemView) -> CatalogueItemOut:
        """Return what the API tells of `item`."""
        return cls(
            id=item.id,
            name=item.name,
            names=dict(item.names),
            description=item.description,
            descriptions=dict(item.descriptions),
            words=dict(item.words),
            icon=item.icon,
            category=NamedOut.of(item.category),
            team=NamedOut.of(item.team),
            approval_role=NamedOut.of(item.role),
            fields=[FieldOut.of(spec) for spec in item.fields],
            tasks=[
                TaskOut(
                    title=task.title, team=NamedOut.of(task.team), agent=NamedOut.of(task.agent)
                )
                for task in item.tasks
            ],
            answers={occasion: dict(said) for occasion, said in item.answers.items()},
            archived=item.is_archived,
            revision=item.revision,
        )


class ItemFieldBody(FieldBody):
    """A field of an item's form; with the id of one that is there, that one is changed."""

    id: Id | None = None


class TaskBody(Body):
    """Something that is done for each request: by a team, by an agent, or by who has the ticket."""

    title: Name
    team: Id | None = None
    agent: Id | None = None


class ItemBody(Body):
    """An item as it is to be, with its whole form: a field that is not named is asked no more."""

    name: Name
    names: Names = Field(default_factory=dict)
    description: Words = ""
    descriptions: ByLanguage = Field(default_factory=dict)
    words: ByLanguage = Field(default_factory=dict)
    icon: Annotated[Text, Field(max_length=20)] = ""
    category: Id | None = None
    team: Id | None = None
    approval_role: Id | None = None
    fields: Annotated[list[ItemFieldBody], Field(max_length=30)] = Field(default_factory=list)
    tasks: Annotated[list[TaskBody], Field(max_length=20)] = Field(default_factory=list)
    answers: Annotated[
        dict[Annotated[Occasion, Field(strict=False)], ByLanguage],
        Field(description="`received`, `approved`, `rejected`, `done`; then by language."),
    ] = Field(default_factory=dict)

    def draft(self) -> ItemDraft:
        """Return it as the desk takes it."""
        return ItemDraft(
            name=self.name,
            names=self.names,
            description=self.description,
            descriptions=self.descriptions,
            words=self.words,
            icon=self.icon,
            category=None if self.category is None else CategoryId(self.category),
            team=None if self.team is None else TeamId(self.team),
            role=None if self.approval_role is None else ApprovalRoleId(self.approval_role),
            fields=[
                ItemField(
                    draft=field.draft(), id=None if field.id is None else FormFieldId(field.id)
                )
                for field in self.fields
            ],
            tasks=[
                TaskDraft(
                    title=task.title,
                    team=None if task.team is None else TeamId(task.team),
                    agent=None if task.agent is None else AgentId(task.agent),
                )
                for task in self.tasks
            ],
            answers=self.answers,
        )


class RoleOut(BaseModel):
    """A named group of people of whom one approves or rejects requests."""

    id: UUID
    name: str
    agents: list[PersonOut]
    emails: list[str]  # of people outside the desk
    revision: int

    @classmethod
    def of(cls, role: RoleView) -> RoleOut:
        """Return what the API tells of `role`."""
        return cls(
            id=role.id,
            name=role.name,
            agents=[PersonOut.of(agent) for agent in role.agents],
            emails=list(role.emails),
            revision=role.revision,
        )


class RoleBody(Body):
    """A role as it is to be: agents by id, and addresses of people outside the desk."""

    name: Name
    agents: Annotated[list[Id], Field(max_length=50)] = Field(default_factory=list)
    emails: Annotated[list[Annotated[Text, Field(max_length=320)]], Field(max_length=50)] = Field(
        default_factory=list
    )

    def draft(self) -> RoleDraft:
        """Return it as the desk takes it."""
        return RoleDraft(
            name=self.name, agents=[AgentId(one) for one in self.agents], emails=self.emails
        )


@router.get("/catalogue")
async def list_items(
    request: Request,
    _: AnyCaller,
    q: Annotated[
        Text | None,
        Query(description="What somebody says they want.", max_length=MAX_WISH_CHARS),
    ] = None,
    archived: bool = False,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[CatalogueItemOut]:
    """List what can be asked for: by name, or what `q` names in any language, the surest first."""
    async with storage_errors(), desk_of(request).sessions() as session:
        if q is not None:
            found = await items_named(session, q)
        else:
            found = await catalogue_items(session, archived=archived)
    return part_of(found, CatalogueItemOut.of, cursor, limit)


@router.post("/catalogue", status_code=201)
async def add_item(
    request: Request, response: Response, caller: LeadCaller, body: ItemBody
) -> CatalogueItemOut:
    """Add an item."""
    desk = desk_of(request)
    return await _answer(desk, response, await desk.catalogue.items.add(body.draft(), caller))


@router.get("/catalogue/{item}")
async def get_item(
    request: Request, response: Response, _: AnyCaller, item: UUID
) -> CatalogueItemOut:
    """Return one item."""
    return await _answer(desk_of(request), response, ItemId(item))


@router.put("/catalogue/{item}")
async def change_item(
    request: Request,
    response: Response,
    caller: LeadCaller,
    item: UUID,
    body: ItemBody,
    revision: IfMatch,
) -> CatalogueItemOut:
    """Replace an item; requests under way go on as they began."""
    desk, named = desk_of(request), ItemId(item)
    await desk.catalogue.items.change(named, body.draft(), caller, revision=revision)
    return await _answer(desk, response, named)


@router.delete("/catalogue/{item}", status_code=204)
async def archive_item(request: Request, caller: LeadCaller, item: UUID, revision: IfMatch) -> None:
    """Let an item be asked for no more. Its requests stay."""
    await desk_of(request).catalogue.items.set_archived(
        ItemId(item), caller, archived=True, revision=revision
    )


@router.post("/catalogue/{item}/restore")
async def restore_item(
    request: Request, response: Response, caller: LeadCaller, item: UUID
) -> CatalogueItemOut:
    """Let an item be asked for again."""
    desk, named = desk_of(request), ItemId(item)
    await desk.catalogue.items.set_archived(named, caller, archived=False)
    return await _answer(desk, response, named)


@router.get("/approval-roles")
async def list_roles(
    request: Request, _: AgentCaller, cursor: Cursor = None, limit: Limit = 50
) -> Page[RoleOut]:
    """List the approval roles by name."""
    async with storage_errors(), desk_of(request).sessions() as session:
        found = await approval_roles(session)
    return part_of(found, RoleOut.of, cursor, limit)


@router.post("/approval-roles", status_code=201)
async def add_role(
    request: Request, response: Response, caller: LeadCaller, body: RoleBody
) -> RoleOut:
    """Add an approval role."""
    desk = desk_of(request)
    return await _role(desk, response, await desk.catalogue.roles.add(body.draft(), caller))


@router.get("/approval-roles/{role}")
async def get_role(request: Request, response: Response, _: AgentCaller, role: UUID) -> RoleOut:
    """Return one approval role."""
    return await _role(desk_of(request), response, ApprovalRoleId(role))


@router.put("/approval-roles/{role}")
async def change_role(
    request: Request,
    response: Response,
    caller: LeadCaller,
    role: UUID,
    body: RoleBody,
    revision: IfMatch,
) -> RoleOut:
    """Replace an approval role; who is not in it any more decides nothing, asked already or not."""
    desk, named = desk_of(request), ApprovalRoleId(role)
    await desk.catalogue.roles.change(named, body.draft(), caller, revision=revision)
    return await _role(desk, response, named)


@router.delete("/approval-roles/{role}", status_code=204)
async def remove_role(request: Request, caller: LeadCaller, role: UUID) -> None:
    """Delete an approval role that no item has and no request had."""
    await desk_of(request).catalogue.roles.remove(ApprovalRoleId(role), caller)


async def _answer(desk: ConsoleDesk, response: Response, item: ItemId) -> CatalogueItemOut:
    async with storage_errors(), desk.sessions() as session:
        found = await item_view(session, item)
    tag(response, found.revision)
    return CatalogueItemOut.of(found)


async def _role(desk: ConsoleDesk, response: Response, role: ApprovalRoleId) -> RoleOut:
    async with storage_errors(), desk.sessions() as session:
        found = await role_view(session, role)
    tag(response, found.revision)
    return RoleOut.of(found)
