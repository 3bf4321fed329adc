"""Reads calendars, policies and the clocks of tickets as people see them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.errors import NotFound
from core.domain.ids import TicketId
from core.storage.tables import (
    Account,
    CalendarRow,
    Category,
    ClosingRule,
    Organisation,
    SlaClock,
    SlaPolicy,
    SlaTicket,
    SupportPlan,
    Team,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarView:
    """A calendar, and how many policies count by it."""

    id: UUID
    name: str
    zone: str
    week: Sequence[str]
    country: str | None
    region: str | None
    own_days: Sequence[Mapping[str, str]]
    is_default: bool
    revision: int
    policies: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyView:
    """A policy, with its calendar by name."""

    id: UUID
    name: str
    position: int
    conditions: Mapping[str, Sequence[str]]
    targets: Mapping[str, int]  # minutes by kind of clock
    start: str
    calendar: UUID | None
    calendar_name: str | None
    warn_percent: int
    raises_priority: bool
    tells_hours: bool
    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosingView:
    """The rule by which silent tickets end."""

    remind_after_days: int | None
    solve_after_days: int | None
    close_after_days: int | None
    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockView:
    """One promise of a ticket."""

    kind: str
    round: int
    target_seconds: int
    spent_seconds: int  # business time until `running_since`, or in all
    started_at: datetime
    running_since: datetime | None
    due_at: datetime | None
    warned_at: datetime | None
    breached_at: datetime | None
    met_at: datetime | None

    @property
    def left_seconds(self) -> int:
        """What is left of the target of a clock that stands still."""
        return max(0, self.target_seconds - self.spent_seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseView:
    """What is promised in a ticket and how that stands."""

    policy: str | None
    clocks: Sequence[ClockView]
    assistant_seconds: int  # business time from the first message to the hand-off
    work_seconds: int  # business time in which it was for people to act
    remind_at: datetime | None
    end_at: datetime | None

    @property
    def latest(self) -> Sequence[ClockView]:
        """The last round of each kind, in the order in which they began."""
        last = {clock.kind: clock for clock in self.clocks}
        return [clock for clock in self.clocks if last[clock.kind] is clock]


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyChoices:
    """What conditions of policies can name: names by id."""

    organisations: Mapping[str, str]
    categories: Mapping[str, str]
    teams: Mapping[str, str]
    plans: Mapping[str, str]
    channels: Sequence[str]


async def list_calendars(session: AsyncSession) -> Sequence[CalendarView]:
    """Return every calendar by name, the usual one first."""
    used = (
        select(func.count())
        .where(SlaPolicy.calendar_id == CalendarRow.id, SlaPolicy.archived_at.is_(None))
        .scalar_subquery()
    )
    rows = await session.execute(
        select(CalendarRow, used).order_by(CalendarRow.is_default.desc(), CalendarRow.name)
    )
    return [
        CalendarView(
            id=row.id,
            name=row.name,
            zone=row.zone,
            week=row.week,
            country=row.country,
            region=row.region,
            own_days=row.own_days,
            is_default=row.is_default,
            revision=row.revision,
            policies=policies,
        )
        for row, policies in rows
    ]


async def calendar_view(session: AsyncSession, calendar: UUID) -> CalendarView:
    """Return one calendar.

    Raises:
        NotFound: there is none.
    """
    for each in await list_calendars(session):
        if each.id == calendar:
            return each
    raise NotFound("there is no such calendar")


async def list_policies(session: AsyncSession) -> Sequence[PolicyView]:
    """Return the policies in use, in order."""
    rows = await session.execute(
        select(SlaPolicy, CalendarRow.name)
        .outerjoin(CalendarRow, CalendarRow.id == SlaPolicy.calendar_id)
        .where(SlaPolicy.archived_at.is_(None))
        .order_by(SlaPolicy.position, SlaPolicy.id)
    )
    return [
        PolicyView(
            id=row.id,
            name=row.name,
            position=row.position,
            conditions=row.conditions,
            targets=row.targets,
            start=row.start,
            calendar=row.calendar_id,
            calendar_name=calendar,
            warn_percent=row.warn_percent,
            raises_priority=row.raises_priority,
            tells_hours=row.tells_hours,
            revision=row.revision,
        )
        for row, calendar in rows
    ]


async def policy_view(session: AsyncSession, policy: UUID) -> PolicyView:
    """Return one policy in use.

    Raises:
        NotFound: there is none.
    """
    for each in await list_policies(session):
        if each.id == policy:
            return each
    raise NotFound("there is no such policy")


async def closing_view(session: AsyncSession) -> ClosingView:
    """Return the rule by which silent tickets end."""
    row = await session.get_one(ClosingRule, 1)
    return ClosingView(
        remind_after_days=row.remind_after_days,
        solve_after_days=row.solve_after_days,
        close_after_days=row.close_after_days,
        revision=row.revision,
    )


async def promise_view(session: AsyncSession, ticket: TicketId) -> PromiseView | None:
    """Return what is promised in a ticket; None before it was worked out."""
    found = (
        await session.execute(
            select(SlaTicket, SlaPolicy.name)
            .outerjoin(SlaPolicy, SlaPolicy.id == SlaTicket.policy_id)
            .where(SlaTicket.ticket_id == ticket)
        )
    ).one_or_none()
    if found is None:
        return None
    row, policy = found
    clocks = await session.scalars(
        select(SlaClock)
        .where(SlaClock.ticket_id == ticket)
        .order_by(SlaClock.started_at, SlaClock.kind, SlaClock.round)
    )
    return PromiseView(
        policy=policy,
        clocks=[_clock(clock) for clock in clocks],
        assistant_seconds=row.assistant_seconds,
        work_seconds=row.work_seconds,
        remind_at=row.remind_at,
        end_at=row.end_at,
    )


async def policy_choices(session: AsyncSession) -> PolicyChoices:
    """Return what conditions can name."""
    return PolicyChoices(
        organisations=await _names(session, Organisation),
        categories=await _names(session, Category),
        teams=await _names(session, Team),
        plans=await _names(session, SupportPlan),
        channels=sorted(
            {*await session.scalars(select(Account.channel).distinct()), "webchat", "email"}
            - {"loopback"}
        ),
    )


async def _names(session: AsyncSession, table: Any) -> Mapping[str, str]:
    rows = await session.execute(
        select(table.id, table.name).where(table.archived_at.is_(None)).order_by(table.name)
    )
    return {str(row.id): row.name for row in rows}


def _clock(row: SlaClock) -> ClockView:
    return ClockView(
        kind=row.kind,
        round=row.round,
        target_seconds=row.target_seconds,
        spent_seconds=row.spent_seconds,
        started_at=row.started_at,
        running_since=row.running_since,
        due_at=row.due_at,
        warned_at=row.warned_at,
        breached_at=row.breached_at,
        met_at=row.met_at,
    )
