"""Calendars as admins keep them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.actor import Agent
from core.domain.calendars.arithmetic import BusinessHours, TooFarAhead
from core.domain.calendars.calendar import (
    Calendar,
    Impossible,
    ImpossibleCalendar,
    calendar_from,
    document,
)
from core.domain.errors import Conflict, InvalidInput, NotFound, Outdated
from core.domain.ids import new_id
from core.services.audit import record
from core.services.sla.rules import announce, begin_change, hours_of_row
from core.storage.engine import Sessions, storage_errors
from core.storage.tables import CalendarRow, SlaPolicy

TAKEN = "there is a calendar with this name already"
IN_USE = "a policy uses this calendar"


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarForm:
    """A calendar as somebody wrote it down; `calendar` says whether there can be one."""

    name: str
    zone: str
    week: Sequence[str]  # such as "09:00-13:00, 14:00-18:00"; seven, Monday first
    country: str | None = None
    region: str | None = None
    own_days: Sequence[Mapping[str, str]] = field(default_factory=tuple)  # day, hours, name
    is_default: bool = False

    def calendar(self, now: datetime) -> Calendar:
        """Return the calendar.

        Raises:
            ImpossibleCalendar: there cannot be one, or it never opens.
        """
        made = calendar_from(
            zone=self.zone,
            week=self.week,
            country=self.country or None,
            region=self.region or None,
            own_days=self.own_days,
        )
        try:
            BusinessHours(made).next_opening(now)
        except TooFarAhead:
            raise ImpossibleCalendar(Impossible.NEVER_OPENS) from None
        return made


class Calendars:
    """The calendars of the desk."""

    def __init__(
        self, sessions: Sessions, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._sessions = sessions
        self._now = now

    async def add(self, form: CalendarForm, by: Agent) -> UUID:
        """Add a calendar; the first one is the desk's usual one.

        Raises:
            ImpossibleCalendar: there cannot be such a calendar.
            Conflict: its name is taken.
        """
        values = self._values(form)
        async with storage_errors(), self._sessions.begin() as session:
            await begin_change(session)
            is_first = await session.scalar(select(CalendarRow.id).limit(1)) is None
            await _leave_default(session, form, None)
            row = CalendarRow(id=new_id(), **values, is_default=form.is_default or is_first)
            session.add(row)
            await _flush(session)
            record(session, by.actor, "calendar.added", _subject(row), new=_said(row))
            return row.id

    async def change(
        self, calendar: UUID, form: CalendarForm, by: Agent, *, revision: int | None = None
    ) -> None:
        """Replace a calendar; open tickets follow it within a short while.

        Raises:
            NotFound: there is none.
            Outdated: it is not at `revision` any more.
            ImpossibleCalendar: there cannot be such a calendar.
            TooFarAhead: a policy that counts by it would never be due.
            Conflict: its name is taken.
        """
        values = self._values(form)
        async with storage_errors(), self._sessions.begin() as session:
            await begin_change(session)
            row = await _row(session, calendar, revision)
            old = _said(row)
            await _leave_default(session, form, calendar)
            for name, value in values.items():
                setattr(row, name, value)
            row.is_default = form.is_default
            await _flush(session)
            await self._check_reachable(session, row)
            await session.refresh(row)
            record(session, by.actor, "calendar.changed", _subject(row), old=old, new=_said(row))

    async def remove(self, calendar: UUID, by: Agent, *, revision: int | None = None) -> None:
        """Delete a calendar that nothing uses.

        Raises:
            NotFound: there is none.
            Outdated: it is not at `revision` any more.
            Conflict: a policy uses it.
        """
        async with storage_errors(), self._sessions.begin() as session:
            await begin_change(session)
            row = await _row(session, calendar, revision)
            used = await session.scalar(
                select(SlaPolicy.id)
                .where(SlaPolicy.calendar_id == calendar, SlaPolicy.archived_at.is_(None))
                .limit(1)
            )
            if used is not None:
                raise Conflict(IN_USE)
            await session.execute(
                update(SlaPolicy).where(SlaPolicy.calendar_id == calendar).values(calendar_id=None)
            )
            record(session, by.actor, "calendar.removed", _subject(row), old=_said(row))
            await session.execute(delete(CalendarRow).where(CalendarRow.id == calendar))
            # What is deleted leaves no revision behind that would tell of it.
            await announce(session)

    async def _check_reachable(self, session: AsyncSession, row: CalendarRow) -> None:
        """Refuse hours in which a policy that counts by them would never be due."""
        hours = hours_of_row(row)
        used = await session.scalars(
            select(SlaPolicy).where(
                SlaPolicy.calendar_id == row.id, SlaPolicy.archived_at.is_(None)
            )
        )
        for policy in used:
            hours.later(self._now(), timedelta(minutes=max(policy.targets.values())))

    def _values(self, form: CalendarForm) -> dict[str, Any]:
        name = form.name.strip()
        if not 0 < len(name) <= 100:
            raise InvalidInput("a name has 1 to 100 characters")
        return {"name": name, **document(form.calendar(self._now()))}


async def _row(session: AsyncSession, calendar: UUID, revision: int | None) -> CalendarRow:
    row = await session.get(CalendarRow, calendar, with_for_update=True)
    if row is None:
        raise NotFound("there is no such calendar")
    if revision is not None and row.revision != revision:
        raise Outdated
    return row


async def _leave_default(session: AsyncSession, form: CalendarForm, but: UUID | None) -> None:
    if form.is_default:
        others = update(CalendarRow).where(CalendarRow.is_default).values(is_default=False)
        if but is not None:
            others = others.where(CalendarRow.id != but)
        await session.execute(others)


async def _flush(session: AsyncSession) -> None:
    try:
        await session.flush()
    except IntegrityError as error:
        if "uq_business_calendar_name" in str(error.orig):
            raise Conflict(TAKEN) from None
        raise


def _subject(row: CalendarRow) -> tuple[str, str, str]:
    return "calendar", str(row.id), row.name


def _said(row: CalendarRow) -> dict[str, Any]:
    return {
        "name": row.name,
        "zone": row.zone,
        "week": list(row.week),
        "country": row.country,
        "region": row.region,
        "own_days": list(row.own_days),
        "is_default": row.is_default,
    }
