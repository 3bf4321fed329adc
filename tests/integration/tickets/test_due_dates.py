"""Due dates count: in views, in their order, and as a reminder before they come."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from core.domain.actor import Role
from core.domain.due_dates import remind_at
from core.domain.ids import TicketId
from core.domain.notification import Notice
from core.domain.ticket import TicketStatus
from core.services.classification.sorting import Sorting, TicketSorting
from core.services.notifications.telling import NoticesOfTickets
from core.services.reactions import Reactions
from core.services.tickets.due_dates import DueDateSweep
from core.storage.tables import Notification, Ticket
from tests.integration.console.api import Api
from tests.integration.console.browser import PASSWORD, Browser, signed_in
from tests.integration.console.world import Desk

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("due", "expected"),
    [
        (None, None),
        (timedelta(days=3), timedelta(days=2)),
        (timedelta(hours=5), timedelta(hours=4)),
        (timedelta(minutes=30), None),
        (timedelta(days=-1), None),
    ],
)
def test_a_reminder_comes_a_day_before_or_an_hour_where_the_date_is_near(
    due: timedelta | None, expected: timedelta | None
) -> None:
    found = remind_at(None if due is None else NOW + due, NOW)
    assert found == (None if expected is None else NOW + expected)


async def test_whoever_has_a_ticket_is_reminded_once_before_its_due_date(desk: Desk) -> None:
    conversation = await desk.queued("Renew the certificate")
    bea, ana = await desk.agent("bea@example.org", "Bea"), await desk.agent()
    async with desk.sessions() as session:
        ticket = TicketId((await session.scalars(select(Ticket.id))).one())
    sorting = TicketSorting(desk.sessions, desk.accounts, desk.clock)
    sweep = DueDateSweep(desk.sessions, desk.accounts, desk.clock)
    reactions = Reactions(desk.sessions, desk.accounts, [NoticesOfTickets()])

    async def reminded() -> list[object]:
        await sweep.remind_due()
        await reactions.advance(conversation)
        async with desk.sessions() as session:
            found = await session.scalars(
                select(Notification.agent_id).where(Notification.notice == Notice.DUE)
            )
            return list(found)

    await desk.tickets.assign(ticket, bea.id, ana)
    await sorting.sort(ticket, Sorting(due_at=desk.clock() + timedelta(days=3)), ana)
    assert await reminded() == []
    desk.clock.advance(timedelta(days=2, minutes=1))
    assert await reminded() == [bea.id]
    assert await reminded() == [bea.id]
    await sorting.sort(ticket, Sorting(due_at=desk.clock() + timedelta(days=9)), ana)  # put off
    assert await reminded() == [bea.id]
    desk.clock.advance(timedelta(days=8, minutes=1))
    assert await reminded() == [bea.id] * 2
    await sorting.sort(ticket, Sorting(due_at=desk.clock() + timedelta(days=3)), ana)
    await desk.tickets.set_status(ticket, TicketStatus.SOLVED, ana)
    desk.clock.advance(timedelta(days=3))
    assert await reminded() == [bea.id] * 2


async def test_histories_and_notifications_tell_due_dates_by_the_readers_clock(desk: Desk) -> None:
    conversation = await desk.queued("Renew the certificate")
    bea, ana = await desk.agent("bea@example.org", "Bea"), await desk.agent()
    await desk.access.passwords.set(ana.id, PASSWORD)
    async with desk.sessions() as session:
        ticket = TicketId((await session.scalars(select(Ticket.id))).one())
    sorting = TicketSorting(desk.sessions, desk.accounts, desk.clock)
    await desk.tickets.assign(ticket, ana.id, bea)
    due = (desk.clock() + timedelta(days=2)).replace(hour=23, minute=30)
    await sorting.sort(ticket, Sorting(due_at=due), bea)
    desk.clock.advance(due - desk.clock() - timedelta(hours=2))
    await DueDateSweep(desk.sessions, desk.accounts, desk.clock).remind_due()
    await Reactions(desk.sessions, desk.accounts, [NoticesOfTickets()]).advance(conversation)
    page = await Browser.signed_in(desk, ana.email)
    page.client.cookies.set("desk_zone", "Europe/Madrid")
    there = due.astimezone(ZoneInfo("Europe/Madrid"))
    told = re.compile(rf": [^<]*\b{there.day} {there:%b}(?: {there:%Y})? {there:%H:%M}")
    assert told.search(await page.see("/console/notices"))
    assert len(told.findall(await page.see("/console/tickets/1001"))) == 2  # set, and near


async def test_a_view_shows_and_sorts_by_due_dates(desk: Desk, api: Api) -> None:
    client = await api(Role.AGENT, "bea@example.org")
    days = (5, None, -1, 0.5)
    for n, after in enumerate(days):
        await desk.queued(f"Number {n}", thread=f"t{n}", who=f"u{n}")
        if after is not None:
            due = (datetime.now(UTC) + timedelta(days=after)).isoformat()
            await client.patch(f"/api/v1/tickets/{1001 + n}", json={"due_at": due})

    async def shown(*due_dates: str) -> list[int]:
        body = {
            "name": "Dates",
            "filter": {"due_dates": list(due_dates)},
            "order": "due_date",
            "columns": ["requester", "due_date"],
        }
        made = await client.post("/api/v1/views", json=body)
        assert made.status_code == 201, made.text
        found = await client.get(f"/api/v1/views/{made.json()['id']}/tickets")
        return [one["number"] for one in found.json()["items"]]

    assert await shown("past") == [1003]
    assert await shown("near", "past") == [1003, 1004]
    assert await shown("set") == [1003, 1004, 1001]
    assert await shown("none") == [1002]
    assert await shown() == [1003, 1004, 1001, 1002]
    wrong = {"name": "x", "filter": {"due_dates": ["someday"]}}
    assert (await client.post("/api/v1/views", json=wrong)).status_code == 422

    ana = await signed_in(desk, "Ana", Role.AGENT, "es")
    form = {"name": "Plazos", "order": "due_date", "due_dates": "past", "columns": "due_date"}
    made = await ana.send("/console/views/new", form=form)
    listed = await ana.see(made.headers["location"])
    assert "Fecha límite" in listed
    assert "1 d de retraso" in listed or "de retraso" in listed
    assert "Number 2" in listed
    assert "Number 0" not in listed
