"""The settings' pages for the request catalogue: items, and who approves."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from console.desk import desk_of
from console.pages.catalogue.forms import draft_of, item_in, role_in
from console.pages.meanwhile import revision_in
from console.pages.session import Leads, form_of, text_field
from console.pages.view import page, translator
from console.words import catalogue as catalogue_words
from console.words import classification as classification_words
from console.words.errors import error_in_words
from core.domain.actor import WORKING
from core.domain.errors import Conflict, InvalidInput
from core.domain.ids import ApprovalRoleId, ItemId
from core.services.catalogue.items import ItemDraft
from core.services.catalogue.roles import RoleDraft
from core.storage.engine import storage_errors
from core.storage.queries.access.agents import list_agents
from core.storage.queries.catalogue.items import approval_roles, catalogue_items, item_view
from core.storage.queries.classification.categories import category_tree, open_teams
from core.storage.queries.feed import feed_end

router = APIRouter(prefix="/console/admin/catalogue")

_PATH = "/console/admin/catalogue"


@router.get("")
async def show_catalogue(request: Request, _: Leads) -> Response:
    """List the items, and the approval roles with a form for each."""
    return await _list(request)


@router.get("/new")
async def show_new(request: Request, _: Leads) -> Response:
    """Show the editor, empty."""
    return await _editor(request, None)


@router.post("/new")
async def add_item(request: Request, signed_in: Leads) -> Response:
    """Add an item."""
    draft = item_in(await form_of(request))
    try:
        item = await desk_of(request).catalogue.items.add(draft, signed_in.agent)
    except (InvalidInput, Conflict) as error:
        said = error_in_words(error, translator(request))
        return await _editor(request, None, status=422, wrong=said, typed=draft)
    return RedirectResponse(f"{_PATH}/{item}?saved=1", 303)


@router.post("/roles")
async def add_role(request: Request, signed_in: Leads) -> Response:
    """Add an approval role."""
    draft = role_in(await form_of(request))
    try:
        await desk_of(request).catalogue.roles.add(draft, signed_in.agent)
    except (InvalidInput, Conflict) as error:
        said = error_in_words(error, translator(request))
        return await _list(request, status=422, wrong=said, typed=("new", draft))
    return RedirectResponse(f"{_PATH}#roles", 303)


@router.post("/roles/{role}")
async def change_role(request: Request, signed_in: Leads, role: UUID) -> Response:
    """Change an approval role, or delete it."""
    form, name = await form_of(request), ApprovalRoleId(role)
    roles, draft = desk_of(request).catalogue.roles, role_in(form)
    try:
        if text_field(form, "remove"):
            await roles.remove(name, signed_in.agent)
        else:
            revision = revision_in(form)
            await roles.change(name, draft, signed_in.agent, revision=revision)
    except (InvalidInput, Conflict) as error:
        said = error_in_words(error, translator(request))
        return await _list(request, status=422, wrong=said, typed=(str(role), draft))
    return RedirectResponse(f"{_PATH}#roles", 303)


@router.get("/{item}")
async def show_item(request: Request, _: Leads, item: UUID) -> Response:
    """Show an item in the editor."""
    return await _editor(request, ItemId(item))


@router.post("/{item}")
async def change_item(request: Request, signed_in: Leads, item: UUID) -> Response:
    """Replace an item."""
    form, name = await form_of(request), ItemId(item)
    draft, read = item_in(form), text_field(form, "revision")
    items = desk_of(request).catalogue.items
    try:
        await items.change(name, draft, signed_in.agent, revision=revision_in(form))
    except (InvalidInput, Conflict) as error:
        said = error_in_words(error, translator(request))
        return await _editor(request, name, status=422, wrong=said, typed=draft, revision=read)
    return RedirectResponse(f"{_PATH}/{item}?saved=1", 303)


@router.post("/{item}/archived")
async def set_archived(request: Request, signed_in: Leads, item: UUID) -> Response:
    """Let an item be asked for no more, or again."""
    archived = text_field(await form_of(request), "archived") == "yes"
    items = desk_of(request).catalogue.items
    await items.set_archived(ItemId(item), signed_in.agent, archived=archived)
    return RedirectResponse(f"{_PATH}/{item}", 303)


async def _list(
    request: Request,
    *,
    status: int = 200,
    wrong: str = "",
    typed: tuple[str, RoleDraft] = ("", RoleDraft(name="")),
) -> Response:
    """Show the list; `typed` is a role, by its id or as "new", that could not be kept."""
    async with storage_errors(), desk_of(request).sessions() as session:
        position = await feed_end(session)
        items = await catalogue_items(session, archived=True)
        roles = await approval_roles(session)
        agents = await list_agents(session)
    return page(
        request,
        "catalogue/list.html",
        status=status,
        position=position,
        items=items,
        roles=roles,
        agents=[agent for agent in agents if agent.role in WORKING],
        mails=desk_of(request).catalogue.mails,
        wrong=wrong,
        typed=typed,
    )


async def _editor(
    request: Request,
    item: ItemId | None,
    *,
    status: int = 200,
    wrong: str = "",
    typed: ItemDraft | None = None,
    revision: str = "",
) -> Response:
    """Show an item as it is, or as somebody `typed` it over `revision` in vain."""
    async with storage_errors(), desk_of(request).sessions() as session:
        position = await feed_end(session)
        found = None if item is None else await item_view(session, item)
        tree = await category_tree(session)
        teams = await open_teams(session)
        roles = await approval_roles(session)
        agents = await list_agents(session)
    return page(
        request,
        "catalogue/edit.html",
        status=status,
        position=position,
        item=found,
        shown=draft_of(found) if typed is None else typed,
        revision=revision or ("" if found is None else found.revision),
        tree=tree,
        teams=teams,
        roles=roles,
        agents=[agent for agent in agents if agent.role in WORKING],
        said=classification_words,
        occasions=catalogue_words.OCCASION,
        is_saved=request.query_params.get("saved") == "1",
        wrong=wrong,
    )
