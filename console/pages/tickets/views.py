"""Views of the queue: made, changed, shared and removed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from console.desk import desk_of
from console.pages.automation.forms import conditions_in, shown_conditions, typed_rows
from console.pages.automation.names import Names, load_custom_names
from console.pages.meanwhile import changed_meanwhile, revision_in
from console.pages.session import Agents, form_of, text_field
from console.pages.view import language_of, page, translator
from console.refusals import note_refusal
from console.words import queue as queue_words
from console.words.automation import COMPARISON
from console.words.errors import error_in_words
from core.domain.actor import LEADING, Role
from core.domain.automation.fields import CHANGES
from core.domain.errors import (
    Conflict,
    DeskError,
    Forbidden,
    InvalidInput,
    Outdated,
    WrongName,
)
from core.domain.ids import TeamId
from core.domain.ticket import CATEGORY, StatusCategory, TicketStatus
from core.domain.views import (
    MOST_FIELDS,
    USUAL_COLUMNS,
    Column,
    Order,
    ViewDraft,
    ViewFilter,
    ViewId,
)
from core.services.tickets.views import filter_of_view
from core.storage.engine import storage_errors
from core.storage.queries.access.agents import list_agents
from core.storage.queries.access.sight import sight_of
from core.storage.queries.classification.categories import category_tree, open_teams
from core.storage.queries.classification.field_conditions import FITTING
from core.storage.queries.feed import feed_end
from core.storage.queries.teams.teams import named_teams
from core.storage.queries.tickets.queue import COUNTED, count_tickets
from core.storage.queries.tickets.tickets import Named
from core.storage.queries.tickets.views import ViewView, view_named

router = APIRouter(prefix="/console/views")

_EVERYBODY = "all"
"""Stands where the id of the team would that a view is shared with."""

_LISTS = (
    "statuses",
    "teams",
    "assignees",
    "categories",
    "priorities",
    "channels",
    "languages",
    "promises",
    "due_dates",
)
_FIELDS, _COLUMNS = "fields", ("field", "comparison", "value")
_SAID = SimpleNamespace(
    FIELD={}, COMPARISON={one: words for one, words in COMPARISON.items() if one not in CHANGES}
)
"""What the rows of conditions say: those of rules look at more."""

_LIVE = tuple(s for s in TicketStatus if CATEGORY[s] != StatusCategory.DONE)
_NEW = ViewFilter(statuses=_LIVE)


@router.get("/new")
async def new_view(request: Request, _: Agents) -> Response:
    """Show an empty form: of all open tickets."""
    return await _form(request, None, {"filter": _NEW.to_json()})


@router.post("/new")
async def add_view(request: Request, signed_in: Agents) -> Response:
    """Keep a view."""
    form = await form_of(request)
    try:
        draft = _draft(form, await _names(request))
        view = await desk_of(request).views.add(draft, signed_in.agent)
    except (InvalidInput, Conflict, Forbidden, WrongName) as error:
        return await _refused(request, None, form, error)
    return RedirectResponse(f"/console/queue?tab=view-{view}", 303)


@router.get("/{view}/count")
async def count_of_view(request: Request, signed_in: Agents, view: UUID) -> Response:
    """Show how many tickets are in a view."""
    me = signed_in.agent.id
    async with storage_errors(), desk_of(request).sessions() as session:
        found = await view_named(session, ViewId(view), me)
        wanted = await filter_of_view(session, found, me, await sight_of(session, signed_in.agent))
        count = await count_tickets(session, wanted)
    return page(request, "queue/count.html", count=count, most=COUNTED)


@router.get("/{view}")
async def show_view(request: Request, signed_in: Agents, view: UUID) -> Response:
    """Show a view's form."""
    async with storage_errors(), desk_of(request).sessions() as session:
        found = await view_named(session, ViewId(view), signed_in.agent.id)
    shown = {
        "name": found.name,
        "filter": found.wanted.to_json(),
        "conditions": found.wanted.fields,
        "order": found.order,
        "columns": list(found.columns),
        "team": _shared_with(found),
        "revision": found.revision,
    }
    return await _form(request, view, shown)


@router.post("/{view}")
async def change_view(request: Request, signed_in: Agents, view: UUID) -> Response:
    """Replace a view, unless somebody else did meanwhile."""
    form = await form_of(request)
    views = desk_of(request).views
    try:
        draft, revision = _draft(form, await _names(request)), revision_in(form)
        await views.change(ViewId(view), draft, signed_in.agent, revision=revision)
    except Outdated:
        async with storage_errors(), desk_of(request).sessions() as session:
            now = await view_named(session, ViewId(view), signed_in.agent.id)
        typed = _typed(form) | {"revision": now.revision}
        return await _form(request, view, typed, outdated=True, status=412)
    except (InvalidInput, Conflict, Forbidden, WrongName) as error:
        return await _refused(request, view, form, error)
    return RedirectResponse(f"/console/queue?tab=view-{view}", 303)


@router.post("/{view}/remove")
async def remove_view(request: Request, signed_in: Agents, view: UUID) -> Response:
    """Remove a view."""
    await desk_of(request).views.remove(ViewId(view), signed_in.agent)
    return RedirectResponse("/console/queue", 303)


async def _names(request: Request) -> Names:
    async with storage_errors(), desk_of(request).sessions() as session:
        return await load_custom_names(
            session, await category_tree(session), translator(request), language_of(request)
        )


def _draft(form: FormData, names: Names) -> ViewDraft:
    wanted = replace(
        ViewFilter.from_json(_filter(form)), fields=conditions_in(form, _FIELDS, names)
    )
    columns = [one for one in form.getlist("columns") if isinstance(one, str)]
    order, team = text_field(form, "order"), text_field(form, "team")
    if order not in set(Order) or not set(columns) <= set(Column):
        raise InvalidInput("a view cannot be sorted or shown like that")
    try:
        shared = TeamId(UUID(team)) if team not in {"", _EVERYBODY} else None
    except ValueError:
        raise InvalidInput("there is no such team") from None
    return ViewDraft(
        name=text_field(form, "name"),
        wanted=wanted,
        order=Order(order),
        columns=[Column(one) for one in columns],
        team=shared,
        is_for_all=team == _EVERYBODY,
    )


def _filter(form: FormData) -> dict[str, Any]:
    kept: dict[str, Any] = {
        name: [one for one in form.getlist(name) if isinstance(one, str)] for name in _LISTS
    }
    tags = [" ".join(tag.split()) for tag in text_field(form, "tags").split(",")]
    return kept | {"tags": [tag for tag in tags if tag], "words": text_field(form, "words")}


def _shared_with(view: ViewView) -> str:
    if view.is_for_all:
        return _EVERYBODY
    return "" if view.team is None else str(view.team.id)


def _typed(form: FormData) -> dict[str, Any]:
    return {
        "name": text_field(form, "name"),
        "filter": _filter(form),
        "fields": typed_rows(form, *(f"{_FIELDS}-{one}" for one in _COLUMNS)),
        "order": text_field(form, "order"),
        "columns": form.getlist("columns"),
        "team": text_field(form, "team"),
        "revision": revision_in(form) or "",
    }


async def _refused(
    request: Request, view: UUID | None, form: FormData, error: DeskError
) -> Response:
    if isinstance(error, Forbidden):
        await note_refusal(request, request.state.viewer.actor, error)
    wrong = error_in_words(error, translator(request))
    return await _form(request, view, _typed(form), wrong=wrong, status=422)


async def _form(
    request: Request,
    view: UUID | None,
    shown: dict[str, Any],
    *,
    wrong: str = "",
    outdated: bool = False,
    status: int = 200,
) -> Response:
    me = request.state.signed_in.agent
    async with storage_errors(), desk_of(request).sessions() as session:
        position = await feed_end(session)
        tree = await category_tree(session)
        names = await load_custom_names(session, tree, translator(request), language_of(request))
        kept = None if view is None else await view_named(session, ViewId(view), me.id)
        teams = await open_teams(session)
        theirs = teams if me.role is Role.ADMIN else await named_teams(session, me.id)
        values = {
            "teams": teams,
            "may_share_with": _with(theirs, None if kept is None else kept.team),
            "kept": kept,
            "agents": [one for one in await list_agents(session) if one.role != "auditor"],
            "categories": [(one.id, tree.path(one.id, me.language)) for one in tree.choosable()],
        }
    empty = {
        "name": "",
        "filter": {},
        "fields": shown_conditions(shown.get("conditions", ()), names),
        "order": Order.LONGEST_WAITING,
        "columns": list(USUAL_COLUMNS),
        "team": "",
        "revision": "",
    }
    return page(
        request,
        "queue/view_edit.html",
        status=status,
        position=position,
        view=view,
        shown=empty | shown,
        wrong=wrong,
        outdated=outdated,
        meanwhile=await changed_meanwhile(request, "view", view) if outdated else None,
        may_share_with_all=me.role in LEADING or shown.get("team") == _EVERYBODY,
        queue_words=queue_words,
        said=_SAID,
        names=names,
        fitting={one.key: " ".join(FITTING[one.kind]) for one in names.customs},
        most_fields=MOST_FIELDS,
        **values,
    )


def _with(teams: Sequence[Named], shared_with: Named | None) -> Sequence[Named]:
    """Return `teams`, and the one a view is shared with already, which others may have chosen."""
    if shared_with is None or any(team.id == shared_with.id for team in teams):
        return teams
    return [*teams, shared_with]
