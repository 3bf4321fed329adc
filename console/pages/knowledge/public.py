"""The public pages: an article by its address, and where the desk's address leads."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from console.desk import desk_of
from console.pages.view import page
from console.texts import translate
from core.domain.errors import NotFound
from core.domain.ids import ArticleId
from core.domain.knowledge import Article, Audience
from core.domain.languages import CONSOLE_LANGUAGES, spoken

router = APIRouter()


@router.get("/")
async def root() -> Response:
    """Lead to the chat."""
    return RedirectResponse("/chat", 307)


@router.get("/help/{article}")
async def show_help(request: Request, article: str) -> Response:
    """Show a public article to anybody, in the article's own language.

    Raises:
        NotFound: there is none, or it is not for everybody, or not now.
    """
    stored = await desk_of(request).knowledge.get(ArticleId(article.replace("\x00", "")))
    if not _is_public(stored):
        raise NotFound("there is no such article")
    return page(
        request,
        "help.html",
        article=stored,
        say=partial(translate, spoken(stored.language, among=CONSOLE_LANGUAGES)),
    )


def _is_public(article: Article) -> bool:
    today = datetime.now(UTC).date()
    return (
        article.audience == Audience.PUBLIC
        and not article.organisations
        and (article.valid_from is None or article.valid_from <= today)
        and (article.valid_until is None or today <= article.valid_until)
    )
