"""The JSON of calendars, policies and clocks."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from console.api.shapes import Body, Text
from core.domain.sla.policy import (
    CalendarId,
    ClockKind,
    ClockStart,
    Conditions,
    Policy,
    PolicyId,
)
from core.domain.ticket import Priority
from core.services.sla.calendars import CalendarForm
from core.storage.queries.sla import (
    CalendarView,
    ClockView,
    ClosingView,
    PolicyView,
    PromiseView,
)

Name = Annotated[Text, Field(min_length=1, max_length=100)]
Short = Annotated[Text, Field(max_length=200)]
Id = Annotated[UUID, Field(strict=False)]


class OwnDayShape(Body):
    """A day with other hours than its weekday gives it."""

    day: Short  # ISO 8601
    hours: Short = ""  # such as "09:00-13:00, 14:00-18:00"; empty is closed
    name: Short = ""


class CalendarIn(Body):
    """Business hours."""

    name: Name
    zone: Short  # IANA name
    week: Annotated[list[Short], Field(min_length=7, max_length=7)]  # hours, Monday first
    country: Annotated[Text, Field(max_length=2)] | None = None  # ISO 3166-1 alpha-2
    region: Short | None = None
    own_days: Annotated[list[OwnDayShape], Field(max_length=1000)] = Field(default_factory=list)
    is_default: bool = False

    def form(self) -> CalendarForm:
        """Return what the desk is asked to keep."""
        return CalendarForm(
            name=self.name,
            zone=self.zone,
            week=self.week,
            country=self.country,
            region=self.region,
            own_days=[own.model_dump() for own in self.own_days],
            is_default=self.is_default,
        )


class CalendarOut(BaseModel):
    """A calendar."""

    id: UUID
    name: str
    zone: str
    week: list[str]
    country: str | None
    region: str | None
    own_days: list[dict[str, str]]
    is_default: bool
    policies: int  # how many count by it
    revision: int  # the entity tag

    @classmethod
    def of(cls, view: CalendarView) -> CalendarOut:
        """Return what the API tells of a calendar."""
        return cls(
            id=view.id,
            name=view.name,
            zone=view.zone,
            week=list(view.week),
            country=view.country,
            region=view.region,
            own_days=[dict(own) for own in view.own_days],
            is_default=view.is_default,
            policies=view.policies,
            revision=view.revision,
        )


class ConditionsShape(Body):
    """Which tickets a policy is for; an empty list lets every ticket pass."""

    organisations: list[Id] = Field(default_factory=list)
    priorities: list[Annotated[Priority, Field(strict=False)]] = Field(default_factory=list)
    categories: list[Id] = Field(default_factory=list)
    channels: list[Short] = Field(default_factory=list)
    teams: list[Id] = Field(default_factory=list)
    plans: list[Id] = Field(default_factory=list)  # of support


class TargetsShape(Body):
    """Targets in minutes; what is left out is not promised."""

    first_response: int | None = None
    next_response: int | None = None
    resolution: int | None = None


class PolicyIn(Body):
    """A promise, and the tickets it is for."""

    name: Name
    conditions: ConditionsShape = Field(default_factory=ConditionsShape)
    targets: TargetsShape
    start: Annotated[ClockStart, Field(strict=False)] = ClockStart.HAND_OFF
    calendar: Id | None = None  # none: round the clock
    warn_percent: int = 80
    raises_priority: bool = False
    tells_hours: bool = True

    def policy(self, policy: UUID) -> Policy:
        """Return the policy, not checked yet."""
        wanted = self.conditions
        minutes = self.targets.model_dump(exclude_none=True)
        return Policy(
            id=PolicyId(policy),
            name=self.name,
            conditions=Conditions(
                organisations=frozenset(wanted.organisations),
                priorities=frozenset(wanted.priorities),
                categories=frozenset(wanted.categories),
                channels=frozenset(wanted.channels),
                teams=frozenset(wanted.teams),
                plans=frozenset(wanted.plans),
            ),
            targets={
                # Capped so that no number of minutes is too large for a length of time.
                ClockKind(kind): timedelta(minutes=max(-1, min(count, 10**7)))
                for kind, count in minutes.items()
            },
            start=self.start,
            calendar=None if self.calendar is None else CalendarId(self.calendar),
            warn_percent=self.warn_percent,
            raises_priority=self.raises_priority,
            tells_hours=self.tells_hours,
        )


class PolicyOut(BaseModel):
    """A policy."""

    id: UUID
    name: str
    position: int
    conditions: dict[str, list[str]]
    targets: dict[str, int]  # minutes
    start: str
    calendar: UUID | None
    warn_percent: int
    raises_priority: bool
    tells_hours: bool
    revision: int  # the entity tag

    @classmethod
    def of(cls, view: PolicyView) -> PolicyOut:
        """Return what the API tells of a policy."""
        return cls(
            id=view.id,
            name=view.name,
            position=view.position,
            conditions={name: list(values) for name, values in view.conditions.items()},
            targets=dict(view.targets),
            start=view.start,
            calendar=view.calendar,
            warn_percent=view.warn_percent,
            raises_priority=view.raises_priority,
            tells_hours=view.tells_hours,
            revision=view.revision,
        )


class PolicyOrder(Body):
    """Policies in the order in which they are looked at."""

    order: Annotated[list[Id], Field(max_length=1000)]


class ClosingIn(Body):
    """After how many business days silent tickets come to their end; null: not by themselves."""

    remind_after_days: int | None = None
    solve_after_days: int | None = None
    close_after_days: int | None = None


class ClosingOut(ClosingIn):
    """The rule by which silent tickets end."""

    revision: int  # the entity tag

    @classmethod
    def of(cls, view: ClosingView) -> ClosingOut:
        """Return what the API tells of the rule."""
        return cls(
            remind_after_days=view.remind_after_days,
            solve_after_days=view.solve_after_days,
            close_after_days=view.close_after_days,
            revision=view.revision,
        )


class ClockOut(BaseModel):
    """One promise of a ticket. Times are business time of the policy's calendar."""

    kind: str  # first_response, next_response or resolution
    round: int
    target_seconds: int
    spent_seconds: int  # until `running_since`, or in all
    started_at: datetime
    running_since: datetime | None
    due_at: datetime | None  # null while it stands still
    warned_at: datetime | None
    breached_at: datetime | None
    met_at: datetime | None

    @classmethod
    def of(cls, view: ClockView) -> ClockOut:
        """Return what the API tells of a clock."""
        return cls(
            kind=view.kind,
            round=view.round,
            target_seconds=view.target_seconds,
            spent_seconds=view.spent_seconds,
            started_at=view.started_at,
            running_since=view.running_since,
            due_at=view.due_at,
            warned_at=view.warned_at,
            breached_at=view.breached_at,
            met_at=view.met_at,
        )


class PromiseOut(BaseModel):
    """What is promised in a ticket and how that stands."""

    policy: str | None
    clocks: list[ClockOut]
    assistant_seconds: int
    work_seconds: int
    remind_at: datetime | None
    end_at: datetime | None

    @classmethod
    def of(cls, view: PromiseView | None) -> PromiseOut:
        """Return what the API tells of a ticket's promises."""
        if view is None:
            return cls(
                policy=None,
                clocks=[],
                assistant_seconds=0,
                work_seconds=0,
                remind_at=None,
                end_at=None,
            )
        return cls(
            policy=view.policy,
            clocks=[ClockOut.of(clock) for clock in view.clocks],
            assistant_seconds=view.assistant_seconds,
            work_seconds=view.work_seconds,
            remind_at=view.remind_at,
            end_at=view.end_at,
        )
