"""Topics of what the assistant missed, and of tickets; and what is done about them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from console.desk import desk_of
from console.pages.knowledge.articles import Draft
from console.pages.session import Admins, Leads, Readers, form_of, text_field
from console.pages.view import page, translator
from console.words.errors import error_in_words
from core.domain.actor import Agent
from core.domain.errors import DeskError, InvalidInput
from core.domain.ids import ArticleId, TopicId
from core.domain.knowledge import Audience, Hit
from core.domain.topics import TopicKind
from core.services.learning.examples import known_intents
from core.storage.engine import storage_errors
from core.storage.queries.access.sight import sight_of
from core.storage.queries.feed import feed_end
from core.storage.queries.learning.topics import ItemView, answers_of, items_of, topic_view, topics
from core.storage.queries.requester_records.organisations import organisation_names

router = APIRouter(prefix="/console/assistant/topics")

_LIST = "/console/assistant/topics"
_SHOWN = 50
_QUESTIONS = 8  # of a topic that an article begins with
_ARTICLES = 8  # to choose from
_QUESTION_CHARS = 500


@router.get("")
async def show_topics(
    request: Request, signed_in: Readers, kind: str = TopicKind.QUESTION, settled: bool = False
) -> Response:
    """List topics, what grows fastest first."""
    chosen = TopicKind(kind) if kind in set(TopicKind) else TopicKind.QUESTION
    desk = desk_of(request)
    async with storage_errors(), desk.sessions() as session:
        position = await feed_end(session)
        sight = await sight_of(session, signed_in.agent)
        found = await topics(session, chosen, datetime.now(UTC), settled=settled, sight=sight)
    return page(
        request,
        "assistant/topics.html",
        position=position,
        topics=found,
        kind=chosen,
        settled=settled,
    )


@router.get("/{topic}")
async def show_topic(request: Request, signed_in: Readers, topic: UUID) -> Response:
    """Show a topic: what it is made of, how agents answered, and what can be done."""
    return await _page(request, signed_in.agent, TopicId(topic))


@router.get("/{topic}/article")
async def begin_article(request: Request, _: Admins, topic: UUID) -> Response:
    """Show the form of a new article that a topic asks for; nothing is stored yet."""
    desk = desk_of(request)
    async with storage_errors(), desk.sessions() as session:
        position = await feed_end(session)
        organisations = await organisation_names(session)
        view = await topic_view(session, TopicId(topic), datetime.now(UTC))
        items = await items_of(session, TopicId(topic), limit=_SHOWN)
        sources = await answers_of(session, TopicId(topic))
    draft = Draft(
        topic=str(topic),
        title=view.title[:300],
        language=view.language,
        questions="\n".join(_questions(items, besides=view.title)),
        body=sources[0].words if sources else "",
        audience=Audience.PUBLIC,
    )
    return page(
        request,
        "article_edit.html",
        position=position,
        organisations=organisations,
        draft=draft,
        is_new=True,
        wrong=None,
        saved=False,
        sources=sources,
    )


@router.post("/{topic}/question")
async def add_question(request: Request, signed_in: Admins, topic: UUID) -> Response:
    """Let an article answer one of the topic's questions."""
    form = await form_of(request)
    article = ArticleId(text_field(form, "article"))
    question = text_field(form, "question")
    try:
        changed = await desk_of(request).topics.add_question(
            TopicId(topic), article, question, signed_in.agent
        )
    except DeskError as error:
        return await _page(request, signed_in.agent, TopicId(topic), wrong=error)
    return RedirectResponse(f"/console/knowledge/articles/{changed.id}?saved=1", 303)


@router.post("/{topic}/problem")
async def make_problem(request: Request, signed_in: Leads, topic: UUID) -> Response:
    """Open a problem for the topic's tickets."""
    await check_seen(request, signed_in.agent, TopicId(topic))
    try:
        number = await desk_of(request).topics.make_problem(TopicId(topic), signed_in.agent)
    except InvalidInput as error:
        return await _page(request, signed_in.agent, TopicId(topic), wrong=error)
    return RedirectResponse(f"/console/tickets/{number}", 303)


@router.post("/{topic}/dismiss")
async def dismiss(request: Request, signed_in: Leads, topic: UUID) -> Response:
    """Let the topic rest."""
    await check_seen(request, signed_in.agent, TopicId(topic))
    await desk_of(request).topics.dismiss(TopicId(topic), signed_in.agent)
    return RedirectResponse(f"{_LIST}?kind={await _kind(request)}", 303)


@router.post("/{topic}/reopen")
async def reopen(request: Request, signed_in: Leads, topic: UUID) -> Response:
    """Let the topic wait for somebody again."""
    await check_seen(request, signed_in.agent, TopicId(topic))
    await desk_of(request).topics.reopen(TopicId(topic), signed_in.agent)
    return RedirectResponse(f"{_LIST}/{topic}", 303)


async def check_seen(request: Request, agent: Agent, topic: TopicId) -> None:
    """Raise `NotFound` where a topic is not there, or holds what `agent` may not see."""
    async with storage_errors(), desk_of(request).sessions() as session:
        sight = await sight_of(session, agent)
        await topic_view(session, topic, datetime.now(UTC), sight=sight)


async def _kind(request: Request) -> str:
    kind = text_field(await form_of(request), "kind")
    return kind if kind in set(TopicKind) else TopicKind.QUESTION


async def _page(
    request: Request, agent: Agent, topic: TopicId, *, wrong: DeskError | None = None
) -> Response:
    desk = desk_of(request)
    async with storage_errors(), desk.sessions() as session:
        position = await feed_end(session)
        sight = await sight_of(session, agent)
        view = await topic_view(session, topic, datetime.now(UTC), sight=sight)
        items = await items_of(session, topic, sight=sight, limit=_SHOWN)
        answers = await answers_of(session, topic, sight=sight)
        intents = await known_intents(session)
    hits: Sequence[Hit] = ()
    if view.kind == TopicKind.QUESTION:
        found = await desk.knowledge.search(
            view.title, view.language, limit=_ARTICLES, audience=Audience.INTERNAL
        )
        hits = found.hits
    return page(
        request,
        "assistant/topic.html",
        status=422 if wrong else 200,
        position=position,
        topic=view,
        items=items,
        questions=_questions(items),
        answers=answers,
        intents=intents,
        hits=hits,
        wrong=error_in_words(wrong, translator(request)) if wrong else None,
    )


def _questions(items: Sequence[ItemView], besides: str = "") -> list[str]:
    """Return the most typical wordings, each once, without line breaks."""
    known = {besides.casefold()}
    found: list[str] = []
    for item in items:
        words = " ".join(item.text.split())[:_QUESTION_CHARS]
        if words and words.casefold() not in known:
            known.add(words.casefold())
            found.append(words)
    return found[:_QUESTIONS]
