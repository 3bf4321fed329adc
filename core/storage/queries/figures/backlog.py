"""Reads by how much what waits under each value of a dimension grew, day by day."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date

from sqlalchemy import func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.figures import Dimension
from core.domain.ids import TeamId
from core.storage.packed_counts import spread_out
from core.storage.queries.figures.figures import Span
from core.storage.tables import FigureSum


async def growth_since(
    session: AsyncSession,
    dimension: Dimension,
    first: date,
    teams: Collection[TeamId] | None = None,
) -> Mapping[str, Sequence[int]]:
    """Return how many more tickets were opened than solved under each value on `first` and after.

    For each value by day, up to the last day with a difference; the figures of a year are so many
    that the database packs them. With `teams`, only values that are one of these teams.
    """
    day, more = FigureSum.first - first, FigureSum.opened - FigureSum.solved
    pair = func.int4send(day).concat(func.int4send(more))
    query = (
        select(FigureSum.value, func.string_agg(pair, literal(b"")))
        .where(
            FigureSum.dimension == dimension,
            FigureSum.span == Span.DAY,
            FigureSum.first >= first,
            FigureSum.opened != FigureSum.solved,
        )
        .group_by(FigureSum.value)
    )
    if teams is not None:
        query = query.where(FigureSum.value.in_([str(team) for team in teams]))
    return {value: spread_out(pairs) for value, pairs in await session.execute(query)}
