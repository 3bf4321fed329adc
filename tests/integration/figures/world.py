"""A desk whose figures are kept."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from core.domain.figures import Dimension, Period
from core.services.figures.counting import Counting, Report, report
from core.services.figures.facts import FiguresOfTickets
from core.services.reactions import Reactions
from core.services.sla.rules import PromiseBook
from core.storage.engine import Sessions
from tests.integration.sla.world import Promised


class Counted(Promised):
    """A desk that keeps figures."""

    def __init__(self, sessions: Sessions, folder: Path) -> None:
        super().__init__(sessions, folder)
        self.counting = Counting(sessions, PromiseBook(), self.clock)
        self.figures = Reactions(
            sessions, self.accounts, [*self.reactors, FiguresOfTickets()], self.clock
        )

    async def react(self) -> None:
        await self.figures.advance(await self.conversation_id())

    async def report(self, by: Dimension = Dimension.CHANNEL, days: int = 7) -> Report:
        await self.counting.count_all()
        today = self.clock().date()
        period = Period(first=today - timedelta(days=days - 1), last=today)
        async with self.sessions() as session:
            return await report(session, period, by)
