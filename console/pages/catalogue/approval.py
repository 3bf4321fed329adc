"""The page behind an approver's link: what is asked for, and a button for each decision."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from console.desk import desk_of
from console.pages.session import form_of, text_field
from console.pages.view import ZONE_COOKIE, page
from console.texts import translate
from console.times import Times
from core.domain.catalogue import DecidedAlready
from core.domain.errors import Forbidden, InvalidInput
from core.domain.languages import CONSOLE_LANGUAGES, spoken
from core.services.audit import done_from
from core.services.catalogue.approving import decision_named

router = APIRouter(prefix="/approval")


@router.get("/{token}")
async def show_request(
    request: Request, token: str, decision: Annotated[str | None, Query(max_length=20)] = None
) -> Response:
    """Show a request, with the decision that the link chose. Looking at it decides nothing."""
    return await _request(request, token, chosen=decision or "")


@router.post("/{token}")
async def decide(request: Request, token: str) -> Response:
    """Keep what the approver says."""
    form = await form_of(request)
    reason = text_field(form, "reason")
    try:
        decision = decision_named(text_field(form, "decision"))
        with _from(request):
            approvals = desk_of(request).catalogue.approvals
            await approvals.decide_by_link(token, decision, reason)
    except InvalidInput as error:
        return await _request(request, token, reason=reason, wrong=str(error), status=422)
    except DecidedAlready:
        return await _request(request, token, is_late=True, status=409)
    except Forbidden as error:
        return await _request(request, token, wrong=str(error), status=403)
    return await _request(request, token, is_kept=True)


async def _request(
    request: Request,
    token: str,
    *,
    chosen: str = "",
    reason: str = "",
    wrong: str = "",
    is_kept: bool = False,
    is_late: bool = False,
    status: int = 200,
) -> Response:
    with _from(request):
        view = await desk_of(request).catalogue.approvals.view(token)
    language = spoken(view.language, among=CONSOLE_LANGUAGES)
    say = partial(translate, language)
    answer = page(
        request,
        "catalogue/approval.html",
        status=status,
        asked=view,
        asked_language=language,
        say=say,
        asked_times=Times(language, request.cookies.get(ZONE_COOKIE)),
        chosen=chosen,
        reason=reason,
        wrong=say(wrong) if wrong else "",
        is_kept=is_kept,
        is_late=is_late,
    )
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer


def _from(request: Request) -> AbstractContextManager[None]:
    return done_from(request.client.host if request.client else None)
