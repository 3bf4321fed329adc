"""Topics in the API: what the assistant missed and what tickets are about, and what to do."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from console.api.knowledge.shapes import ArticleOut, NewArticle
from console.api.learning.examples import ExampleBody, ExampleOut, example_answer
from console.api.principal import EditorCaller, LeadCaller, ReaderCaller
from console.api.shapes import Body, Limit, Nothing, Page, Text
from console.api.tickets.shapes import TicketOut
from console.api.tickets.tickets import answer, ticket_called
from console.desk import desk_of
from console.sight import sight_for
from console.slugs import free_id
from core.domain.errors import NotFound
from core.domain.ids import ArticleId, TopicId
from core.domain.topics import TopicKind, TopicState
from core.storage.engine import storage_errors
from core.storage.queries.learning.topics import (
    AnswerOfAgents,
    ItemView,
    TopicView,
    answers_of,
    items_of,
    topic_view,
    topics,
)

router = APIRouter(prefix="/assistant/topics", tags=["assistant"])

_SHOWN = 50
_FURTHEST = 10_000


class QuestionBody(Body):
    """A question that an article is to answer too."""

    article: Annotated[Text, Field(min_length=1, max_length=200)]
    question: Annotated[Text, Field(min_length=1, max_length=500)]


class TrendOut(BaseModel):
    """How often a topic came up."""

    this_week: int  # in the last seven days
    usual: float  # in an average week of the four before
    growth: float


class TopicOut(BaseModel):
    """A topic of questions, or of tickets."""

    id: UUID
    kind: TopicKind
    title: str  # its most typical question
    words: list[str]  # that tell it from others
    language: str
    state: TopicState
    back: bool  # it goes on though it was settled
    article: str | None
    problem: int | None  # the number of the ticket
    size: int
    trend: TrendOut
    last_at: datetime

    @classmethod
    def of(cls, topic: TopicView) -> Self:
        """Return what the API tells of `topic`."""
        return cls(
            id=topic.id,
            kind=topic.kind,
            title=topic.title,
            words=list(topic.words),
            language=topic.language,
            state=topic.state,
            back=topic.is_back,
            article=topic.article,
            problem=topic.problem,
            size=topic.size,
            trend=TrendOut(
                this_week=topic.trend.this_week,
                usual=topic.trend.usual,
                growth=topic.trend.growth,
            ),
            last_at=topic.last_at,
        )


class TopicItemOut(BaseModel):
    """A question or a ticket of a topic."""

    id: UUID
    text: str
    language: str
    at: datetime
    conversation: UUID
    ticket: int | None
    typical: float  # the cosine with the topic's mean

    @classmethod
    def of(cls, item: ItemView) -> Self:
        """Return what the API tells of `item`."""
        return cls(
            id=item.id,
            text=item.text,
            language=item.language,
            at=item.at,
            conversation=item.conversation,
            ticket=item.ticket,
            typical=item.typical,
        )


class TopicAnswerOut(BaseModel):
    """How an agent answered in a ticket of the topic."""

    ticket: int
    subject: str
    text: str
    at: datetime

    @classmethod
    def of(cls, answered: AnswerOfAgents) -> Self:
        """Return what the API tells of `answered`."""
        return cls(
            ticket=answered.ticket,
            subject=answered.subject,
            text=answered.words,
            at=answered.at,
        )


class WholeTopicOut(TopicOut):
    """A topic with what it is made of."""

    items: list[TopicItemOut]  # the most typical first, 50 at most
    answers: list[TopicAnswerOut]  # the newest first

    @classmethod
    def made_of(
        cls, topic: TopicOut, items: list[TopicItemOut], answers: list[TopicAnswerOut]
    ) -> Self:
        """Return `topic` with its parts."""
        return cls(**topic.model_dump(), items=items, answers=answers)


@router.get("")
async def list_topics(
    request: Request,
    _: ReaderCaller,
    kind: TopicKind = TopicKind.QUESTION,
    settled: Annotated[bool, Query(description="Those that something was done about.")] = False,
    cursor: Annotated[int, Query(ge=0, le=_FURTHEST)] = 0,
    limit: Limit = 50,
) -> Page[TopicOut]:
    """List topics of two or more, what grows fastest first.

    The order changes while you read: what moves meanwhile may come twice, or not.
    """
    async with storage_errors(), desk_of(request).sessions() as session:
        found = await topics(
            session,
            kind,
            datetime.now(UTC),
            settled=settled,
            sight=await sight_for(request, session),
            limit=limit + 1,
            offset=cursor,
        )
    more = len(found) > limit and cursor + limit <= _FURTHEST
    return Page(
        items=[TopicOut.of(topic) for topic in found[:limit]],
        next=str(cursor + limit) if more else None,
    )


@router.get("/{topic}")
async def get_topic(request: Request, _: ReaderCaller, topic: UUID) -> WholeTopicOut:
    """Return a topic with its questions or tickets, and how agents answered them."""
    return await _whole(request, TopicId(topic))


@router.post("/{topic}/articles", status_code=201)
async def write_article(
    request: Request, caller: EditorCaller, topic: UUID, body: NewArticle
) -> ArticleOut:
    """Add an article that answers a topic; it settles the topic."""
    desk, named = desk_of(request), TopicId(topic)
    await _check_seen(request, named)
    article = body.id if body.id is not None else await free_id(desk.knowledge, body.title)
    return ArticleOut.of(await desk.topics.write_article(named, body.article(article), caller))


@router.post("/{topic}/questions")
async def add_question(
    request: Request, caller: EditorCaller, topic: UUID, body: QuestionBody
) -> ArticleOut:
    """Let an article answer another question; it settles the topic."""
    desk, named = desk_of(request), TopicId(topic)
    await _check_seen(request, named)
    changed = await desk.topics.add_question(named, ArticleId(body.article), body.question, caller)
    return ArticleOut.of(changed)


@router.post("/{topic}/examples", status_code=201)
async def add_example(
    request: Request, response: Response, caller: LeadCaller, topic: UUID, body: ExampleBody
) -> ExampleOut:
    """Propose a training example; it settles the topic."""
    desk, named = desk_of(request), TopicId(topic)
    await _check_seen(request, named)
    made = await desk.examples.propose(body.example(), caller)
    with contextlib.suppress(NotFound):  # another topic has taken it in meanwhile
        await desk.topics.settle(named, caller)
    return await example_answer(desk, response, made)


@router.post("/{topic}/problem", status_code=201)
async def make_problem(request: Request, caller: LeadCaller, topic: UUID, _: Nothing) -> TicketOut:
    """Open a problem, a ticket that the topic's unfinished tickets are incidents of."""
    desk, named = desk_of(request), TopicId(topic)
    await _check_seen(request, named)
    number = await desk.topics.make_problem(named, caller)
    return await answer(desk, await ticket_called(desk, str(number)))


@router.post("/{topic}/dismiss")
async def dismiss(request: Request, caller: LeadCaller, topic: UUID, _: Nothing) -> WholeTopicOut:
    """Let a topic rest: nothing is to be done about it."""
    named = TopicId(topic)
    await _check_seen(request, named)
    await desk_of(request).topics.dismiss(named, caller)
    return await _whole(request, named)


@router.post("/{topic}/reopen")
async def reopen(request: Request, caller: LeadCaller, topic: UUID, _: Nothing) -> WholeTopicOut:
    """Let a topic wait for somebody again."""
    named = TopicId(topic)
    await _check_seen(request, named)
    await desk_of(request).topics.reopen(named, caller)
    return await _whole(request, named)


async def _check_seen(request: Request, topic: TopicId) -> None:
    async with storage_errors(), desk_of(request).sessions() as session:
        await _seen(request, session, topic)


async def _seen(request: Request, session: AsyncSession, topic: TopicId) -> TopicView:
    """Return a topic, or raise `NotFound`: also where it holds what the caller may not see."""
    sight = await sight_for(request, session)
    return await topic_view(session, topic, datetime.now(UTC), sight=sight)


async def _whole(request: Request, topic: TopicId) -> WholeTopicOut:
    async with storage_errors(), desk_of(request).sessions() as session:
        sight = await sight_for(request, session)
        view = await _seen(request, session, topic)
        items = await items_of(session, topic, sight=sight, limit=_SHOWN)
        answers = await answers_of(session, topic, sight=sight)
    return WholeTopicOut.made_of(
        TopicOut.of(view),
        [TopicItemOut.of(item) for item in items],
        [TopicAnswerOut.of(one) for one in answers],
    )
