"""Which tickets an agent may see, where agents see those of their teams alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from core.domain.actor import Role
from core.domain.ids import AgentId, TeamId
from core.storage.tables import (
    AgentRow,
    ApprovalAsk,
    AssignmentPolicy,
    Attachment,
    Conversation,
    ItemRequest,
    Message,
    TeamMember,
    Ticket,
)

_SEES_ALL = frozenset({Role.ADMIN, Role.AUDITOR})


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """Somebody who sees tickets of their teams, of no team, their own, and what they approve."""

    agent: AgentId
    teams: Sequence[TeamId]

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
        """Return the condition that they see a conversation, by its newest ticket if any.

        Of one that is held beside another, or was merged into it, that one's ticket counts.
        """
        newest = (
            select(self.holds())
            .where(Ticket.conversation_id == main_conversation())
            .order_by(Ticket.id.desc())
            .limit(1)
            .correlate(Conversation)
            .scalar_subquery()
        )
        return newest.is_not(False)


def main_conversation() -> ColumnElement[UUID]:
    """Return the id of the conversation whose tickets a `Conversation` belongs to.

    It is the one it was merged into or is held beside, which may have been merged in turn.
    """
    host = aliased(Conversation)
    beside = (
        select(func.coalesce(host.merged_into, host.id))
        .where(host.id == Conversation.side_of)
        .correlate(Conversation)
        .scalar_subquery()
    )
    return func.coalesce(Conversation.merged_into, beside, Conversation.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutOfSight:
    """A ticket that somebody may not see, as the audit log names it."""

    number: int


async def sight_of(session: AsyncSession, agent: AgentId) -> Sight | None:
    """Return what limits `agent`; None where they see everything."""
    role = await session.scalar(
        select(AgentRow.role).where(
            AgentRow.id == agent, exists().where(AssignmentPolicy.own_tickets_only)
        )
    )
    if role is None or role in _SEES_ALL:
        return None
    teams = await session.scalars(select(TeamMember.team_id).where(TeamMember.agent_id == agent))
    return Sight(agent=agent, teams=[TeamId(team) for team in teams])


async def unseen_ticket(session: AsyncSession, sight: Sight, ticket: UUID) -> OutOfSight | None:
    """Return what `sight` hides of a ticket; None where it hides nothing."""
    number = await session.scalar(select(Ticket.number).where(Ticket.id == ticket, ~sight.holds()))
    return None if number is None else OutOfSight(number=number)


async def unseen_conversation(
    session: AsyncSession, sight: Sight, conversation: UUID
) -> OutOfSight | None:
    """Return the newest ticket of a conversation, if hidden.

    Of one that is held beside another, or was merged into it, that one's ticket counts.
    """
    ticket = await session.scalar(
        select(Ticket.id)
        .join(Conversation, Ticket.conversation_id == main_conversation())
        .where(Conversation.id == conversation)
        .order_by(Ticket.id.desc())
        .limit(1)
    )
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
