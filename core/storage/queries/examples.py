"""Reads the examples that people taught the assistant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from core.domain.ids import ExampleId
from core.domain.models import Example, ExampleState
from core.storage.tables import AgentRow, TrainingExample

_MAX_SEARCH_WORDS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class ExampleView:
    """An example with who added it."""

    id: ExampleId
    example: Example
    state: ExampleState
    added_by: str
    added_at: datetime
    reviewed_by: str | None


async def examples(
    session: AsyncSession,
    *,
    state: ExampleState | None = None,
    intent: str | None = None,
    language: str | None = None,
    words: str = "",
    limit: int = 200,
) -> Sequence[ExampleView]:
    """Return examples that fit, the newest first."""
    adder, reviewer = aliased(AgentRow), aliased(AgentRow)
    query = (
        select(TrainingExample, adder.name, reviewer.name)
        .join(adder, adder.id == TrainingExample.added_by)
        .outerjoin(reviewer, reviewer.id == TrainingExample.reviewed_by)
    )
    if state is not None:
        query = query.where(TrainingExample.state == state)
    if intent:
        query = query.where(TrainingExample.intent == intent)
    if language:
        query = query.where(TrainingExample.language == language)
    for word in words.split()[:_MAX_SEARCH_WORDS]:
        query = query.where(TrainingExample.text.icontains(word, autoescape=True))
    rows = await session.execute(query.order_by(TrainingExample.id.desc()).limit(limit))
    return [
        ExampleView(
            id=ExampleId(row.id),
            example=Example(text=row.text, intent=row.intent, language=row.language),
            state=ExampleState(row.state),
            added_by=added_by,
            added_at=row.added_at,
            reviewed_by=reviewed_by,
        )
        for row, added_by, reviewed_by in rows
    ]


async def example_counts(session: AsyncSession) -> Mapping[ExampleState, int]:
    """Return how many examples there are in each state."""
    rows = await session.execute(
        select(TrainingExample.state, func.count()).group_by(TrainingExample.state)
    )
    counts = {ExampleState(state): count for state, count in rows}
    return {state: counts.get(state, 0) for state in ExampleState}
