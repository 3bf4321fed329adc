"""A desk with teams for tests: tickets come in, agents are there, the desk reacts."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from core.domain.actor import Agent, Role
from core.domain.ids import AgentId, ConversationId, TeamId, TicketId
from core.domain.teams import Presence, Strategy
from core.services.case import open_case
from core.services.ledger import Ledger
from core.services.reactions import Reactions
from core.services.teams.crew import AgentUpdate
from core.services.teams.routing import RoutingOfTickets
from core.services.teams.teams import TeamShape
from core.services.teams.wanting import WantingTickets
from core.storage.queries.tickets.tickets import ticket_of_conversation
from core.storage.tables import Ticket, TicketEvent
from tests.integration.console.world import Desk


class Floor:
    """The desk's teams and who is in them."""

    def __init__(self, desk: Desk, boss: Agent) -> None:
        self.desk, self.boss = desk, boss
        self.staffing = desk.staffing

    @classmethod
    async def of(cls, desk: Desk) -> Floor:
        """Return the floor of `desk`, with an admin."""
        return cls(desk, await desk.agent("boss@example.org", "Boss", Role.ADMIN))

    async def team(
        self, name: str = "Help", strategy: Strategy = Strategy.ROUND_ROBIN, **more: object
    ) -> TeamId:
        """Add a team."""
        shape = TeamShape(name=name, strategy=strategy, **more)  # type: ignore[arg-type]
        return await self.staffing.teams.create(shape, self.boss)

    async def agent(
        self,
        name: str,
        *teams: TeamId,
        level: int = 1,
        capacity: int = 10,
        skills: tuple[str, ...] = (),
        languages: tuple[str, ...] = ("en",),
        presence: Presence = Presence.ONLINE,
        is_lead: bool = False,
        role: Role = Role.AGENT,
    ) -> Agent:
        """Add an agent of some teams, who is there."""
        agent = await self.desk.agent(f"{name.lower()}@example.org", name, role)
        for team in teams:
            await self.staffing.teams.set_member(team, agent.id, level, self.boss, is_lead=is_lead)
        able = AgentUpdate(skills=skills, languages=languages, capacity=capacity)
        await self.staffing.crew.change(agent.id, able, self.boss)
        await self.staffing.crew.be(agent.id, presence)
        return agent

    async def react(self, conversation: ConversationId) -> None:
        """Let the desk react to what happened in a conversation, and share out."""
        await Reactions(
            self.desk.sessions,
            self.desk.accounts,
            (RoutingOfTickets(), WantingTickets()),
            self.desk.clock,
            afterwards=self.staffing.assignment.fill,
        ).advance(conversation)

    async def opened(self, words: str = "my screen is dark", **more: object) -> TicketId:
        """Let a requester end up in the queue, and the desk react to it."""
        more.setdefault("thread", f"t-{words}")
        conversation = await self.desk.queued(words, **more)  # type: ignore[arg-type]
        await self.react(conversation)
        async with self.desk.sessions() as session:
            found = await ticket_of_conversation(session, conversation)
        assert found is not None
        return found

    async def react_to(self, ticket: TicketId) -> None:
        """Let the desk react to what happened to a ticket."""
        await self.react(ConversationId((await self.ticket(ticket)).conversation_id))

    async def pass_to(self, ticket: TicketId, team: TeamId) -> None:
        """Let the admin give a ticket to a team."""
        async with self.desk.sessions.begin() as session:
            ledger = Ledger(self.desk.accounts, self.desk.clock())
            case = await open_case(session, ledger, ticket)
            case.pass_to(team, actor=self.boss.actor)
            await ledger.write(session)

    async def record(self, ticket: TicketId, field: str, new: str | None = None) -> None:
        """Let the clock note something in a ticket's history."""
        async with self.desk.sessions.begin() as session:
            ledger = Ledger(self.desk.accounts, self.desk.clock())
            case = await open_case(session, ledger, ticket)
            case.ledger.record(case.ticket, field, None, new, actor="timer")
            await ledger.write(session)

    async def ticket(self, ticket: TicketId) -> Ticket:
        """Return a ticket as it is now."""
        async with self.desk.sessions() as session:
            return await session.get_one(Ticket, ticket)

    async def holder(self, ticket: TicketId) -> AgentId | None:
        """Return who has a ticket."""
        found: UUID | None = (await self.ticket(ticket)).assignee_id
        return None if found is None else AgentId(found)

    async def fields(self, ticket: TicketId) -> list[tuple[str, str]]:
        """Return which fields of a ticket were changed, by whom."""
        async with self.desk.sessions() as session:
            rows = await session.scalars(
                select(TicketEvent).where(TicketEvent.ticket_id == ticket).order_by(TicketEvent.id)
            )
            return [(row.field, row.actor.partition(":")[2] or row.actor) for row in rows]
