"""Satisfaction: the requester's page behind a link, and the rules an admin sets."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from console.desk import desk_of
from console.pages.meanwhile import changed_meanwhile, revision_in
from console.pages.session import Leads, form_of, text_field
from console.pages.view import page, translator
from console.texts import translate
from console.words.errors import error_in_words
from console.words.surveys import SCORE
from core.domain.errors import IllegalTransition, InvalidInput, Outdated
from core.domain.languages import CONSOLE_LANGUAGES, spoken
from core.domain.satisfaction import SCORES, SurveyRules
from core.services.revisions import content_version
from core.services.satisfaction.rules import SUBJECT, set_survey_rules, survey_rules
from core.storage.engine import storage_errors
from core.storage.queries.feed import feed_end

router = APIRouter()

_PATH = "/console/admin/satisfaction"


@router.get("/survey/{token}")
async def show_survey(
    request: Request, token: str, score: Annotated[str | None, Query(max_length=3)] = None
) -> Response:
    """Show a survey, with the score that the link chose. Looking at it answers nothing."""
    return await _survey(request, token, chosen=_chosen(score or ""))


@router.post("/survey/{token}")
async def answer_survey(request: Request, token: str) -> Response:
    """Keep what the requester says."""
    form = await form_of(request)
    chosen, comment = _chosen(text_field(form, "score")), text_field(form, "comment")
    try:
        await desk_of(request).survey_answers.answer(token, chosen or 0, comment)
    except InvalidInput as error:
        return await _survey(
            request, token, chosen=chosen, comment=comment, wrong=str(error), status=422
        )
    except IllegalTransition:
        return await _survey(request, token, status=409)
    return await _survey(request, token, is_kept=True)


@router.post("/survey/{token}/reopen")
async def reopen_ticket(request: Request, token: str) -> Response:
    """Open the ticket again, as its requester wants who was not content."""
    try:
        await desk_of(request).survey_answers.reopen(token)
    except IllegalTransition:
        return await _survey(request, token, is_refused=True, status=409)
    return await _survey(request, token, is_reopened=True)


@router.get(_PATH)
async def show_rules(request: Request, _: Leads) -> Response:
    """Show the rules about asking."""
    async with storage_errors(), desk_of(request).sessions() as session:
        rules = await survey_rules(session)
    return await _rules(request, rules)


@router.post(_PATH)
async def change_rules(request: Request, signed_in: Leads) -> Response:
    """Replace the rules about asking."""
    form = await form_of(request)
    try:
        rules = SurveyRules(
            is_on=text_field(form, "is_on") == "yes",
            delay=_span(form, "delay") or timedelta(),
            remind_after=_span(form, "remind_after"),
            lasts=_span(form, "lasts") or timedelta(),
            quiet=_span(form, "quiet") or timedelta(),
            low_score=_chosen(text_field(form, "low_score")) or 0,
            asks_of_assistant=text_field(form, "asks_of_assistant") == "yes",
        )
    except InvalidInput as error:
        async with storage_errors(), desk_of(request).sessions() as session:
            rules = await survey_rules(session)
        wrong = error_in_words(error, translator(request))
        return await _rules(request, rules, wrong=wrong, status=422)
    try:
        async with storage_errors(), desk_of(request).sessions.begin() as session:
            await set_survey_rules(session, rules, signed_in.agent, revision=revision_in(form))
    except Outdated:
        return await _rules(request, rules, outdated=True, status=412)
    return RedirectResponse(f"{_PATH}?saved=1", 303)


def _chosen(words: str) -> int | None:
    return int(words) if words in map(str, SCORES) else None


def _span(form: FormData, name: str) -> timedelta | None:
    words = text_field(form, name).strip().replace(",", ".")
    if not words:
        return None
    try:
        count = float(words)
        in_days = text_field(form, f"{name}.unit") == "days"
        time = timedelta(days=count) if in_days else timedelta(hours=count)
    except (ValueError, OverflowError):
        raise InvalidInput("a number of hours or days is missing") from None
    return time if count > 0 else None


async def _survey(
    request: Request,
    token: str,
    *,
    chosen: int | None = None,
    comment: str | None = None,
    wrong: str | None = None,
    is_kept: bool = False,
    is_reopened: bool = False,
    is_refused: bool = False,
    status: int = 200,
) -> Response:
    view = await desk_of(request).survey_answers.view(token)
    language = spoken(view.language, among=CONSOLE_LANGUAGES)
    say = partial(translate, language)
    answer = page(
        request,
        "survey.html",
        status=status,
        survey=view,
        survey_language=language,
        say=say,
        scores=dict(enumerate(SCORE, start=1)),
        chosen=chosen or view.score,
        comment=view.comment if comment is None else comment,
        wrong=None if wrong is None else say(wrong),
        is_kept=is_kept,
        is_reopened=is_reopened,
        is_refused=is_refused,
        survey_path=f"/survey/{token}",
    )
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer


async def _rules(
    request: Request,
    rules: SurveyRules,
    *,
    outdated: bool = False,
    wrong: str | None = None,
    status: int = 200,
) -> Response:
    async with storage_errors(), desk_of(request).sessions() as session:
        position = await feed_end(session)
        kept = await survey_rules(session)
    return page(
        request,
        "survey_rules.html",
        status=status,
        position=position,
        rules=rules,
        revision=content_version(kept),
        outdated=outdated,
        meanwhile=await changed_meanwhile(request, *SUBJECT) if outdated else None,
        wrong=wrong,
        is_saved=request.query_params.get("saved") == "1",
        scores=dict(enumerate(SCORE, start=1)),
    )
