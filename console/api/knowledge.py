"""The knowledge base in the API: articles for agents and admins, search for the assistant too."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from console.api.principal import AdminCaller, AgentCaller, AnyCaller
from console.api.shapes import (
    MAX_PAGE,
    ArticleBody,
    ArticleOut,
    HitOut,
    NewArticle,
    Page,
    Text,
)
from console.desk import desk_of
from console.slugs import free_id
from core.domain.actor import Role
from core.domain.ids import ArticleId
from core.domain.knowledge import Audience

router = APIRouter(prefix="/knowledge", tags=["knowledge"])

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
) -> list[HitOut]:
    """Find the articles that answer a question, best first. The assistant sees public ones."""
    audience = Audience.PUBLIC if caller.role == Role.ASSISTANT else Audience.INTERNAL
    finding = await desk_of(request).knowledge.search(q, lang, limit=limit, audience=audience)
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
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
) -> Page[ArticleOut]:
    """List articles, those changed last first."""
    page = await desk_of(request).knowledge.list(cursor, limit, language=lang, query=q)
    return Page(items=[ArticleOut.of(article) for article in page.items], next=page.next)


@router.post("/articles", status_code=201)
async def create_article(request: Request, _: AdminCaller, body: NewArticle) -> ArticleOut:
    """Add an article; it can be found at once."""
    knowledge = desk_of(request).knowledge
    article_id = body.id if body.id is not None else await free_id(knowledge, body.title)
    return ArticleOut.of(await knowledge.create(body.article(article_id)))


@router.get("/articles/{article}")
async def get_article(request: Request, _: AgentCaller, article: ArticleName) -> ArticleOut:
    """Return one article."""
    return ArticleOut.of(await desk_of(request).knowledge.get(ArticleId(article)))


@router.put("/articles/{article}")
async def put_article(
    request: Request, _: AdminCaller, article: ArticleName, body: ArticleBody
) -> ArticleOut:
    """Replace an article."""
    return ArticleOut.of(await desk_of(request).knowledge.update(body.article(article)))


@router.delete("/articles/{article}", status_code=204)
async def delete_article(request: Request, _: AdminCaller, article: ArticleName) -> Response:
    """Delete an article; it is found no more."""
    await desk_of(request).knowledge.delete(ArticleId(article))
    return Response(status_code=204)
