"""The life of a ticket, as a table of what may follow what."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from core.domain.errors import IllegalTransition


class TicketStatus(StrEnum):
    """Where a ticket stands."""

    NEW = "new"
    OPEN = "open"
    PENDING = "pending"  # waits for the requester
    ON_HOLD = "on_hold"  # waits for somebody else
    SOLVED = "solved"
    CLOSED = "closed"


class StatusCategory(StrEnum):
    """What a status means for clocks and queues."""

    OPEN = "open"
    WAITING = "waiting"
    DONE = "done"


class TicketTrigger(StrEnum):
    """What moves a ticket from one status to another."""

    AGENT_TOOK = "agent_took"
    RELEASED = "released"
    REOPENED = "reopened"
    SET_PENDING = "set_pending"
    SET_ON_HOLD = "set_on_hold"
    SOLVED = "solved"
    CLOSED = "closed"
    CUSTOMER_WROTE = "customer_wrote"
    GRACE_ENDED = "grace_ended"


class ClosedAs(StrEnum):
    """What a closed ticket is besides closed; figures leave such tickets out."""

    MERGED = "merged"  # it goes on in another ticket
    SPAM = "spam"
    REJOINED = "rejoined"  # it was split off, and is in the other ticket again


class CameBy(StrEnum):
    """How somebody asked for what an agent registered in their name."""

    PHONE = "phone"
    WALK_IN = "walk_in"
    POST = "post"
    ELSEWHERE = "elsewhere"


class Priority(StrEnum):
    """How soon a ticket should be looked at; `RANK` sorts it."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"


RANK: Mapping[Priority, int] = MappingProxyType(
    {Priority.LOW: 0, Priority.NORMAL: 1, Priority.HIGH: 2, Priority.URGENT: 3}
)

_S, _T = TicketStatus, TicketTrigger

CATEGORY: Mapping[TicketStatus, StatusCategory] = MappingProxyType(
    {
        _S.NEW: StatusCategory.OPEN,
        _S.OPEN: StatusCategory.OPEN,
        _S.PENDING: StatusCategory.WAITING,
        _S.ON_HOLD: StatusCategory.WAITING,
        _S.SOLVED: StatusCategory.DONE,
        _S.CLOSED: StatusCategory.DONE,
    }
)

TRANSITIONS: Mapping[tuple[TicketStatus, TicketTrigger], TicketStatus] = MappingProxyType(
    {
        (_S.NEW, _T.AGENT_TOOK): _S.OPEN,
        (_S.NEW, _T.REOPENED): _S.OPEN,
        (_S.NEW, _T.SET_PENDING): _S.PENDING,
        (_S.NEW, _T.SET_ON_HOLD): _S.ON_HOLD,
        (_S.NEW, _T.SOLVED): _S.SOLVED,
        (_S.NEW, _T.CLOSED): _S.CLOSED,
        (_S.NEW, _T.CUSTOMER_WROTE): _S.NEW,
        (_S.OPEN, _T.AGENT_TOOK): _S.OPEN,
        (_S.OPEN, _T.REOPENED): _S.OPEN,
        (_S.OPEN, _T.RELEASED): _S.OPEN,
        (_S.OPEN, _T.SET_PENDING): _S.PENDING,
        (_S.OPEN, _T.SET_ON_HOLD): _S.ON_HOLD,
        (_S.OPEN, _T.SOLVED): _S.SOLVED,
        (_S.OPEN, _T.CLOSED): _S.CLOSED,
        (_S.OPEN, _T.CUSTOMER_WROTE): _S.OPEN,
        (_S.PENDING, _T.AGENT_TOOK): _S.OPEN,
        (_S.PENDING, _T.REOPENED): _S.OPEN,
        (_S.PENDING, _T.SET_PENDING): _S.PENDING,
        (_S.PENDING, _T.SET_ON_HOLD): _S.ON_HOLD,
        (_S.PENDING, _T.SOLVED): _S.SOLVED,
        (_S.PENDING, _T.CLOSED): _S.CLOSED,
        (_S.PENDING, _T.CUSTOMER_WROTE): _S.OPEN,
        (_S.ON_HOLD, _T.AGENT_TOOK): _S.OPEN,
        (_S.ON_HOLD, _T.REOPENED): _S.OPEN,
        (_S.ON_HOLD, _T.SET_PENDING): _S.PENDING,
        (_S.ON_HOLD, _T.SET_ON_HOLD): _S.ON_HOLD,
        (_S.ON_HOLD, _T.SOLVED): _S.SOLVED,
        (_S.ON_HOLD, _T.CLOSED): _S.CLOSED,
        (_S.ON_HOLD, _T.CUSTOMER_WROTE): _S.OPEN,
        (_S.SOLVED, _T.AGENT_TOOK): _S.OPEN,
        (_S.SOLVED, _T.REOPENED): _S.OPEN,
        (_S.SOLVED, _T.SOLVED): _S.SOLVED,
        (_S.SOLVED, _T.CLOSED): _S.CLOSED,
        (_S.SOLVED, _T.CUSTOMER_WROTE): _S.OPEN,
        (_S.SOLVED, _T.GRACE_ENDED): _S.CLOSED,
        (_S.CLOSED, _T.CLOSED): _S.CLOSED,
    }
)

TRIGGER_FOR: Mapping[TicketStatus, TicketTrigger] = MappingProxyType(
    {
        _S.OPEN: _T.REOPENED,
        _S.PENDING: _T.SET_PENDING,
        _S.ON_HOLD: _T.SET_ON_HOLD,
        _S.SOLVED: _T.SOLVED,
        _S.CLOSED: _T.CLOSED,
    }
)
"""The trigger an agent pulls by setting a status; `NEW` cannot be set."""


def next_status(status: TicketStatus, trigger: TicketTrigger) -> TicketStatus:
    """Return the status that `trigger` leads to, or raise `IllegalTransition`."""
    try:
        return TRANSITIONS[status, trigger]
    except KeyError:
        raise IllegalTransition("ticket", status, trigger) from None
