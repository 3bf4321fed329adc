"""What reacts to changes of tickets, and what it is told of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from sqlalchemy.ext.asyncio import AsyncSession

from core.services.case import Case

DEEPEST = 16
"""Reactions to reactions stop here: something answers itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketChange:
    """One entry of a ticket's history, as `ticket_event` keeps it."""

    id: int
    field: str  # "status", "assignee", "team", "priority", "message", …
    old: str | None
    new: str | None
    actor: str  # "agent:<id>", "requester", "assistant", "timer", or the reactor that did it
    reason: str | None
    at: datetime
    depth: int  # how many reactions led to it; 0: somebody did it

    @property
    def is_opening(self) -> bool:
        """Whether this is the ticket's first entry."""
        return self.field == "status" and self.old is None


class Reactor(Protocol):
    """Does one thing about changes of tickets: assigns, counts time, notifies, …"""

    @property
    def name(self) -> str:
        """Name the reactor in failures and, as "reactor:<name>", as an actor."""

    async def react(self, case: Case, change: TicketChange) -> None:
        """Do what follows from `change`, in the transaction that `case` is locked by.

        Each change comes once, in the order of the ticket's history, soon after its commit; the
        ticket may have changed further. What is recorded through `case` comes back as further
        changes, one deeper. No network call, and no waiting: what takes long is left as a work
        item. An exception undoes this reactor's part alone: it is kept as a `ReactionFailure`
        and the change is not shown to it again.
        """


@runtime_checkable
class Prepares(Protocol):
    """A reactor that asks once for what it needs of several tickets."""

    async def prepare(
        self, session: AsyncSession, changes: Sequence[tuple[Case, TicketChange]]
    ) -> object:
        """Bring what `react` needs for each of `changes` into `session`.

        Nothing is decided here: `react` must do without it too. What is returned is kept until
        all of `changes` have been reacted to.
        """
