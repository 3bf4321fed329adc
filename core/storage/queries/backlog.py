"""Reads by how much what waits under each value of a dimension grew, day by day."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.figures import Dimension
from core.domain.ids import TeamId
from core.storage.queries.figures import Span
from core.storage.tables import FigureSum


async def growth_since(
    session: AsyncSession,
    dimension: Dimension,
    first: date,
    teams: Collection[TeamId] | None = None,
) -> Mapping[str, Mapping[date, int]]:
    """Return how many more tickets were opened than solved under each value from `first` on.

    Days without a difference are left out. With `teams`, only values that are one of these teams.
    """
    query = (
        select(
            FigureSum.value,
            func.array_agg(FigureSum.first),
            func.array_agg(FigureSum.opened - FigureSum.solved),
        )
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
    rows = await session.execute(query)
    return {value: dict(zip(days, more, strict=True)) for value, days, more in rows}
