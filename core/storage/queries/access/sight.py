"""Which tickets an agent may see, where those of some teams are not for everybody."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, false, func, literal, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, aliased

from core.domain.actor import Agent, Role
from core.domain.ids import AgentId, TeamId
from core.domain.teams import Visibility
from core.storage.once import once
from core.storage.tables import (
    AgentRow,
    ApprovalAsk,
    AssignmentPolicy,
    Attachment,
    Conversation,
    ItemRequest,
    Message,
    Team,
    TeamMember,
    Ticket,
    TicketMerge,
)

_SEES_ALL = frozenset({Role.ADMIN, Role.AUDITOR})


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """Somebody who sees tickets of some teams, of no team, their own, and what they approve."""

    agent: AgentId
    teams: Sequence[TeamId]  # their own, and those whose tickets everybody sees
    everywhere: bool = True  # whether all teams are closed, so that `teams` are their own

    @property
    def counted(self) -> Sequence[TeamId] | None:
        """The teams whose figures they see; None: all. What one closed team counts is no secret."""
        return self.teams if self.everywhere else None

    def holds(self) -> ColumnElement[bool]:
        """Return the condition that they see a ticket."""
        return or_(
            Ticket.team_id.is_(None),
            Ticket.team_id.in_(self.teams),
            Ticket.assignee_id.is_not_distinct_from(self.agent),  # it is also negated
            # Whoever is asked to approve something sees what, and what became of it.
            exists().where(
                ItemRequest.ticket_id == Ticket.id,
                ApprovalAsk.request_id == ItemRequest.id,
                ApprovalAsk.agent_id == self.agent,
            ),
        )

    def holds_conversation(self) -> ColumnElement[bool]:
        """Return the condition that they see a conversation: the ticket it belongs to, if any."""
        seen = (
            select(self.holds())
            .where(Ticket.id == main_ticket())
            .correlate(Conversation)
            .scalar_subquery()
        )
        return seen.is_not(False)


def main_ticket() -> ColumnElement[UUID | None]:
    """Return the id of the ticket that a `Conversation` belongs to; NULL where it has none.

    It is the one that it goes on in where it was merged, else its newest. A conversation that is
    held beside another belongs where that one does.
    """
    place = func.coalesce(Conversation.side_of, Conversation.id)
    own = aliased(Ticket)
    newest = (
        select(own.id)
        .where(own.conversation_id == place)
        .order_by(own.id.desc())
        .limit(1)
        .correlate(Conversation)
        .scalar_subquery()
    )
    return func.coalesce(_goes_on_in(place), newest)


def _goes_on_in(place: ColumnElement[UUID]) -> ColumnElement[UUID | None]:
    """Return the id of the ticket in which a merged conversation goes on, as `ticket_above` does.

    `merged_into` alone does not tell: in the conversation that it names, another ticket may have
    begun since.
    """
    line = (
        select(TicketMerge.kept_id.label("ticket"), literal(1).label("step"))
        .where(
            TicketMerge.conversation_id == place,
            TicketMerge.undone_at.is_(None),
            TicketMerge.ended_at.is_(None),
        )
        .correlate(Conversation)
        .cte("line", recursive=True, nesting=True)
    )
    further = aliased(TicketMerge)
    line = line.union_all(
        select(further.kept_id, line.c.step + 1).where(
            further.merged_id == line.c.ticket, further.undone_at.is_(None)
        )
    )
    return (
        select(line.c.ticket)
        .order_by(line.c.step.desc())
        .limit(1)
        .correlate(Conversation)
        .scalar_subquery()
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class OutOfSight:
    """A ticket that somebody may not see, as the audit log names it."""

    number: int


async def sight_of(session: AsyncSession, agent: Agent) -> Sight | None:
    """Return what limits `agent`; None where they see everything.

    Their role is taken from `agent`: somebody who comes with a token may do what its role may.
    """
    if agent.role in _SEES_ALL:
        return None
    is_closed_everywhere = exists().where(AssignmentPolicy.own_tickets_only)
    found = (
        await session.execute(
            select(is_closed_everywhere, exists().where(Team.visibility == Visibility.MEMBERS))
        )
    ).one()
    if not any(found):
        return None
    everywhere = found[0]
    is_theirs = TeamMember.agent_id.is_not(None)
    is_open = false() if everywhere else Team.visibility == Visibility.EVERYBODY
    rows = (
        await session.execute(
            select(Team.id, or_(is_open, is_theirs)).outerjoin(
                TeamMember, (TeamMember.team_id == Team.id) & (TeamMember.agent_id == agent.id)
            )
        )
    ).all()
    if all(is_seen for _, is_seen in rows):
        return None
    teams = [TeamId(team) for team, is_seen in rows if is_seen]
    return Sight(agent=agent.id, teams=teams, everywhere=everywhere)


def is_hidden_from(agent: InstrumentedAttribute[UUID]) -> ColumnElement[bool]:
    """Return the condition that the agent whose id `agent` is does not see a `Ticket`.

    It says of many agents at once what `Sight` says of one.
    """
    reader = aliased(AgentRow)
    return and_(
        is_closed(Ticket.team_id),
        exists().where(reader.id == agent, reader.role.not_in(_SEES_ALL)),
        ~exists().where(TeamMember.team_id == Ticket.team_id, TeamMember.agent_id == agent),
        Ticket.assignee_id.is_distinct_from(agent),
        ~exists().where(
            ItemRequest.ticket_id == Ticket.id,
            ApprovalAsk.request_id == ItemRequest.id,
            ApprovalAsk.agent_id == agent,
        ),
    )


def is_closed(team: Any) -> ColumnElement[bool]:
    """Return the condition that the tickets of `team`, an id, are not for everybody."""
    return exists().where(
        Team.id == team,
        or_(
            Team.visibility == Visibility.MEMBERS, exists().where(AssignmentPolicy.own_tickets_only)
        ),
    )


async def hidden_from(
    session: AsyncSession, pairs: Collection[tuple[UUID, UUID]]
) -> set[tuple[UUID, UUID]]:
    """Return those of `pairs`, each an agent and a ticket, in which they do not see it."""
    if not pairs or not await once(session, "closed teams", lambda: _any_closed(session)):
        return set()
    reader = aliased(AgentRow)
    rows = await session.execute(
        select(reader.id, Ticket.id).where(
            tuple_(reader.id, Ticket.id).in_(list(pairs)), is_hidden_from(reader.id)
        )
    )
    return {(agent, ticket) for agent, ticket in rows}


async def _any_closed(session: AsyncSession) -> bool:
    found = await session.scalar(
        select(
            or_(
                exists().where(AssignmentPolicy.own_tickets_only),
                exists().where(Team.visibility == Visibility.MEMBERS),
            )
        )
    )
    return bool(found)


async def unseen_ticket(session: AsyncSession, sight: Sight, ticket: UUID) -> OutOfSight | None:
    """Return what `sight` hides of a ticket; None where it hides nothing."""
    number = await session.scalar(select(Ticket.number).where(Ticket.id == ticket, ~sight.holds()))
    return None if number is None else OutOfSight(number=number)


async def unseen_conversation(
    session: AsyncSession, sight: Sight, conversation: UUID
) -> OutOfSight | None:
    """Return the ticket that a conversation belongs to, if hidden."""
    ticket = await session.scalar(select(main_ticket()).where(Conversation.id == conversation))
    return None if ticket is None else await unseen_ticket(session, sight, ticket)


async def unseen_message(session: AsyncSession, sight: Sight, message: UUID) -> OutOfSight | None:
    """Return the ticket whose conversation a message is in, if hidden."""
    conversation = await session.scalar(
        select(Message.conversation_id).where(Message.id == message)
    )
    if conversation is None:
        return None
    return await unseen_conversation(session, sight, conversation)


async def unseen_file(session: AsyncSession, sight: Sight, attachment: UUID) -> OutOfSight | None:
    """Return the ticket whose conversation a file is in, if hidden."""
    conversation = await session.scalar(
        select(Message.conversation_id)
        .join(Attachment, Attachment.message_id == Message.id)
        .where(Attachment.id == attachment)
    )
    if conversation is None:
        return None
    return await unseen_conversation(session, sight, conversation)
