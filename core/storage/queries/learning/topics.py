"""Reads topics: how they grow, what they are made of, and how people answered them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Float, Row, Select, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from core.domain.errors import NotFound
from core.domain.ids import ArticleId, ConversationId, TopicId
from core.domain.ticket import CATEGORY, StatusCategory, TicketStatus
from core.domain.topics import WEEK, WEEKS_BEFORE, TopicKind, TopicState, Trend
from core.storage.queries.access.sight import Sight
from core.storage.queries.conversations.messages import LAST_ANSWER
from core.storage.tables import ArticleRow, Ticket, Topic, TopicItem

_LEAST_ITEMS = 2
_BACK_AGAIN = 3
"""So many new items make a topic that was settled worth looking at once more."""

_ANSWER_CHARS = 5_000
_Row = tuple[Topic, str, int, int, int, int, datetime, int]
_DONE = [s for s in TicketStatus if CATEGORY[s] == StatusCategory.DONE]


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicView:
    """A topic as lists show it."""

    id: TopicId
    kind: TopicKind
    language: str
    title: str
    words: Sequence[str]
    state: TopicState
    article: ArticleId | None
    article_title: str | None
    problem: int | None  # the ticket's number
    size: int
    trend: Trend
    last_at: datetime
    since: int  # items that came after it was settled

    @property
    def is_back(self) -> bool:
        """Whether it goes on though it was settled."""
        return self.state == TopicState.DONE and self.since >= _BACK_AGAIN


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemView:
    """A question or a ticket of a topic."""

    id: UUID
    text: str
    language: str
    at: datetime
    conversation: ConversationId
    ticket: int | None  # the newest of its conversation
    typical: float  # its cosine with the topic's mean


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerOfAgents:
    """What an agent last said in a ticket that is done."""

    ticket: int
    subject: str
    words: str
    at: datetime


async def topics(
    session: AsyncSession,
    kind: TopicKind,
    now: datetime,
    *,
    settled: bool = False,
    sight: Sight | None = None,
    limit: int = 100,
    offset: int = 0,
) -> Sequence[TopicView]:
    """Return topics of two items or more, what grows fastest first, after the first `offset`.

    Those that wait for somebody, or, if `settled`, those that something was done about. Of topics
    that hold what is out of `sight`, nothing is told.
    """
    query = _views(now).where(Topic.kind == kind)
    if sight is not None:
        query = query.where(~_hides(sight))
    since = _since()
    if settled:
        query = query.where(Topic.state != TopicState.OPEN)
    else:
        query = query.having(
            or_(
                Topic.state == TopicState.OPEN,
                (Topic.state == TopicState.DONE) & (since >= _BACK_AGAIN),
            )
        )
    growth = _this_week(now) - _before(now) / float(WEEKS_BEFORE)
    rows = await session.execute(
        query.having(func.count() >= _LEAST_ITEMS)
        .order_by(growth.desc(), func.count().desc(), Topic.id)
        .limit(limit)
        .offset(offset)
    )
    return [_view(row) for row in rows]


async def topic_view(
    session: AsyncSession, topic: TopicId, now: datetime, *, sight: Sight | None = None
) -> TopicView:
    """Return a topic.

    Raises:
        NotFound: there is none in `sight`; another one may have taken its items.
    """
    query = _views(now).where(Topic.id == topic)
    if sight is not None:
        query = query.where(~_hides(sight))
    row = (await session.execute(query)).first()
    if row is None:
        raise NotFound("there is no such topic")
    return _view(row)


async def items_of(
    session: AsyncSession, topic: TopicId, *, sight: Sight | None = None, limit: int = 100
) -> Sequence[ItemView]:
    """Return what a topic is made of, as far as `sight` goes, the most typical first."""
    number = (
        select(func.max(Ticket.number))
        .where(Ticket.conversation_id == TopicItem.conversation_id)
        .scalar_subquery()
    )
    distance = TopicItem.vector.op("<=>", return_type=Float())(Topic.vector)
    rows = await session.execute(
        select(TopicItem, number, 1 - distance)
        .join(Topic, Topic.id == TopicItem.topic_id)
        .where(Topic.id == topic, *_seen(sight))
        .order_by(distance, TopicItem.id)
        .limit(limit)
    )
    return [
        ItemView(
            id=item.id,
            text=item.text,
            language=item.language,
            at=item.at,
            conversation=ConversationId(item.conversation_id),
            ticket=ticket,
            typical=typical,
        )
        for item, ticket, typical in rows
    ]


async def answers_of(
    session: AsyncSession, topic: TopicId, *, sight: Sight | None = None, limit: int = 5
) -> Sequence[AnswerOfAgents]:
    """Return how agents answered a topic's questions, the newest first."""
    of_topic = select(TopicItem.conversation_id).where(TopicItem.topic_id == topic)
    conditions = [] if sight is None else [sight.holds()]
    rows = await session.execute(
        select(Ticket.number, Ticket.subject, LAST_ANSWER, Ticket.updated_at)
        .where(
            Ticket.conversation_id.in_(of_topic),
            Ticket.status.in_(_DONE),
            LAST_ANSWER.is_not(None),
            *conditions,
        )
        .order_by(Ticket.solved_at.desc().nulls_last(), Ticket.id.desc())
        .limit(limit)
    )
    return [
        AnswerOfAgents(ticket=number, subject=subject, words=words[:_ANSWER_CHARS], at=at)
        for number, subject, words, at in rows
    ]


def _seen(sight: Sight | None) -> list[ColumnElement[bool]]:
    if sight is None:
        return []
    return [~exists().where(Ticket.conversation_id == TopicItem.conversation_id, ~sight.holds())]


def _hides(sight: Sight) -> ColumnElement[bool]:
    item = aliased(TopicItem)
    return exists(
        select(item.id)
        .join(Ticket, Ticket.conversation_id == item.conversation_id)
        .where(item.topic_id == Topic.id, ~sight.holds())
        .correlate(Topic)
    )


def _this_week(now: datetime) -> ColumnElement[int]:
    return func.count().filter(TopicItem.at > now - WEEK)


def _before(now: datetime) -> ColumnElement[int]:
    first = now - WEEK * (1 + WEEKS_BEFORE)
    return func.count().filter(TopicItem.at <= now - WEEK, TopicItem.at > first)


def _since() -> ColumnElement[int]:
    return func.count().filter(TopicItem.at > Topic.decided_at)


def _views(now: datetime) -> Select[*_Row]:
    return (
        select(
            Topic,
            ArticleRow.title.label("article_title"),
            Ticket.number.label("problem"),
            func.count().label("size"),
            _this_week(now).label("this_week"),
            _before(now).label("before"),
            func.max(TopicItem.at).label("last_at"),
            _since().label("since"),
        )
        .join(TopicItem, TopicItem.topic_id == Topic.id)
        .outerjoin(ArticleRow, ArticleRow.id == Topic.article_id)
        .outerjoin(Ticket, Ticket.id == Topic.problem_id)
        .group_by(Topic.id, ArticleRow.title, Ticket.number)
    )


def _view(row: Row[*_Row]) -> TopicView:
    topic, article_title, problem, size, this_week, before, last_at, since = row
    return TopicView(
        id=TopicId(topic.id),
        kind=TopicKind(topic.kind),
        language=topic.language,
        title=topic.title,
        words=topic.words,
        state=TopicState(topic.state),
        article=None if topic.article_id is None else ArticleId(topic.article_id),
        article_title=article_title,
        problem=problem,
        size=size,
        trend=Trend(this_week=this_week, before=before),
        last_at=last_at,
        since=since,
    )
