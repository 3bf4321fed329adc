"""Which promise holds for a ticket: the first policy whose conditions it fits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import NewType
from uuid import UUID

from core.domain.errors import InvalidInput
from core.domain.ticket import Priority

PolicyId = NewType("PolicyId", UUID)
CalendarId = NewType("CalendarId", UUID)


class ClockKind(StrEnum):
    """What is promised within a time."""

    FIRST_RESPONSE = "first_response"  # an agent's first word
    NEXT_RESPONSE = "next_response"  # an agent's word after each further one of the requester
    RESOLUTION = "resolution"  # solved


class ClockStart(StrEnum):
    """When the clocks of first response and resolution begin."""

    FIRST_MESSAGE = "first_message"  # the assistant's time counts too
    HAND_OFF = "hand_off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """Which tickets a policy is for; an empty set lets every ticket pass."""

    organisations: frozenset[UUID] = frozenset()
    priorities: frozenset[Priority] = frozenset()
    categories: frozenset[UUID] = frozenset()  # with all that lie below them
    channels: frozenset[str] = frozenset()  # kinds, such as "email"
    teams: frozenset[UUID] = frozenset()
    plans: frozenset[UUID] = frozenset()  # of support, that the organisation has


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketFacts:
    """What conditions look at."""

    organisation: UUID | None
    priority: Priority
    categories: frozenset[UUID]  # its own and those above it
    channel: str | None
    team: UUID | None
    plan: UUID | None = None  # that is in force


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What is promised to the tickets it is for."""

    id: PolicyId
    name: str
    conditions: Conditions = field(default_factory=Conditions)
    targets: Mapping[ClockKind, timedelta] = field(default_factory=lambda: MappingProxyType({}))
    start: ClockStart = ClockStart.HAND_OFF
    calendar: CalendarId | None = None  # none: round the clock
    warn_percent: int = 80  # of a target; at that point there is a warning
    raises_priority: bool = False  # by one step, at each breach
    tells_hours: bool = True  # requesters who write outside hours are told when somebody is there


MAX_TARGET = timedelta(days=366)


def check(policy: Policy) -> Policy:
    """Return `policy` where it can be kept.

    Raises:
        InvalidInput: it cannot; the message says why.
    """
    if not policy.name.strip() or len(policy.name) > 100:
        raise InvalidInput("a name has 1 to 100 characters")
    if not policy.targets:
        raise InvalidInput("a policy has at least one target")
    for target in policy.targets.values():
        if not timedelta(minutes=1) <= target <= MAX_TARGET:
            raise InvalidInput("a target lies between one minute and a year")
    if not 1 <= policy.warn_percent <= 99:
        raise InvalidInput("a warning comes at 1 to 99 percent of the target")
    return policy


def misfits(conditions: Conditions, ticket: TicketFacts) -> list[str]:
    """Return the names of the conditions that `ticket` does not fit; none: they are for it."""
    passed = {
        "organisations": _passes(conditions.organisations, ticket.organisation),
        "priorities": _passes(conditions.priorities, ticket.priority),
        "categories": not conditions.categories or bool(conditions.categories & ticket.categories),
        "channels": _passes(conditions.channels, ticket.channel),
        "teams": _passes(conditions.teams, ticket.team),
        "plans": _passes(conditions.plans, ticket.plan),
    }
    return [name for name, passes in passed.items() if not passes]


def fits(conditions: Conditions, ticket: TicketFacts) -> bool:
    """Say whether a policy with `conditions` is for `ticket`."""
    return not misfits(conditions, ticket)


def first_match(policies: Iterable[Policy], ticket: TicketFacts) -> Policy | None:
    """Return the first policy that is for `ticket`."""
    return next((policy for policy in policies if fits(policy.conditions, ticket)), None)


def _passes(wanted: frozenset[UUID] | frozenset[Priority] | frozenset[str], fact: object) -> bool:
    return not wanted or fact in wanted
