"""What reports say of real tickets."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from core.domain.assistant import Answer, Handoff, HandoffReason, Say, Step
from core.domain.figures import Dimension, Measure
from core.domain.ids import ArticleId, ConversationId, TicketId, new_id
from core.domain.ticket import TicketStatus
from core.services.figures.documents import document
from core.services.sla.calendars import CalendarForm
from core.storage.tables import ArticleFeedback, ArticleRow, FigureChange, FigureSum
from tests.integration.figures.world import Counted


async def test_many_changes_have_a_day_counted_once(desk: Counted) -> None:
    ticket = await desk.ticket_opens()
    ana = await desk.agent()
    await desk.counting.count_all()
    for number in range(5):
        await desk.tickets.reply(ticket, ana, f"step {number}")
    await desk.react()
    async with desk.sessions() as session:
        assert await session.scalar(select(func.count()).select_from(FigureChange)) == 1


async def _solved(desk: Counted) -> TicketId:
    ticket = await desk.ticket_opens()
    ana = await desk.agent()
    desk.clock.advance(hours=1)
    await desk.tickets.reply(ticket, ana, "try this")
    desk.clock.advance(hours=2)
    await desk.tickets.set_status(ticket, TicketStatus.SOLVED, ana)
    await desk.react()
    return ticket


async def test_a_solved_ticket_is_counted_with_its_times(desk: Counted) -> None:
    await desk.promise(first_response=2, resolution=2)
    await _solved(desk)
    found = await desk.report()
    assert (found.total.opened, found.total.solved, found.waiting_now) == (1, 1, 0)
    first = found.total.times[Measure.FIRST_RESPONSE]
    assert first.median == pytest.approx(3600, rel=0.1)
    assert found.total.times[Measure.RESOLUTION].median == pytest.approx(3 * 3600, rel=0.1)
    assert (found.total.kept, found.total.broken) == (1, 1)


async def test_business_time_counts_by_the_usual_calendar(desk: Counted) -> None:
    hour = (desk.clock().hour + 12) % 24
    await desk.calendar(f"{hour:02}:00-{hour:02}:30", is_default=True)
    await _solved(desk)
    found = await desk.report()
    assert found.total.times[Measure.FIRST_RESPONSE_BUSINESS].median == pytest.approx(0, abs=1)


async def test_an_open_ticket_is_backlog(desk: Counted) -> None:
    await desk.ticket_opens()
    found = await desk.report()
    assert found.waiting_now == 1
    assert list(found.backlog.values())[-2:] == [0, 1]


async def test_a_ticket_that_comes_back_is_counted_as_reopened_when_it_is_solved(
    desk: Counted,
) -> None:
    ticket = await _solved(desk)
    await desk.hear("it is back")
    await desk.react()
    assert (await desk.report()).total.solved == 0
    await desk.tickets.set_status(ticket, TicketStatus.SOLVED, await desk.agent("Bea"))
    await desk.react()
    found = await desk.report()
    assert (found.total.solved, found.total.reopened) == (1, 1)


async def test_tickets_are_told_apart_by_agent_and_reason(desk: Counted) -> None:
    await _solved(desk)
    found = await desk.report(Dimension.AGENT)
    assert [(line.name, line.tally.solved) for line in found.lines] == [("Ana", 1)]
    assert list(found.reasons) == ["asked_for_human"]


async def _asked(desk: Counted, thread: str, *steps: Step) -> ConversationId:
    conversation = await desk.hear("where is the canteen?", thread=thread)
    await desk.reply(conversation, *steps)
    return conversation


async def test_the_assistant_alone_is_what_it_answered_and_nobody_complained_of(
    desk: Counted,
) -> None:
    async with desk.sessions.begin() as session:
        session.add(ArticleRow(id="canteen", language="en", title="Canteen", body="Upstairs."))
    shown = Answer(article=ArticleId("canteen"))
    await _asked(desk, "answered", shown)
    await _asked(desk, "greeted", Say(text="Hello!"))
    await _asked(desk, "left waiting", shown)
    await desk.hear("and on Sundays?", thread="left waiting")
    judged = await _asked(desk, "complained", shown)
    async with desk.sessions.begin() as session:
        session.add(
            ArticleFeedback(
                id=new_id(),
                article_id="canteen",
                conversation_id=judged,
                helped=False,
                at=desk.clock(),
            )
        )
    await desk.ticket_opens()
    found = await desk.report()
    assert (found.total.conversations, found.total.alone) == (5, 1)
    (canteen,) = found.articles
    assert (canteen.title, canteen.said.helped, canteen.said.not_helped) == ("Canteen", 0, 1)
    assert document(found).answers_not_helped == 1


async def test_what_waits_is_told_apart_and_times_are_counted_apart(desk: Counted) -> None:
    await _solved(desk)
    conversation = await desk.hear("and my mouse", thread="t2")
    await desk.reply(conversation, Handoff(reason=HandoffReason.ASKED_FOR_HUMAN))
    found = await desk.report(Dimension.AGENT)
    assert {line.name: line.waiting for line in found.lines} == {"Ana": 0, None: 1}
    assert found.total.times[Measure.ASSISTANT].count == 1
    assert found.total.times[Measure.WORK].count == 1
    assert (await desk.report(Dimension.HOUR)).lines[0].waiting is None


async def test_days_are_the_desks_own_and_another_zone_counts_all_anew(desk: Counted) -> None:
    await _solved(desk)
    assert (await desk.report()).zone == "UTC"
    zone = "Pacific/Kiritimati"
    await desk.calendars.add(
        CalendarForm(name="Far", zone=zone, week=["00:00-24:00"] * 7), await desk.admin()
    )
    found = await desk.report(days=30)
    assert found.zone == zone
    async with desk.sessions() as session:
        counted = await session.scalar(
            select(func.sum(FigureSum.opened)).where(
                FigureSum.span == "day", FigureSum.dimension == "all"
            )
        )
    assert counted == 1


async def test_counting_twice_counts_once(desk: Counted) -> None:
    await _solved(desk)
    await desk.report()
    desk.clock.advance(minutes=11)
    assert (await desk.report()).total.opened == 1


async def test_another_zone_counts_days_anew_on_which_only_the_assistant_was_busy(
    desk: Counted,
) -> None:
    await desk.hear("where is the canteen?")
    await desk.report()
    desk.clock.advance(days=10)  # beyond the days that are looked at again by themselves
    await desk.calendars.add(
        CalendarForm(name="Near", zone="Europe/Madrid", week=["00:00-24:00"] * 7),
        await desk.admin(),
    )
    assert (await desk.report(days=30)).total.conversations == 1
