"""Changes of rules come one after another, so that nobody misses the one that was first."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest
from sqlalchemy import text, update

from core.domain.ids import OrganisationId
from core.domain.plans import Term
from core.domain.sla.policy import Policy, PolicyId
from core.services.requester_records.organisations import OrganisationDraft, Organisations
from core.services.requester_records.plans import PlanDraft, SupportPlans
from core.services.sla.calendars import CalendarForm
from core.services.sla.rules import Closing, begin_change, current_revision
from core.storage.tables import ClosingRule
from tests.integration.sla.world import Promised, targets

_WEEK = ["09:00-18:00"] * 7
_PATIENCE_SECONDS = 20


class _Known:
    """What there is before the changes begin."""

    def __init__(self, desk: Promised) -> None:
        self.desk = desk
        self.organisations = Organisations(desk.sessions, desk.clock)

    async def fill(self) -> None:
        desk, admin = self.desk, await self.desk.admin()
        self.policy = await desk.promise(resolution=8)
        self.calendar = await desk.calendar("00:00-24:00")
        self.plan = await SupportPlans(desk.sessions, desk.clock).add(PlanDraft(name="Gold"), admin)
        self.organisation = await self.organisations.add(OrganisationDraft(name="Acme"), admin)


async def _change_policy(known: _Known) -> None:
    changed = Policy(id=known.policy, name="usual", targets=targets({"resolution": 2}))
    await known.desk.policies.change(changed, await known.desk.admin())


async def _add_policy(known: _Known) -> None:
    added = Policy(id=PolicyId(UUID(int=0)), name="more", targets=targets({"resolution": 2}))
    await known.desk.policies.add(added, await known.desk.admin())


async def _archive_policy(known: _Known) -> None:
    await known.desk.policies.archive(known.policy, await known.desk.admin())


async def _order_policies(known: _Known) -> None:
    other = await known.desk.promise(resolution=1)
    await known.desk.policies.put_in_order([other, known.policy], await known.desk.admin())


async def _set_closing(known: _Known) -> None:
    await known.desk.policies.set_closing(Closing(close_after_days=3), await known.desk.admin())


async def _add_calendar(known: _Known) -> None:
    form = CalendarForm(name="Other", zone="UTC", week=_WEEK)
    await known.desk.calendars.add(form, await known.desk.admin())


async def _change_calendar(known: _Known) -> None:
    form = CalendarForm(name="Days", zone="UTC", week=_WEEK)
    await known.desk.calendars.change(known.calendar, form, await known.desk.admin())


async def _remove_calendar(known: _Known) -> None:
    await known.desk.calendars.remove(known.calendar, await known.desk.admin())


async def _give_plan(known: _Known) -> None:
    draft = OrganisationDraft(name="Acme", plan=known.plan, term=Term())
    organisation = OrganisationId(known.organisation)
    await known.organisations.change(organisation, draft, await known.desk.admin())


@pytest.mark.parametrize(
    "change",
    [
        _add_policy,
        _change_policy,
        _archive_policy,
        _order_policies,
        _set_closing,
        _add_calendar,
        _change_calendar,
        _remove_calendar,
        _give_plan,
    ],
)
async def test_a_change_waits_for_one_that_began_before_it(
    desk: Promised, change: Callable[[_Known], Awaitable[None]]
) -> None:
    known = _Known(desk)
    await known.fill()
    async with desk.sessions.begin() as first:
        await begin_change(first)
        await first.execute(update(ClosingRule).values(remind_after_days=2))
        earlier = await current_revision(first)
        second = asyncio.ensure_future(change(known))
        await _until_it_waits_or_is_done(desk, second)
        assert not second.done()
    await second
    async with desk.sessions() as session:
        assert await current_revision(session) > earlier


async def _until_it_waits_or_is_done(desk: Promised, task: asyncio.Future[None]) -> None:
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while not task.done():
            async with desk.sessions() as session:
                if await session.scalar(
                    text(
                        "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory'"
                        " AND NOT granted AND database ="
                        " (SELECT oid FROM pg_database WHERE datname = current_database()))"
                    )
                ):
                    return
