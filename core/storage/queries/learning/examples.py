"""Reads the examples that people taught the assistant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Row, Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from core.domain.errors import NotFound
from core.domain.ids import ExampleId
from core.domain.models import Example, ExampleState
from core.storage.tables import AgentRow, TrainingExample

_MAX_SEARCH_WORDS = 6


_Row = tuple[TrainingExample, str, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredExample:
    """What people decide about an example: its version is made of this."""

    example: Example
    state: ExampleState


@dataclass(frozen=True, slots=True, kw_only=True)
class ExampleView:
    """An example with who added it."""

    id: ExampleId
    stored: StoredExample
    added_by: str
    added_at: datetime
    reviewed_by: str | None

    @property
    def example(self) -> Example:
        """The message and what it means."""
        return self.stored.example

    @property
    def state(self) -> ExampleState:
        """Whether the assistant learns it."""
        return self.stored.state


def stored_example(row: TrainingExample) -> StoredExample:
    """Return what a row says of its example."""
    return StoredExample(
        example=Example(text=row.text, intent=row.intent, language=row.language),
        state=ExampleState(row.state),
    )


async def examples(
    session: AsyncSession,
    *,
    state: ExampleState | None = None,
    intent: str | None = None,
    language: str | None = None,
    words: str = "",
    before: UUID | None = None,
    limit: int = 200,
) -> Sequence[ExampleView]:
    """Return examples that fit, the newest first, from those before `before`."""
    query = _views()
    if state is not None:
        query = query.where(TrainingExample.state == state)
    if intent:
        query = query.where(TrainingExample.intent == intent)
    if language:
        query = query.where(TrainingExample.language == language)
    if before is not None:
        query = query.where(TrainingExample.id < before)
    for word in words.split()[:_MAX_SEARCH_WORDS]:
        query = query.where(TrainingExample.text.icontains(word, autoescape=True))
    rows = await session.execute(query.order_by(TrainingExample.id.desc()).limit(limit))
    return [_view(row) for row in rows]


async def example_view(session: AsyncSession, example: ExampleId) -> ExampleView:
    """Return one example.

    Raises:
        NotFound: there is none.
    """
    row = (await session.execute(_views().where(TrainingExample.id == example))).first()
    if row is None:
        raise NotFound("there is no such example")
    return _view(row)


async def example_counts(session: AsyncSession) -> Mapping[ExampleState, int]:
    """Return how many examples there are in each state."""
    rows = await session.execute(
        select(TrainingExample.state, func.count()).group_by(TrainingExample.state)
    )
    counts = {ExampleState(state): count for state, count in rows}
    return {state: counts.get(state, 0) for state in ExampleState}


def _views() -> Select[*_Row]:
    adder, reviewer = aliased(AgentRow), aliased(AgentRow)
    return (
        select(TrainingExample, adder.name, reviewer.name)
        .join(adder, adder.id == TrainingExample.added_by)
        .outerjoin(reviewer, reviewer.id == TrainingExample.reviewed_by)
    )


def _view(row: Row[*_Row]) -> ExampleView:
    found, added_by, reviewed_by = row
    return ExampleView(
        id=ExampleId(found.id),
        stored=stored_example(found),
        added_by=added_by,
        added_at=found.added_at,
        reviewed_by=reviewed_by,
    )
