"""How many tickets waited at the end of each day, told apart by one dimension."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from operator import sub

from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.errors import Forbidden, InvalidInput
from core.domain.figures import Dimension, Period
from core.domain.ids import TeamId
from core.storage.queries.figures.backlog import growth_since
from core.storage.queries.figures.figures import names_of, waiting_by

TOLD_APART = (
    Dimension.CHANNEL,
    Dimension.TEAM,
    Dimension.AGENT,
    Dimension.CATEGORY,
    Dimension.PRIORITY,
    Dimension.REASON,
)
"""What a ticket that waits has now; hour and weekday are of its opening."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BacklogLine:
    """What waited under one value."""

    value: str  # empty: none
    name: str | None  # of a team, an agent or a category
    waiting: Sequence[int]  # at the end of each day of the period


async def backlog_by(
    session: AsyncSession,
    period: Period,
    by: Dimension,
    teams: Collection[TeamId] | None = None,
    *,
    waiting: Mapping[str, int] | None = None,
) -> Sequence[BacklogLine]:
    """Return what waited at the end of each day, the most at the end of the period first.

    Tickets count under the value that they have now, like what was opened and solved. Values under
    which nothing waited are left out. `waiting` is what waits now under each, where that is known.

    Raises:
        Forbidden: `teams` are given and it is to be told apart by something else.
        InvalidInput: what waits is not told apart so.
    """
    if teams is not None and by != Dimension.TEAM:
        raise Forbidden("you see the figures of your own teams: tell them apart by team")
    now = await waiting_by(session, by, teams) if waiting is None else waiting
    if now is None:
        raise InvalidInput("what waits is not told apart by hour or weekday")
    growth = await growth_since(session, by, period.first, teams)
    days = len(period.days)
    found = {
        value: ends
        for value in {*now, *growth}
        if any(ends := _ends(days, now.get(value, 0), growth.get(value, ())))
    }
    names = await names_of(session, by, list(found))
    lines = [
        BacklogLine(value=value, name=names.get(value), waiting=ends)
        for value, ends in found.items()
    ]
    return sorted(lines, key=lambda line: (-line.waiting[-1], -max(line.waiting), line.value))


def _ends(days: int, now: int, growth: Sequence[int]) -> Sequence[int]:
    """Return how many waited at the end of each of so many days, from how many wait now.

    `growth` has by how much what waits grew on each of these days and after them.
    """
    ends = list(accumulate(reversed(growth), sub, initial=now))
    ends.reverse()  # the first is from before the first day
    found = ends[1 : days + 1]
    found += [now] * (days - len(found))
    return [left if left > 0 else 0 for left in found]
