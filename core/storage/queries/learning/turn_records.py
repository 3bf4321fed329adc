"""Reads what the assistant understood and did, turn by turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, exists, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.ids import ArticleId, ConversationId, TurnId
from core.domain.learning import Deed, Upshot
from core.storage.queries.access.sight import Sight
from core.storage.tables import ArticleRow, Ticket, TurnRecord

_MAX_SEARCH_WORDS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnFilter:
    """Which turns are wanted; an empty filter wants all."""

    deed: Deed | None = None
    upshot: Upshot | None = None
    language: str | None = None
    since: datetime | None = None
    words: str = ""  # each in what was asked or in the intent
    only_missed: bool = False
    conversation: ConversationId | None = None
    sight: Sight | None = None  # of who reads; None sees everything


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnView:
    """One turn of the assistant, with the newest ticket of its conversation."""

    id: TurnId
    conversation: ConversationId
    ticket: int | None
    at: datetime
    language: str
    text: str
    question: str
    is_in_words: bool
    intent: str | None
    confidence: float | None
    guesses: Sequence[Mapping[str, Any]]
    mentions: Sequence[Mapping[str, Any]]
    look_ups: Sequence[Mapping[str, Any]]
    deed: Deed
    reason: str | None
    articles: Mapping[ArticleId, str]  # shown or offered, with their titles as they are now
    upshot: Upshot | None
    is_missed: bool
    model: str | None


async def turn_records(
    session: AsyncSession,
    wanted: TurnFilter,
    *,
    before: tuple[datetime, UUID] | None = None,
    limit: int = 50,
) -> Sequence[TurnView]:
    """Return turns that fit, newest first, from those before the turn `before`."""
    ticket = (
        select(func.max(Ticket.number))
        .where(Ticket.conversation_id == TurnRecord.conversation_id)
        .scalar_subquery()
    )
    query = select(TurnRecord, ticket).where(*_conditions(wanted))
    if before is not None:
        query = query.where(tuple_(TurnRecord.at, TurnRecord.turn_id) < tuple_(*before))
    rows = (
        await session.execute(
            query.order_by(TurnRecord.at.desc(), TurnRecord.turn_id.desc()).limit(limit)
        )
    ).all()
    titles = await _titles(session, {name for row, _ in rows for name in row.articles})
    return [_view(row, number, titles) for row, number in rows]


async def turn_counts(session: AsyncSession, wanted: TurnFilter) -> Mapping[str, int]:
    """Return how many turns that fit there are, by deed."""
    rows = await session.execute(
        select(TurnRecord.deed, func.count())
        .where(*_conditions(wanted))
        .group_by(TurnRecord.deed)
        .order_by(func.count().desc(), TurnRecord.deed)
    )
    return dict(rows.all())


def _conditions(wanted: TurnFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.deed is not None:
        conditions.append(TurnRecord.deed == wanted.deed)
    if wanted.upshot is not None:
        conditions.append(TurnRecord.upshot == wanted.upshot)
    if wanted.language is not None:
        conditions.append(TurnRecord.language == wanted.language)
    if wanted.since is not None:
        conditions.append(TurnRecord.at >= wanted.since)
    if wanted.only_missed:
        conditions.append(TurnRecord.is_missed.is_(True))
    if wanted.conversation is not None:
        conditions.append(TurnRecord.conversation_id == wanted.conversation)
    if wanted.sight is not None:
        conditions.append(
            ~exists().where(
                Ticket.conversation_id == TurnRecord.conversation_id, ~wanted.sight.holds()
            )
        )
    conditions += [
        (TurnRecord.text + " " + func.coalesce(TurnRecord.intent, "")).icontains(
            word, autoescape=True
        )
        for word in wanted.words.split()[:_MAX_SEARCH_WORDS]
    ]
    return conditions


async def _titles(session: AsyncSession, names: set[str]) -> Mapping[str, str]:
    if not names:
        return {}
    rows = await session.execute(
        select(ArticleRow.id, ArticleRow.title).where(ArticleRow.id.in_(names))
    )
    return dict(rows.all())


def _view(row: TurnRecord, ticket: int | None, titles: Mapping[str, str]) -> TurnView:
    return TurnView(
        id=TurnId(row.turn_id),
        conversation=ConversationId(row.conversation_id),
        ticket=ticket,
        at=row.at,
        language=row.language,
        text=row.text,
        question=row.question,
        is_in_words=row.is_in_words,
        intent=row.intent,
        confidence=row.confidence,
        guesses=row.guesses,
        mentions=row.mentions,
        look_ups=row.look_ups,
        deed=Deed(row.deed),
        reason=row.reason,
        articles={ArticleId(name): titles.get(name, name) for name in row.articles},
        upshot=None if row.upshot is None else Upshot(row.upshot),
        is_missed=row.is_missed,
        model=row.model,
    )
