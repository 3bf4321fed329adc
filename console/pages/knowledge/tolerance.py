"""How many of a hundred answers may be wrong: set by admins, with what it would mean."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from console.desk import desk_of
from console.pages.meanwhile import changed_meanwhile, revision_in
from console.pages.session import Admins, Readers, form_of, text_field
from console.pages.view import page, translator
from console.words.errors import error_in_words
from core.domain.errors import DeskError, InvalidInput, Outdated
from core.domain.tolerance import LEAST_QUESTIONS, LOST
from core.services.knowledge.tolerance import SUBJECT
from core.storage.engine import storage_errors
from core.storage.queries.feed import feed_end

router = APIRouter(prefix="/console/assistant/tolerance")

_PATH = "/console/assistant/tolerance"


@router.get("")
async def show_tolerance(request: Request, _: Readers, saved: str = "") -> Response:
    """Show what counts, and what other tolerances would mean."""
    return await _page(request, is_saved=saved == "yes")


@router.post("")
async def set_tolerance(request: Request, signed_in: Admins) -> Response:
    """Set the tolerance; back to what is installed where the form says so."""
    form = await form_of(request)
    written = text_field(form, "wrong_per_hundred")
    try:
        wrong = None if text_field(form, "as_installed") == "yes" else _number(written)
        await desk_of(request).knowledge.tolerance.set(
            wrong, signed_in.agent, revision=revision_in(form)
        )
    except Outdated:
        return await _page(request, is_outdated=True, written=written)
    except DeskError as error:
        return await _page(request, wrong=error, written=written)
    return RedirectResponse(f"{_PATH}?saved=yes", 303)


async def _page(
    request: Request,
    *,
    is_saved: bool = False,
    is_outdated: bool = False,
    wrong: DeskError | None = None,
    written: str | None = None,
) -> Response:
    desk = desk_of(request)
    tolerance = await desk.knowledge.tolerance.get()
    outlook = await desk.knowledge.tolerance.outlook()
    async with storage_errors(), desk.sessions() as session:
        position = await feed_end(session)
    return page(
        request,
        "assistant/tolerance.html",
        status=412 if is_outdated else 422 if wrong else 200,
        position=position,
        tolerance=tolerance,
        outlook=outlook,
        least=LEAST_QUESTIONS,
        lost=LOST,
        written=f"{tolerance.wrong_per_hundred:g}" if written is None else written,
        is_saved=is_saved,
        outdated=is_outdated,
        meanwhile=await changed_meanwhile(request, *SUBJECT) if is_outdated else None,
        wrong=error_in_words(wrong, translator(request)) if wrong else None,
    )


def _number(words: str) -> float:
    try:
        return float(words.strip().replace(",", "."))
    except ValueError:
        raise InvalidInput("wrong answers in 100 are more than 0 and less than 100") from None
