"""What waited at the end of each day, told apart."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest

from core.domain.assistant import Handoff, HandoffReason
from core.domain.errors import Forbidden, InvalidInput
from core.domain.figures import Dimension, Period
from core.domain.ids import TeamId, new_id
from core.domain.ticket import TicketStatus
from core.services.figures.backlog import BacklogLine, backlog_by
from core.storage.engine import Sessions
from core.storage.tables import FigureSum
from tests.integration.figures.world import Counted


async def _backlog(desk: Counted, by: Dimension, days: int) -> list[BacklogLine]:
    await desk.counting.count_all()
    today = desk.clock().date()
    period = Period(first=today - timedelta(days=days - 1), last=today)
    async with desk.sessions() as session:
        return list(await backlog_by(session, period, by))


async def test_each_value_has_what_waited_at_the_end_of_each_day(desk: Counted) -> None:
    ana, bo = await desk.agent("Ana"), await desk.agent("Bo")
    for thread, agent in (("t1", ana), ("t2", ana), ("t3", bo)):
        conversation = await desk.hear("my screen is broken", thread=thread)
        await desk.reply(conversation, Handoff(reason=HandoffReason.ASKED_FOR_HUMAN))
        await desk.tickets.take(await desk.ticket_id(thread), agent)
        await desk.figures.advance(conversation)
    desk.clock.advance(days=1)
    await desk.tickets.set_status(await desk.ticket_id("t1"), TicketStatus.SOLVED, ana)
    await desk.tickets.set_status(await desk.ticket_id("t3"), TicketStatus.SOLVED, bo)
    for thread in ("t1", "t3"):
        await desk.figures.advance(await desk.conversation_id(thread))
    desk.clock.advance(days=1)
    found = await _backlog(desk, Dimension.AGENT, days=4)
    assert [(line.name, line.waiting) for line in found] == [
        ("Ana", [0, 2, 1, 1]),
        ("Bo", [0, 1, 0, 0]),
    ]
    (channel,) = await _backlog(desk, Dimension.CHANNEL, days=4)
    assert channel.waiting == [0, 3, 1, 1]
    # A period that ends before today knows what happened since.
    today = desk.clock().date()
    before = Period(first=today - timedelta(days=2), last=today - timedelta(days=2))
    async with desk.sessions() as session:
        lines = await backlog_by(session, before, Dimension.AGENT)
    assert [(line.name, line.waiting) for line in lines] == [("Ana", [2]), ("Bo", [1])]


async def test_hours_and_other_teams_are_refused(desk: Counted) -> None:
    today = desk.clock().date()
    period = Period(first=today, last=today)
    async with desk.sessions() as session:
        with pytest.raises(InvalidInput, match="not told apart"):
            await backlog_by(session, period, Dimension.HOUR)
        with pytest.raises(Forbidden):
            await backlog_by(session, period, Dimension.AGENT, [TeamId(new_id())])


async def test_what_waited_is_what_waits_now_without_what_came_since(sessions: Sessions) -> None:
    """Against a count day by day, with days on which nothing was counted and some after the end."""
    drawn = random.Random(2)
    first = date(2026, 1, 1)
    days = [first + timedelta(days=number) for number in range(60)]
    flow = {
        (value, day): (drawn.randint(0, 4), drawn.randint(0, 4))
        for value in ("a", "b", "c")
        for day in days
        if drawn.random() < 0.7
    }
    async with sessions.begin() as session:
        for (value, day), (opened, solved) in flow.items():
            session.add(
                FigureSum(
                    dimension=Dimension.CHANNEL,
                    span="day",
                    first=day,
                    value=value,
                    opened=opened,
                    solved=solved,
                    counts=b"",
                )
            )
    now = {"a": 7, "b": 0, "d": 3}
    period = Period(first=days[10], last=days[50])
    async with sessions() as session:
        lines = await backlog_by(session, period, Dimension.CHANNEL, waiting=now)
    found = {line.value: list(line.waiting) for line in lines}
    assert found["d"] == [3] * 41  # nothing was counted under it
    for value in ("a", "b", "c"):
        expected = []
        for end in period.days:
            since = [flow.get((value, day), (0, 0)) for day in days if day > end]
            more = sum(opened - solved for opened, solved in since)
            expected.append(max(0, now.get(value, 0) - more))
        assert found.get(value, [0] * 41) == expected, value
