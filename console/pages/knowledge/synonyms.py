"""The admins' page of words that mean the same."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from console.desk import desk_of
from console.pages.session import Admins, form_of, text_field
from console.pages.view import page, translator
from console.words.errors import error_in_words
from core.domain.errors import DeskError, InvalidInput
from core.domain.ids import OrganisationId, SynonymsId
from core.domain.knowledge import Synonyms
from core.storage.engine import storage_errors
from core.storage.queries.feed import feed_end
from core.storage.queries.requester_records.organisations import organisation_names

router = APIRouter(prefix="/console/admin/synonyms")

_LIST = "/console/admin/synonyms"


@router.get("")
async def show_synonyms(request: Request, _: Admins) -> Response:
    """List words that mean the same, with a form to add some."""
    return await _page(request)


@router.post("")
async def add_synonyms(request: Request, _: Admins) -> Response:
    """Let words mean the same."""
    form = await form_of(request)
    terms, organisation = text_field(form, "terms"), text_field(form, "organisation")
    try:
        await desk_of(request).synonyms.create(_terms(terms), _organisation(organisation))
    except DeskError as error:
        return await _page(
            request, wrong=error, filled={"terms": terms, "organisation": organisation}
        )
    return RedirectResponse(_LIST, 303)


@router.post("/{synonyms}")
async def change_synonyms(request: Request, _: Admins, synonyms: UUID) -> Response:
    """Replace words that mean the same."""
    form = await form_of(request)
    try:
        await desk_of(request).synonyms.change(
            Synonyms(
                id=SynonymsId(synonyms),
                terms=tuple(_terms(text_field(form, "terms"))),
                organisation=_organisation(text_field(form, "organisation")),
            )
        )
    except InvalidInput as error:
        return await _page(request, wrong=error)
    return RedirectResponse(_LIST, 303)


@router.post("/{synonyms}/delete")
async def delete_synonyms(request: Request, _: Admins, synonyms: UUID) -> Response:
    """Let words mean what they say again."""
    await desk_of(request).synonyms.delete(SynonymsId(synonyms))
    return RedirectResponse(_LIST, 303)


async def _page(
    request: Request, *, wrong: DeskError | None = None, filled: dict[str, str] | None = None
) -> Response:
    desk = desk_of(request)
    async with storage_errors(), desk.sessions() as session:
        position = await feed_end(session)
        organisations = await organisation_names(session)
    values: dict[str, Any] = {"terms": "", "organisation": ""} | (filled or {})
    return page(
        request,
        "synonyms.html",
        status=422 if wrong else 200,
        position=position,
        groups=await desk.synonyms.list(),
        organisations=organisations,
        wrong=error_in_words(wrong, translator(request)) if wrong else None,
        filled=values,
    )


def _terms(words: str) -> list[str]:
    return [term.strip() for term in words.replace("\n", "=").split("=") if term.strip()]


def _organisation(words: str) -> OrganisationId | None:
    try:
        return OrganisationId(UUID(words)) if words else None
    except ValueError:
        raise InvalidInput("an organisation is chosen from the list") from None
