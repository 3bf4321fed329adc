"""What requesters are told outside hours, and how silent tickets end."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from core.domain.assistant import HandoffReason
from core.domain.conversation import Speaker
from core.domain.errors import Conflict, InvalidInput
from core.domain.ids import TicketId
from core.domain.ticket import TicketStatus
from core.services.ledger import Ledger
from core.services.locks import locked
from core.services.sla.calendars import CalendarForm
from core.services.sla.rules import Closing
from core.storage.tables import Contact, Conversation
from tests.integration.sla.world import Promised


async def _closed_now(desk: Promised) -> None:
    """Let the desk be open only in the hour that is twelve hours away."""
    hour = (desk.clock().hour + 12) % 24
    await desk.promise(calendar=await desk.calendar(f"{hour:02}:00-{hour:02}:59"), resolution=1)


async def _notices(desk: Promised, words: str = "not here right now") -> list[str]:
    return [text for _, text in await desk.texts() if words in text]


async def test_who_writes_outside_hours_is_told_once_when_somebody_is_there(
    desk: Promised,
) -> None:
    await _closed_now(desk)
    await desk.ticket_opens()
    await desk.hear("hello?")
    await desk.react()
    (notice,) = await _notices(desk)
    opening = (desk.clock().hour + 12) % 24
    assert f"at {opening:02}:00 (UTC)" in notice


async def test_after_an_answer_a_new_question_is_told_again(desk: Promised) -> None:
    await _closed_now(desk)
    ticket = await desk.ticket_opens()
    await desk.tickets.reply(ticket, await desk.agent(), "try turning it off")
    await desk.hear("did that")
    await desk.react()
    assert len(await _notices(desk)) == 1  # the agent was there a moment ago
    desk.clock.advance(hours=24)
    await desk.hear("still broken")
    await desk.react()
    assert len(await _notices(desk)) == 2


async def test_it_is_told_in_the_requesters_language_and_time_zone(desk: Promised) -> None:
    await _closed_now(desk)
    await desk.hear("mi pantalla está rota")
    async with desk.sessions.begin() as session:
        await session.execute(update(Contact).values(time_zone="Etc/GMT-3"))
        await session.execute(update(Conversation).values(language="es"))
    await desk.ticket_opens()
    (notice,) = [text for _, text in await desk.texts() if "nuestro equipo no está" in text.lower()]
    opening = (desk.clock().hour + 12 + 3) % 24
    assert f"a las {opening:02}:00" in notice
    assert "UTC" not in notice


@pytest.mark.parametrize("reason", [HandoffReason.EMERGENCY, HandoffReason.UNVERIFIED_AUTHOR])
async def test_emergencies_and_doubtful_authors_are_not_told(
    desk: Promised, reason: HandoffReason
) -> None:
    await _closed_now(desk)
    await desk.ticket_opens(reason=reason)
    assert await _notices(desk) == []


async def test_nobody_is_told_in_business_hours(desk: Promised) -> None:
    await desk.promise(calendar=await desk.calendar("00:00-24:00"), resolution=1)
    await desk.ticket_opens()
    assert await _notices(desk) == []


async def _pending(desk: Promised, **days: int) -> TicketId:
    await desk.calendar("00:00-24:00", is_default=True)
    await desk.policies.set_closing(Closing(**days), await desk.admin())
    ticket = await desk.ticket_opens()
    await desk.tickets.set_status(ticket, TicketStatus.PENDING, await desk.agent())
    await desk.react()
    return ticket


async def test_a_pending_ticket_is_reminded_of_once_and_then_solved(desk: Promised) -> None:
    await _pending(desk, remind_after_days=3, solve_after_days=5, close_after_days=2)
    assert await desk.closing.end_due() == 0
    desk.clock.advance(days=3, minutes=1)
    assert await desk.closing.end_due() == 1
    await desk.react()
    assert await desk.closing.end_due() == 0
    (reminder,) = await _notices(desk, "still waiting for your answer")
    assert "we will take it as solved on" in reminder
    desk.clock.advance(days=2)
    assert await desk.closing.end_due() == 1
    await desk.react()
    assert (await desk.ticket()).status == TicketStatus.SOLVED
    desk.clock.advance(days=2, minutes=1)
    assert await desk.closing.end_due() == 1
    assert (await desk.ticket()).status == TicketStatus.CLOSED


async def test_business_days_leave_weekends_and_holidays_out(desk: Promised) -> None:
    friday = desk.clock().replace(hour=10, minute=0, second=0, microsecond=0)
    friday += timedelta(days=7 + (4 - friday.weekday()) % 7)
    tuesday = (friday + timedelta(days=4)).date().isoformat()
    form = CalendarForm(
        name="Office",
        zone="UTC",
        week=[*["09:00-17:00"] * 5, "", ""],
        own_days=[{"day": tuesday, "hours": "", "name": "Patron saint"}],
        is_default=True,
    )
    await desk.calendars.add(form, await desk.admin())
    closing = Closing(remind_after_days=2, solve_after_days=3)
    await desk.policies.set_closing(closing, await desk.admin())
    desk.clock.stop()
    desk.clock.ahead = friday - desk.clock()
    ticket = await desk.ticket_opens()
    await desk.tickets.set_status(ticket, TicketStatus.PENDING, await desk.agent())
    await desk.react()
    # Saturday, Sunday and Tuesday count for nothing: Monday is the first day, Wednesday the second.
    desk.clock.advance(days=5, minutes=-1)
    assert await desk.closing.end_due() == 0
    desk.clock.advance(minutes=1)
    assert await desk.closing.end_due() == 1
    await desk.react()
    assert len(await _notices(desk, "still waiting for your answer")) == 1
    desk.clock.advance(days=1, minutes=-1)
    assert await desk.closing.end_due() == 0
    desk.clock.advance(minutes=1)
    assert await desk.closing.end_due() == 1


async def test_a_reminder_is_not_written_before_it_may_leave(desk: Promised) -> None:
    await _pending(desk, remind_after_days=3, solve_after_days=5)
    desk.enable(answers_per_hour=1)
    desk.clock.advance(days=3, minutes=1)
    async with desk.sessions.begin() as session:
        ledger = Ledger(desk.accounts, desk.clock())
        conversation = await locked(session, await desk.conversation_id())
        ledger.say(conversation, Speaker.SYSTEM, "Your request is approved.")
        await ledger.write(session)
    await desk.closing.end_due()
    assert await _notices(desk, "still waiting for your answer") == []
    desk.clock.advance(hours=1, minutes=1)
    await desk.closing.end_due()
    assert len(await _notices(desk, "still waiting for your answer")) == 1


async def test_an_answer_in_time_ends_the_waiting(desk: Promised) -> None:
    await _pending(desk, remind_after_days=3, solve_after_days=5)
    desk.clock.advance(days=2)
    await desk.hear("here it is")
    await desk.react()
    desk.clock.advance(days=9)
    assert await desk.closing.end_due() == 0
    assert (await desk.ticket()).status == TicketStatus.OPEN


async def test_without_a_rule_a_solved_ticket_closes_after_its_grace(desk: Promised) -> None:
    ticket = await desk.ticket_opens()
    await desk.tickets.set_status(ticket, TicketStatus.SOLVED, await desk.agent())
    await desk.react()
    desk.clock.advance(hours=95)
    assert await desk.closing.end_due() == 0
    desk.clock.advance(hours=2)
    assert await desk.closing.end_due() == 1
    closed = await desk.ticket()
    assert closed.status == TicketStatus.CLOSED
    assert closed.closed_at is not None


async def test_a_new_rule_counts_for_tickets_that_wait_already(desk: Promised) -> None:
    await _pending(desk)
    await desk.policies.set_closing(Closing(solve_after_days=1), await desk.admin())
    await desk.sweep.apply_new_rules()
    desk.clock.advance(days=1, minutes=1)
    assert await desk.closing.end_due() == 1


async def test_a_reminder_after_the_end_is_refused(desk: Promised) -> None:
    with pytest.raises(InvalidInput, match="before the end"):
        await desk.policies.set_closing(
            Closing(remind_after_days=5, solve_after_days=5), await desk.admin()
        )


async def test_the_first_calendar_is_the_usual_one_and_names_are_taken_once(
    desk: Promised,
) -> None:
    await desk.calendar("09:00-17:00", "Office")
    with pytest.raises(Conflict, match="this name already"):
        await desk.calendar("09:00-17:00", "Office")
    form = CalendarForm(name="Nights", zone="UTC", week=["00:00-06:00"] * 7, is_default=True)
    await desk.calendars.add(form, await desk.admin())


async def test_a_calendar_in_use_cannot_be_removed(desk: Promised) -> None:
    calendar = await desk.calendar()
    policy = await desk.promise(calendar=calendar, resolution=1)
    with pytest.raises(Conflict, match="a policy uses"):
        await desk.calendars.remove(calendar, await desk.admin())
    await desk.policies.archive(policy, await desk.admin())
    await desk.calendars.remove(calendar, await desk.admin())
