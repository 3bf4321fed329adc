"""What calendars and policies come to, in the API, before anybody has to wait for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import AwareDatetime, BaseModel

from console.api.principal import AgentCaller
from console.api.tickets.tickets import TicketName, ticket_called
from console.desk import desk_of
from core.domain.errors import InvalidInput
from core.domain.sla.policy import MAX_TARGET
from core.domain.ticket import Priority
from core.services.sla.rules import hours_of_calendar
from core.services.sla.trying import Considered, Trial, try_policies
from core.storage.engine import storage_errors

router = APIRouter(tags=["SLA"])

_FIRST_YEAR, _LAST_YEAR = 1970, 2200
_MOST_MINUTES = MAX_TARGET // timedelta(minutes=1)

Start = Annotated[
    AwareDatetime | None, Query(description="With a time zone; now, if it is not said.")
]


class WindowOut(BaseModel):
    """A stretch of time in which it is open."""

    opens: datetime
    closes: datetime


class WindowsOut(BaseModel):
    """When a calendar is open in some days; holidays and its own days are taken into account."""

    zone: str
    since: datetime
    until: datetime
    windows: list[WindowOut]  # in UTC


class DueOut(BaseModel):
    """When so much business time has passed."""

    start: datetime
    is_open: bool  # at the start
    due_at: datetime


class ConsideredOut(BaseModel):
    """A policy that was looked at."""

    id: UUID
    name: str
    misfits: list[str]  # the names of the conditions that the ticket does not fit

    @classmethod
    def of(cls, considered: Considered) -> Self:
        """Return what the API tells of `considered`."""
        policy = considered.policy
        return cls(id=policy.id, name=policy.name, misfits=list(considered.misfits))


class FactsOut(BaseModel):
    """What the conditions of policies look at."""

    organisation: UUID | None
    plan: UUID | None  # of support, that is in force today
    priority: Priority
    categories: list[UUID]  # the ticket's own and those above it
    channel: str | None
    team: UUID | None


class TrialOut(BaseModel):
    """Which policy a ticket falls under, and why not under those before it."""

    policy: UUID | None
    facts: FactsOut
    considered: list[ConsideredOut]  # in order; the last one is the policy, if there is one

    @classmethod
    def of(cls, trial: Trial) -> Self:
        """Return what the API tells of `trial`."""
        facts = trial.facts
        return cls(
            policy=None if trial.policy is None else trial.policy.id,
            facts=FactsOut(
                organisation=facts.organisation,
                plan=facts.plan,
                priority=facts.priority,
                categories=sorted(facts.categories),
                channel=facts.channel,
                team=facts.team,
            ),
            considered=[ConsideredOut.of(one) for one in trial.considered],
        )


@router.get("/calendars/{calendar}/windows")
async def preview_windows(
    request: Request,
    _: AgentCaller,
    calendar: UUID,
    start: Start = None,
    days: Annotated[int, Query(ge=1, le=366)] = 14,
) -> WindowsOut:
    """Return when a calendar is open in the days that follow."""
    since = _checked(start)
    until = since + timedelta(days=days)
    async with storage_errors(), desk_of(request).sessions() as session:
        hours = await hours_of_calendar(session, calendar)
    return WindowsOut(
        zone=hours.calendar.zone,
        since=since,
        until=until,
        windows=[
            WindowOut(opens=opens, closes=closes) for opens, closes in hours.windows(since, until)
        ],
    )


@router.get("/calendars/{calendar}/due")
async def preview_due(
    request: Request,
    _: AgentCaller,
    calendar: UUID,
    minutes: Annotated[int, Query(ge=1, le=_MOST_MINUTES, description="Of business time.")],
    start: Start = None,
) -> DueOut:
    """Return when something is due that is promised within so many minutes of business time."""
    since = _checked(start)
    async with storage_errors(), desk_of(request).sessions() as session:
        hours = await hours_of_calendar(session, calendar)
    due = hours.later(since, timedelta(minutes=minutes))
    return DueOut(start=since, is_open=hours.is_open(since), due_at=due)


@router.get("/tickets/{ticket}/policy")
async def preview_policy(request: Request, _: AgentCaller, ticket: TicketName) -> TrialOut:
    """Return which policy a ticket falls under by the rules as they are now, and why."""
    desk = desk_of(request)
    named = await ticket_called(desk, ticket)
    async with storage_errors(), desk.sessions() as session:
        return TrialOut.of(await try_policies(session, named, datetime.now(UTC).date()))


def _checked(start: datetime | None) -> datetime:
    if start is None:
        return datetime.now(UTC)
    if not _FIRST_YEAR < start.year < _LAST_YEAR:
        raise InvalidInput("days of a calendar lie between 1970 and 2200")
    return start.astimezone(UTC)
