"""The settings' pages for categories, their fields, and the priority matrix."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from console.desk import desk_of
from console.pages.meanwhile import revision_in
from console.pages.session import Leads, form_of, text_field
from console.pages.view import page, translator
from console.words import classification as classification_words
from console.words.errors import error_in_words
from core.domain.classification import Extent, FieldKind
from core.domain.errors import Conflict, InvalidInput, NotFound
from core.domain.ids import CategoryId, FormFieldId, TeamId
from core.domain.languages import LANGUAGES
from core.domain.ticket import Priority
from core.services.classification.categories import CategoryDraft
from core.services.classification.fields import FieldDraft
from core.storage.engine import storage_errors
from core.storage.queries.classification.categories import (
    category_tree,
    open_teams,
    priority_matrix,
)
from core.storage.queries.feed import feed_end

router = APIRouter(prefix="/console/admin")


@router.get("/categories")
async def show_categories(request: Request, _: Leads) -> Response:
    """Show the tree, with a form to add to it, and the priority matrix."""
    return await _tree(request)


@router.post("/categories")
async def add_category(request: Request, signed_in: Leads) -> Response:
    """Add a category."""
    form = await form_of(request)
    work = desk_of(request).categories.add(_draft(form), signed_in.agent)
    return await _then_tree(request, work, form)


@router.post("/priorities")
async def set_priorities(request: Request, signed_in: Leads) -> Response:
    """Replace the priority matrix."""
    form = await form_of(request)
    try:
        matrix = {
            (impact, urgency): Priority(text_field(form, f"{impact}:{urgency}"))
            for impact in Extent
            for urgency in Extent
        }
    except ValueError:
        raise InvalidInput("each impact and urgency needs a priority") from None
    return await _then_tree(request, desk_of(request).priorities.set(matrix, signed_in.agent), form)


@router.get("/categories/{category}")
async def show_category(request: Request, _: Leads, category: UUID) -> Response:
    """Show one category with its fields."""
    return await _one(request, CategoryId(category))


@router.post("/categories/{category}")
async def change_category(request: Request, signed_in: Leads, category: UUID) -> Response:
    """Rename or move a category, or give it another team."""
    form, named = await form_of(request), CategoryId(category)
    work = desk_of(request).categories.change(
        named,
        _draft(form),
        signed_in.agent,
        revision=revision_in(form),
    )
    return await _then_one(request, named, work)


@router.post("/categories/{category}/archived")
async def set_archived(request: Request, signed_in: Leads, category: UUID) -> Response:
    """Take a category out of choices, or put it back."""
    archived = text_field(await form_of(request), "archived") == "yes"
    named = CategoryId(category)
    work = desk_of(request).categories.set_archived(named, signed_in.agent, archived=archived)
    return await _then_one(request, named, work)


@router.post("/categories/{category}/fields")
async def add_field(request: Request, signed_in: Leads, category: UUID) -> Response:
    """Ask for one thing more about a category's tickets."""
    form, named = await form_of(request), CategoryId(category)
    kind = text_field(form, "kind")
    if kind not in classification_words.FIELD_KIND:
        raise InvalidInput("there is no such kind of field")
    draft = _field_draft(form, FieldKind(kind))
    work = desk_of(request).categories.add_field(named, draft, signed_in.agent)
    return await _then_one(request, named, work)


@router.post("/categories/{category}/fields/{field}")
async def change_field(request: Request, signed_in: Leads, category: UUID, field: UUID) -> Response:
    """Change a field, or ask for it no more."""
    form, name = await form_of(request), FormFieldId(field)
    categories = desk_of(request).categories
    if text_field(form, "archive"):
        work = categories.archive_field(name, signed_in.agent)
    else:
        work = categories.change_field(name, _field_draft(form), signed_in.agent)
    return await _then_one(request, CategoryId(category), work)


def _draft(form: FormData) -> CategoryDraft:
    parent, team = _id(form, "parent"), _id(form, "team")
    return CategoryDraft(
        name=text_field(form, "name"),
        names=_by_language(form, "name"),
        parent=None if parent is None else CategoryId(parent),
        team=None if team is None else TeamId(team),
    )


def _field_draft(form: FormData, kind: FieldKind = FieldKind.TEXT) -> FieldDraft:
    return FieldDraft(
        label=text_field(form, "label"),
        labels=_by_language(form, "label"),
        kind=kind,
        choices=text_field(form, "choices").splitlines(),
        is_required=text_field(form, "required") == "yes",
    )


def _by_language(form: FormData, name: str) -> dict[str, str]:
    return {code: words for code in LANGUAGES if (words := text_field(form, f"{name}:{code}"))}


def _id(form: FormData, name: str) -> UUID | None:
    words = text_field(form, name)
    try:
        return UUID(words) if words else None
    except ValueError:
        raise InvalidInput("there is nothing of this id") from None


async def _then_tree(request: Request, work: Awaitable[Any], form: FormData) -> Response:
    try:
        await work
    except (InvalidInput, Conflict) as error:
        said = error_in_words(error, translator(request))
        return await _tree(request, status=422, wrong=said, filled=text_field(form, "name"))
    return RedirectResponse("/console/admin/categories", 303)


async def _then_one(request: Request, category: CategoryId, work: Awaitable[Any]) -> Response:
    try:
        await work
    except (InvalidInput, Conflict) as error:
        said = error_in_words(error, translator(request))
        return await _one(request, category, status=422, wrong=said)
    return RedirectResponse(f"/console/admin/categories/{category}", 303)


async def _tree(
    request: Request, *, status: int = 200, wrong: str = "", filled: str = ""
) -> Response:
    async with storage_errors(), desk_of(request).sessions() as session:
        position = await feed_end(session)
        tree = await category_tree(session)
        teams = await open_teams(session)
        matrix = await priority_matrix(session)
    return page(
        request,
        "categories/tree.html",
        status=status,
        position=position,
        tree=tree,
        teams=teams,
        matrix=matrix,
        said=classification_words,
        wrong=wrong,
        filled=filled,
    )


async def _one(
    request: Request, category: CategoryId, *, status: int = 200, wrong: str = ""
) -> Response:
    async with storage_errors(), desk_of(request).sessions() as session:
        position = await feed_end(session)
        tree = await category_tree(session)
        teams = await open_teams(session)
    found = tree.by_id.get(category)
    if found is None:
        raise NotFound("there is no such category")
    return page(
        request,
        "categories/one.html",
        status=status,
        position=position,
        tree=tree,
        category=found,
        teams=teams,
        said=classification_words,
        wrong=wrong,
    )
