"""The calendars, policies and the closing rule in force, kept in memory while nothing changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import func, select, text, union_all, update
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.calendars.arithmetic import BusinessHours
from core.domain.calendars.calendar import ALWAYS, calendar_from
from core.domain.errors import NotFound
from core.domain.plans import Held
from core.domain.sla.policy import (
    CalendarId,
    ClockKind,
    ClockStart,
    Conditions,
    Policy,
    PolicyId,
    TicketFacts,
    first_match,
)
from core.domain.ticket import Priority
from core.storage.once import once
from core.storage.queries.requester_records.plans import plans_held
from core.storage.tables import CalendarRow, ClosingRule, SlaPolicy
from core.storage.tables.sla import sla_revision

ROUND_THE_CLOCK = BusinessHours(ALWAYS)
_LOCK = text("SELECT pg_advisory_xact_lock(0x70726f6d)")  # "prom"


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """After how many business days of silence what happens; none: never by itself."""

    remind_after_days: int | None = None
    solve_after_days: int | None = None
    close_after_days: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Everything that was set, as of one revision."""

    revision: int
    policies: Sequence[Policy]  # in order
    hours: Mapping[CalendarId, BusinessHours]
    default: BusinessHours | None  # for tickets without a policy
    closing: Closing
    plans: Mapping[UUID, Held] = field(default_factory=dict)  # by organisation

    def policy_for(self, ticket: TicketFacts) -> Policy | None:
        """Return the policy that `ticket` falls under."""
        return first_match(self.policies, ticket)

    def plan_of(self, organisation: UUID | None, day: date) -> UUID | None:
        """Return the support plan that an organisation has on `day`."""
        held = None if organisation is None else self.plans.get(organisation)
        return held.plan if held is not None and held.term.holds_on(day) else None

    def hours_of(self, policy: Policy | None) -> BusinessHours:
        """Return the hours that count under `policy`; the desk's usual ones where it is none."""
        if policy is None:
            return self.default or ROUND_THE_CLOCK
        return ROUND_THE_CLOCK if policy.calendar is None else self.hours[policy.calendar]


class PromiseBook:
    """Reads the rules, and only again when they have changed."""

    def __init__(self) -> None:
        self._rules: Rules | None = None

    async def current(self, session: AsyncSession) -> Rules:
        """Return the rules in force."""
        revision = await once(session, "promises", lambda: current_revision(session))
        if self._rules is None or self._rules.revision != revision:
            self._rules = await _read(session, revision)
        return self._rules


async def current_revision(session: AsyncSession) -> int:
    """Return the number of the latest change of any rule."""
    revisions = union_all(
        *(select(table.revision.label("r")) for table in (CalendarRow, SlaPolicy, ClosingRule))
    ).subquery()
    return await session.scalar(select(func.coalesce(func.max(revisions.c.r), 0))) or 0


async def begin_change(session: AsyncSession) -> None:
    """Let this transaction change rules, once every other one that does has ended.

    Whoever writes a calendar, a policy or the closing rule calls it first. Revisions are drawn from
    a sequence before the commit: without the lock, a later one could be seen before an earlier
    one, and nobody would look for what came in under the earlier number.
    """
    await session.execute(_LOCK)


async def announce(session: AsyncSession) -> None:
    """Have every open ticket's clocks worked out anew, for what none of the rules shows itself."""
    await begin_change(session)
    await session.execute(update(ClosingRule).values(revision=sla_revision.next_value()))


def hours_of_row(row: CalendarRow) -> BusinessHours:
    """Return the business hours that `row` keeps."""
    return BusinessHours(
        calendar_from(
            zone=row.zone,
            week=row.week,
            country=row.country,
            region=row.region,
            own_days=row.own_days,
        )
    )


async def hours_of_calendar(session: AsyncSession, calendar: UUID) -> BusinessHours:
    """Return the business hours of a calendar.

    Raises:
        NotFound: there is none.
    """
    row = await session.get(CalendarRow, calendar)
    if row is None:
        raise NotFound("there is no such calendar")
    return hours_of_row(row)


def policy_of_row(row: SlaPolicy) -> Policy:
    """Return the policy that `row` keeps."""
    wanted = row.conditions
    return Policy(
        id=PolicyId(row.id),
        name=row.name,
        conditions=Conditions(
            organisations=_ids(wanted, "organisations"),
            priorities=frozenset(Priority(each) for each in wanted.get("priorities", ())),
            categories=_ids(wanted, "categories"),
            channels=frozenset(wanted.get("channels", ())),
            teams=_ids(wanted, "teams"),
            plans=_ids(wanted, "plans"),
        ),
        targets={
            ClockKind(kind): timedelta(minutes=minutes) for kind, minutes in row.targets.items()
        },
        start=ClockStart(row.start),
        calendar=None if row.calendar_id is None else CalendarId(row.calendar_id),
        warn_percent=row.warn_percent,
        raises_priority=row.raises_priority,
        tells_hours=row.tells_hours,
    )


async def _read(session: AsyncSession, revision: int) -> Rules:
    calendars = (await session.scalars(select(CalendarRow))).all()
    policies = await session.scalars(
        select(SlaPolicy)
        .where(SlaPolicy.archived_at.is_(None))
        .order_by(SlaPolicy.position, SlaPolicy.id)
    )
    closing = await session.get(ClosingRule, 1)
    hours = {CalendarId(row.id): hours_of_row(row) for row in calendars}
    default = next((row.id for row in calendars if row.is_default), None)
    return Rules(
        revision=revision,
        policies=[policy_of_row(row) for row in policies],
        hours=hours,
        plans=await plans_held(session),
        default=None if default is None else hours[CalendarId(default)],
        closing=Closing()
        if closing is None
        else Closing(
            remind_after_days=closing.remind_after_days,
            solve_after_days=closing.solve_after_days,
            close_after_days=closing.close_after_days,
        ),
    )


def _ids(conditions: Mapping[str, Sequence[str]], name: str) -> frozenset[UUID]:
    return frozenset(UUID(each) for each in conditions.get(name, ()))
