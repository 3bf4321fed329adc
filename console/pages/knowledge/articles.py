"""The knowledge base for agents to read and admins to write."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from console.desk import ConsoleDesk, desk_of
from console.pages.session import Admins, Agents, form_of, text_field
from console.pages.view import page, translator
from console.slugs import free_id
from console.words.errors import error_in_words
from core.domain.actor import Agent
from core.domain.errors import Conflict, DeskError, InvalidInput, NotFound, TooLarge
from core.domain.ids import ArticleId, OrganisationId, TopicId
from core.domain.knowledge import Article, Audience, Finding
from core.domain.languages import LANGUAGES
from core.storage.engine import storage_errors
from core.storage.queries.feed import feed_end
from core.storage.queries.knowledge.helpfulness import helpfulness_of
from core.storage.queries.requester_records.organisations import organisation_names

router = APIRouter(prefix="/console/knowledge")

_PAGE = 50
_MAX_PREVIEW_CHARS = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An article's form as somebody filled it in."""

    id: str = ""
    title: str = ""
    body: str = ""
    language: str = "en"
    questions: str = ""  # one a line
    tags: str = ""  # separated by commas
    audience: str = Audience.PUBLIC
    translation_of: str = ""
    valid_from: str = ""
    valid_until: str = ""
    organisations: tuple[str, ...] = ()  # ids
    topic: str = ""  # the id of what it was begun for

    @classmethod
    def of(cls, article: Article) -> Draft:
        """Return the form of a stored article."""
        return cls(
            id=article.id,
            title=article.title,
            body=article.body,
            language=article.language,
            questions="\n".join(article.questions),
            tags=", ".join(article.tags),
            audience=article.audience,
            translation_of=article.translation_of or "",
            valid_from=article.valid_from.isoformat() if article.valid_from else "",
            valid_until=article.valid_until.isoformat() if article.valid_until else "",
            organisations=tuple(str(one) for one in article.organisations),
        )

    @classmethod
    def from_form(cls, form: FormData) -> Draft:
        """Return what was filled in."""
        names = [name for name in cls.__slots__ if name != "organisations"]
        chosen = [value for value in form.getlist("organisations") if isinstance(value, str)]
        return cls(
            **{name: text_field(form, name).replace("\r\n", "\n") for name in names},
            organisations=tuple(str(_organisation(one)) for one in chosen),
        )

    def article(self, article_id: str) -> Article:
        """Return the article that was filled in.

        Raises:
            InvalidInput: it cannot be one.
        """
        if self.audience not in set(Audience):
            raise InvalidInput("an article is for everybody or for agents")
        return Article(
            id=ArticleId(article_id),
            language=self.language,
            title=self.title,
            body=self.body,
            questions=tuple(filter(None, map(str.strip, self.questions.splitlines()))),
            tags=tuple(filter(None, map(str.strip, self.tags.split(",")))),
            audience=Audience(self.audience),
            translation_of=ArticleId(self.translation_of.strip())
            if self.translation_of.strip()
            else None,
            valid_from=_date(self.valid_from),
            valid_until=_date(self.valid_until),
            organisations=tuple(_organisation(one) for one in self.organisations),
        )


@router.get("")
async def show_articles(
    request: Request,
    _: Agents,
    q: str = "",
    language: str = "",
    cursor: str | None = None,
) -> Response:
    """List articles, and what the search makes of the words asked for."""
    desk = desk_of(request)
    words = q.replace("\x00", "")[:200].strip()
    wanted = language if language in LANGUAGES else None
    found = await desk.knowledge.list(cursor, _PAGE, language=wanted, query=words or None)
    finding: Finding | None = None
    if words and cursor is None:
        finding = await desk.knowledge.search(words, wanted, audience=Audience.INTERNAL)
    async with storage_errors(), desk.sessions() as session:
        helpful = await helpfulness_of(session, [article.id for article in found.items])
    return await _page(
        request,
        "articles.html",
        articles=found.items,
        helpful=helpful,
        next=found.next,
        q=words,
        wanted=wanted or "",
        finding=finding,
    )


@router.get("/new")
async def new_article(request: Request, _: Admins, translation_of: str = "") -> Response:
    """Show an empty form."""
    draft = Draft(translation_of=translation_of.replace("\x00", "")[:120])
    return await _page(request, "article_edit.html", draft=draft, is_new=True, wrong=None)


@router.post("/new")
async def create_article(request: Request, signed_in: Admins) -> Response:
    """Add an article; a topic that it was begun for is settled by it."""
    desk = desk_of(request)
    knowledge = desk.knowledge
    draft = Draft.from_form(await form_of(request))
    try:
        wanted = draft.id.strip() or await free_id(knowledge, draft.title)
        topic = _topic(draft.topic)
        created = await _stored(desk, draft.article(wanted), topic, signed_in.agent)
    except DeskError as error:
        return await _wrong(request, draft, error, is_new=True)
    return RedirectResponse(f"/console/knowledge/articles/{created.id}?saved=1", 303)


@router.post("/preview")
async def preview(request: Request, _: Admins) -> Response:
    """Show how a body will look."""
    body = text_field(await form_of(request), "body")
    if len(body) > _MAX_PREVIEW_CHARS:
        raise TooLarge("this is too long")
    return page(request, "parts/preview.html", body=body)


@router.get("/articles/{article}")
async def show_article(
    request: Request, signed_in: Agents, article: str, saved: bool = False
) -> Response:
    """Show an article; to admins, the form to change it."""
    stored = await desk_of(request).knowledge.get(ArticleId(article.replace("\x00", "")))
    draft = Draft.of(stored)
    if signed_in.agent.role != "admin":
        return await _page(request, "article_show.html", article=stored)
    return await _page(
        request, "article_edit.html", draft=draft, is_new=False, wrong=None, saved=saved
    )


@router.post("/articles/{article}")
async def change_article(request: Request, _: Admins, article: str) -> Response:
    """Replace an article."""
    draft = replace(Draft.from_form(await form_of(request)), id=article)
    try:
        changed = await desk_of(request).knowledge.update(draft.article(article))
    except DeskError as error:
        return await _wrong(request, draft, error, is_new=False)
    return RedirectResponse(f"/console/knowledge/articles/{changed.id}?saved=1", 303)


@router.post("/articles/{article}/delete")
async def delete_article(request: Request, _: Admins, article: str) -> Response:
    """Delete an article."""
    await desk_of(request).knowledge.delete(ArticleId(article))
    return RedirectResponse("/console/knowledge", 303)


async def _wrong(request: Request, draft: Draft, error: DeskError, *, is_new: bool) -> Response:
    """Show the form again as it was filled in, with what is wrong."""
    if isinstance(error, Conflict):
        error = Conflict("there is an article with this id already")
    said = error_in_words(error, translator(request))
    return await _page(
        request, "article_edit.html", status=422, draft=draft, is_new=is_new, wrong=said
    )


async def _page(
    request: Request, template: str, *, status: int = 200, draft: Draft | None = None, **values: Any
) -> Response:
    chosen = [_organisation(one) for one in draft.organisations] if draft else []
    async with storage_errors(), desk_of(request).sessions() as session:
        position = await feed_end(session)
        organisations = await organisation_names(session, also=chosen)
    return page(
        request,
        template,
        status=status,
        position=position,
        organisations=organisations,
        draft=draft,
        **{"saved": False} | values,
    )


def _organisation(words: str) -> OrganisationId:
    try:
        return OrganisationId(UUID(words))
    except ValueError:
        raise InvalidInput("an organisation is chosen from the list") from None


async def _stored(desk: ConsoleDesk, article: Article, topic: TopicId | None, by: Agent) -> Article:
    if topic is not None:
        with contextlib.suppress(NotFound):  # another topic has taken it in meanwhile
            return await desk.topics.write_article(topic, article, by)
    return await desk.knowledge.create(article)


def _topic(words: str) -> TopicId | None:
    try:
        return TopicId(UUID(words)) if words else None
    except ValueError:
        raise InvalidInput("this page is too old: load it again") from None


def _date(words: str) -> date | None:
    try:
        return date.fromisoformat(words.strip()) if words.strip() else None
    except ValueError:
        raise InvalidInput("a date is written as 2030-12-31") from None
