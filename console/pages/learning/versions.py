"""Versions of the assistant's model: train one, compare it, let it serve, go back."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.responses import RedirectResponse, Response

from console.desk import desk_of
from console.pages.session import Admins, Readers, form_of, text_field
from console.pages.view import page, translator
from console.words import learning as learning_words
from console.words.errors import error_in_words
from core.domain.errors import DeskError
from core.domain.models import UNDER_WAY
from core.storage.engine import storage_errors
from core.storage.queries.feed import feed_end

router = APIRouter(prefix="/console/assistant/versions")

_LIST = "/console/assistant/versions"

Number = Annotated[int, Path(ge=0, le=2**31 - 1)]


@router.get("")
async def show_versions(request: Request, _: Readers) -> Response:
    """List the versions, the newest first."""
    return await _page(request)


@router.get("/state")
async def show_state(request: Request, _: Readers) -> Response:
    """Show the list alone; it asks for itself while something is under way."""
    versions = await desk_of(request).versions.list()
    return page(
        request,
        "assistant/version_list.html",
        versions=versions,
        is_under_way=any(one.state in UNDER_WAY for one in versions),
        said=learning_words,
    )


@router.post("")
async def train(request: Request, signed_in: Admins) -> Response:
    """Have a model made of what is approved."""
    form = await form_of(request)
    goes_live = text_field(form, "goes_live") == "yes"
    try:
        await desk_of(request).versions.ask(signed_in.agent, goes_live=goes_live)
    except DeskError as error:
        return await _page(request, wrong=error)
    return RedirectResponse(_LIST, 303)


@router.get("/{number}")
async def show_version(request: Request, _: Readers, number: Number) -> Response:
    """Show what a version does better and worse than the one before it."""
    desk = desk_of(request)
    version = await desk.versions.get(number)
    async with storage_errors(), desk.sessions() as session:
        position = await feed_end(session)
    return page(
        request, "assistant/version.html", position=position, version=version, said=learning_words
    )


@router.post("/{number}/use")
async def use(request: Request, signed_in: Admins, number: Number) -> Response:
    """Let a version serve."""
    try:
        await desk_of(request).versions.use(number, signed_in.agent)
    except DeskError as error:
        return await _page(request, wrong=error)
    return RedirectResponse(_LIST, 303)


@router.post("/{number}/give-up")
async def give_up(request: Request, signed_in: Admins, number: Number) -> Response:
    """Wait no longer for a version that is being made."""
    try:
        await desk_of(request).versions.give_up(number, signed_in.agent)
    except DeskError as error:
        return await _page(request, wrong=error)
    return RedirectResponse(_LIST, 303)


async def _page(request: Request, *, wrong: DeskError | None = None) -> Response:
    desk = desk_of(request)
    versions = await desk.versions.list()
    async with storage_errors(), desk.sessions() as session:
        position = await feed_end(session)
    return page(
        request,
        "assistant/versions.html",
        status=422 if wrong else 200,
        position=position,
        versions=versions,
        is_under_way=any(one.state in UNDER_WAY for one in versions),
        waiting=await desk.versions.waiting(),
        said=learning_words,
        wrong=error_in_words(wrong, translator(request)) if wrong else None,
    )
