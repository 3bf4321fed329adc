"""A desk whose tickets have clocks: what workers do about them, when a test says so."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy import select

from core.domain.actor import Agent, Role
from core.domain.assistant import Handoff, HandoffReason
from core.domain.ids import TicketId
from core.domain.sla.policy import CalendarId, ClockKind, Conditions, Policy, PolicyId
from core.domain.ticket import Priority
from core.services.reactions import Reactions
from core.services.requester_records.organisation_of_tickets import OrganisationOfTickets
from core.services.sla.calendars import CalendarForm, Calendars
from core.services.sla.clocks import ClocksOfTickets, ClockSweep
from core.services.sla.closing import ClosingSweep
from core.services.sla.policies import Policies
from core.services.sla.rules import PromiseBook
from core.storage.engine import Sessions
from core.storage.tables import SlaClock, SlaTicket, TicketEvent
from tests.support.desk import Rig

HOUR = timedelta(hours=1)
NEVER_NOW = "00:00-00:01"


class Promised(Rig):
    """A rig with the services of promises."""

    def __init__(self, sessions: Sessions, folder: Path) -> None:
        super().__init__(sessions, folder)
        book = PromiseBook()
        clocks = ClocksOfTickets(96 * HOUR, book)
        self.calendars = Calendars(sessions, self.clock)
        self.policies = Policies(sessions, self.clock)
        self.sweep = ClockSweep(sessions, self.accounts, clocks, self.clock)
        self.closing = ClosingSweep(sessions, self.accounts, book, self.clock)
        self.reactors = (OrganisationOfTickets(), clocks)
        self.reactions = Reactions(sessions, self.accounts, self.reactors, self.clock)
        self._admin: Agent | None = None

    async def admin(self) -> Agent:
        """Return the one who sets rules."""
        if self._admin is None:
            self._admin = await self.agent("Root", Role.ADMIN)
        return self._admin

    async def promise(
        self,
        conditions: Conditions | None = None,
        calendar: UUID | None = None,
        *,
        raises_priority: bool = False,
        **hours: float,
    ) -> PolicyId:
        """Add a policy with targets in hours."""
        policy = Policy(
            id=PolicyId(UUID(int=0)),
            name="usual",
            conditions=conditions or Conditions(),
            targets=targets(hours),
            calendar=None if calendar is None else CalendarId(calendar),
            raises_priority=raises_priority,
        )
        return await self.policies.add(policy, await self.admin())

    async def calendar(
        self, week: str = "09:00-17:00", name: str = "Office", *, is_default: bool = False
    ) -> UUID:
        """Add a calendar with the same hours each day, in UTC."""
        form = CalendarForm(name=name, zone="UTC", week=[week] * 7, is_default=is_default)
        return await self.calendars.add(form, await self.admin())

    async def ticket_opens(
        self,
        *,
        priority: Priority = Priority.NORMAL,
        reason: HandoffReason = HandoffReason.ASKED_FOR_HUMAN,
    ) -> TicketId:
        """Let a requester be handed off; return their ticket, its clocks running."""
        conversation = await self.hear("my screen is broken")
        await self.reply(conversation, Handoff(reason=reason, priority=priority))
        await self.react()
        return await self.ticket_id()

    async def react(self) -> None:
        """Do what workers do about changes."""
        await self.reactions.advance(await self.conversation_id())

    async def clocks(self) -> dict[tuple[str, int], SlaClock]:
        """Return every clock there is."""
        async with self.sessions() as session:
            rows = await session.scalars(select(SlaClock))
            return {(row.kind, row.round): row for row in rows}

    async def kept(self) -> SlaTicket:
        """Return what is kept of the only ticket."""
        async with self.sessions() as session:
            return (await session.scalars(select(SlaTicket))).one()

    async def noted(self, field: str) -> list[str | None]:
        """Return the new values of a field in every ticket's history."""
        async with self.sessions() as session:
            rows = await session.scalars(
                select(TicketEvent.new).where(TicketEvent.field == field).order_by(TicketEvent.id)
            )
            return list(rows)


def targets(hours: Mapping[str, float]) -> dict[ClockKind, timedelta]:
    """Return targets from hours by kind of clock."""
    return {ClockKind(kind): count * HOUR for kind, count in hours.items()}
