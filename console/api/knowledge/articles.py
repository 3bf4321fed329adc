"""The knowledge base in the API: articles for agents and admins, search for the assistant too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response

from console.api.knowledge.shapes import (
    ArticleBody,
    ArticleOut,
    HitOut,
    NewArticle,
    SynonymsBody,
    SynonymsOut,
)
from console.api.parts import part_of
from console.api.preconditions import IfMatch, tag
from console.api.principal import AdminCaller, AgentCaller, AnyCaller
from console.api.put_back import PutBack
from console.api.shapes import Cursor, Limit, Page, Text
from console.desk import ConsoleDesk, desk_of
from console.slugs import free_id
from core.domain.actor import Role
from core.domain.ids import ArticleId, ConversationId, OrganisationId, SynonymsId, new_id
from core.domain.knowledge import Audience
from core.services.revisions import content_version
from core.storage.engine import storage_errors
from core.storage.queries.knowledge.helpfulness import Helpfulness, helpfulness_of
from core.storage.queries.knowledge.readers import organisation_of

router = APIRouter(route_class=PutBack, prefix="/knowledge", tags=["knowledge"])

ArticleName = Annotated[Text, Path(max_length=200)]


@router.get("/search")
async def search(
    request: Request,
    caller: AnyCaller,
    q: Annotated[Text, Query(description="A question, in the requester's words.")],
    lang: Annotated[
        Text | None, Query(description="The question's language.", max_length=12)
    ] = None,
    limit: Annotated[int, Query(ge=1, le=20)] = 4,
    conversation: Annotated[
        UUID | None, Query(description="Whose requester asks: of articles for organisations.")
    ] = None,
) -> list[HitOut]:
    """Find the articles that answer a question, best first.

    The assistant is shown what is for everybody and for the requester's organisation; agents
    are shown all.
    """
    desk = desk_of(request)
    audience = Audience.PUBLIC if caller.role == Role.ASSISTANT else Audience.INTERNAL
    organisation: OrganisationId | None = None
    if conversation is not None:
        async with storage_errors(), desk.sessions() as session:
            organisation = await organisation_of(session, ConversationId(conversation))
    finding = await desk.knowledge.search(
        q, lang, limit=limit, audience=audience, organisation=organisation
    )
    return [
        HitOut(article_id=hit.article, title=hit.title, score=hit.score, outcome=finding.outcome)
        for hit in finding.hits
    ]


@router.get("/articles")
async def list_articles(
    request: Request,
    _: AgentCaller,
    q: Annotated[Text | None, Query(description="Words of the article.", max_length=500)] = None,
    lang: Annotated[Text | None, Query(max_length=12)] = None,
    cursor: Annotated[Text | None, Query(max_length=500)] = None,
    limit: Limit = 50,
) -> Page[ArticleOut]:
    """List articles, those changed last first, with how often they helped and did not."""
    desk = desk_of(request)
    page = await desk.knowledge.list(cursor, limit, language=lang, query=q)
    said = await _said(desk, [article.id for article in page.items])
    items = [ArticleOut.of(article, said.get(article.id)) for article in page.items]
    return Page(items=items, next=page.next)


@router.post("/articles", status_code=201)
async def create_article(request: Request, _: AdminCaller, body: NewArticle) -> ArticleOut:
    """Add an article; it can be found at once."""
    knowledge = desk_of(request).knowledge
    article_id = body.id if body.id is not None else await free_id(knowledge, body.title)
    return ArticleOut.of(await knowledge.create(body.article(article_id)))


@router.get("/articles/{article}")
async def get_article(
    request: Request, response: Response, _: AgentCaller, article: ArticleName
) -> ArticleOut:
    """Return one article."""
    desk = desk_of(request)
    found = await desk.knowledge.get(ArticleId(article))
    tag(response, content_version(found))
    return ArticleOut.of(found, (await _said(desk, [found.id])).get(found.id))


@router.put("/articles/{article}")
async def put_article(
    request: Request,
    response: Response,
    _: AdminCaller,
    article: ArticleName,
    body: ArticleBody,
    revision: IfMatch,
) -> ArticleOut:
    """Replace an article."""
    knowledge = desk_of(request).knowledge
    changed = body.article(article)
    if body.organisations is None:  # a program that does not know of them opens no article
        stored = await knowledge.get(changed.id)
        changed = replace(changed, organisations=stored.organisations)
    stored = await knowledge.update(changed, revision=revision)
    tag(response, content_version(stored))
    return ArticleOut.of(stored, (await _said(desk_of(request), [stored.id])).get(stored.id))


@router.delete("/articles/{article}", status_code=204)
async def delete_article(request: Request, _: AdminCaller, article: ArticleName) -> Response:
    """Delete an article; it is found no more."""
    await desk_of(request).knowledge.delete(ArticleId(article))
    return Response(status_code=204)


@router.get("/synonyms")
async def list_synonyms(
    request: Request, _: AgentCaller, cursor: Cursor = None, limit: Limit = 50
) -> Page[SynonymsOut]:
    """List words that mean the same, the oldest first."""
    return part_of(await desk_of(request).synonyms.list(), SynonymsOut.of, cursor, limit)


@router.post("/synonyms", status_code=201)
async def create_synonyms(request: Request, _: AdminCaller, body: SynonymsBody) -> SynonymsOut:
    """Let words mean the same; searches know it within two seconds."""
    wanted = body.synonyms(new_id())
    return SynonymsOut.of(await desk_of(request).synonyms.create(wanted.terms, wanted.organisation))


@router.put("/synonyms/{synonyms}")
async def put_synonyms(
    request: Request, _: AdminCaller, synonyms: UUID, body: SynonymsBody, revision: IfMatch
) -> SynonymsOut:
    """Replace words that mean the same."""
    wanted = body.synonyms(synonyms)
    return SynonymsOut.of(await desk_of(request).synonyms.change(wanted, revision=revision))


@router.delete("/synonyms/{synonyms}", status_code=204)
async def delete_synonyms(request: Request, _: AdminCaller, synonyms: UUID) -> Response:
    """Let words mean what they say again."""
    await desk_of(request).synonyms.delete(SynonymsId(synonyms))
    return Response(status_code=204)


async def _said(desk: ConsoleDesk, articles: Sequence[ArticleId]) -> Mapping[str, Helpfulness]:
    async with storage_errors(), desk.sessions() as session:
        return await helpfulness_of(session, articles)
