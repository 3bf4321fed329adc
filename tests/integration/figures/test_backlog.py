"""What waited at the end of each day, told apart."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.domain.assistant import Handoff, HandoffReason
from core.domain.errors import Forbidden, InvalidInput
from core.domain.figures import Dimension, Period
from core.domain.ids import TeamId, new_id
from core.domain.ticket import TicketStatus
from core.services.figures.backlog import BacklogLine, backlog_by
from tests.integration.figures.test_reports import Counted, desk

__all__ = ["desk"]


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
