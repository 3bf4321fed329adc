"""Reads what was asked for of the catalogue: its values, who decides, what is left to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.catalogue import Stage, TaskState
from core.domain.classification import FieldSpec
from core.domain.ids import AgentId, ItemId, RequestId, RequestTaskId, TicketId
from core.storage.queries.catalogue.items import ItemView, item_view
from core.storage.queries.classification.categories import spec_of
from core.storage.queries.tickets.tickets import Named
from core.storage.tables import (
    AgentRow,
    ApprovalAsk,
    ApprovalRole,
    Approver,
    CatalogueItem,
    Contact,
    ContactAddress,
    FormField,
    ItemRequest,
    RequestTask,
    Team,
    TeamMember,
    Ticket,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AskView:
    """Somebody who was asked to decide."""

    id: UUID
    agent: AgentId | None
    name: str
    email: str
    asked_at: datetime
    expires_at: datetime
    mailed_at: datetime | None
    mail_problem: str | None  # why their address takes no letter
    is_in_chat: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskView:
    """Something to do for a request."""

    id: RequestTaskId
    title: str
    team: Named | None
    agent: Named | None
    state: TaskState
    done_at: datetime | None
    done_by: str | None  # the name of whoever did it


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestView:
    """What a ticket asks for of the catalogue, and how it stands."""

    id: RequestId
    ticket: TicketId
    item: ItemView
    stage: Stage
    role: Named | None
    values: Sequence[tuple[FieldSpec, Any]]  # what was filled in, in the form's order
    asks: Sequence[AskView]  # of who is asked now
    approvers: Sequence[AgentId]  # agents who may decide
    tasks: Sequence[TaskView]
    decided_name: str | None
    decided_at: datetime | None
    reason: str
    created_at: datetime

    def may_decide(self, agent: UUID) -> bool:
        """Say whether it waits for this agent's decision, among others'."""
        return self.stage == Stage.APPROVAL and agent in self.approvers


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingView:
    """A request or a task that waits for an agent."""

    number: int
    subject: str
    requester: str | None
    item: str  # in the desk's default language
    items: Mapping[str, str]  # by language
    icon: str
    since: datetime
    task: str | None = None
    task_id: RequestTaskId | None = None

    def item_named(self, language: str | None) -> str:
        """Return what is asked for, as it is called in `language`."""
        return self.items.get(language or "") or self.item


async def request_of(session: AsyncSession, ticket: UUID) -> RequestView | None:
    """Return what a ticket asks for of the catalogue; None where it is no such ticket."""
    row = await session.scalar(select(ItemRequest).where(ItemRequest.ticket_id == ticket))
    if row is None:
        return None
    role = None if row.role_id is None else await session.get_one(ApprovalRole, row.role_id)
    asks = await session.scalars(
        select(ApprovalAsk).where(ApprovalAsk.request_id == row.id).order_by(ApprovalAsk.id)
    )
    contact = await session.scalar(select(Ticket.contact_id).where(Ticket.id == ticket))
    own = frozenset[str]() if contact is None else await addresses_of(session, contact)
    return RequestView(
        id=RequestId(row.id),
        ticket=TicketId(ticket),
        item=await item_view(session, ItemId(row.item_id)),
        stage=Stage(row.stage),
        role=None if role is None else Named(id=role.id, name=role.name),
        values=await values_of(session, row),
        asks=[_ask(ask) for ask in asks],
        approvers=await _approvers(session, row, own),
        tasks=await _tasks(session, RequestTask.request_id == row.id),
        decided_name=row.decided_name,
        decided_at=row.decided_at,
        reason=row.reason,
        created_at=row.created_at,
    )


async def values_of(session: AsyncSession, request: ItemRequest) -> Sequence[tuple[FieldSpec, Any]]:
    """Return what the form of `request` was filled in with, in the form's order."""
    kept = await session.scalar(select(Ticket.fields).where(Ticket.id == request.ticket_id)) or {}
    # What is asked for no more is shown where it was answered.
    fields = await session.scalars(
        select(FormField)
        .where(FormField.item_id == request.item_id)
        .order_by(FormField.position, FormField.id)
    )
    return [(spec_of(row), kept[str(row.id)]) for row in fields if str(row.id) in kept]


async def waiting_for(session: AsyncSession, agent: AgentId) -> Sequence[WaitingView]:
    """Return the requests that wait for this agent's approval, the oldest first."""
    email = await session.scalar(select(AgentRow.email).where(AgentRow.id == agent))
    rows = await session.execute(
        select(Ticket, Contact.name, CatalogueItem, ItemRequest.created_at)
        .join(ItemRequest, ItemRequest.ticket_id == Ticket.id)
        .join(CatalogueItem, CatalogueItem.id == ItemRequest.item_id)
        .join(Contact, Contact.id == Ticket.contact_id)
        .join(Approver, Approver.role_id == ItemRequest.role_id)
        .where(
            Approver.agent_id == agent,
            ItemRequest.stage == Stage.APPROVAL,
        )
        .order_by(ItemRequest.created_at, ItemRequest.id)
    )
    return [
        WaitingView(
            number=ticket.number,
            subject=ticket.subject,
            requester=name,
            item=item.name,
            items=item.names,
            icon=item.icon,
            since=since,
        )
        for ticket, name, item, since in rows.all()
        if email not in await addresses_of(session, ticket.contact_id)
    ]


async def tasks_for(session: AsyncSession, agent: AgentId) -> Sequence[WaitingView]:
    """Return the open tasks of this agent and of their teams, the oldest first."""
    teams = select(TeamMember.team_id).where(TeamMember.agent_id == agent)
    rows = await session.execute(
        select(
            Ticket,
            Contact.name,
            CatalogueItem,
            RequestTask,
            func.coalesce(RequestTask.opened_at, ItemRequest.created_at),
        )
        .join(ItemRequest, ItemRequest.id == RequestTask.request_id)
        .join(Ticket, Ticket.id == ItemRequest.ticket_id)
        .join(CatalogueItem, CatalogueItem.id == ItemRequest.item_id)
        .join(Contact, Contact.id == Ticket.contact_id)
        .where(
            ItemRequest.stage == Stage.WORK,
            RequestTask.state == TaskState.OPEN,
            or_(RequestTask.agent_id == agent, RequestTask.team_id.in_(teams)),
        )
        .order_by(RequestTask.opened_at, RequestTask.id)
    )
    return [
        WaitingView(
            number=ticket.number,
            subject=ticket.subject,
            requester=name,
            item=item.name,
            items=item.names,
            icon=item.icon,
            since=opened_at,
            task=task.title,
            task_id=RequestTaskId(task.id),
        )
        for ticket, name, item, task, opened_at in rows
    ]


async def addresses_of(session: AsyncSession, contact: UUID) -> frozenset[str]:
    """Return every mail address by which a requester may be one who approves, in lower case."""
    email = await session.scalar(select(Contact.email).where(Contact.id == contact))
    rows = await session.execute(
        select(ContactAddress.address, ContactAddress.verified_email).where(
            ContactAddress.contact_id == contact
        )
    )
    known = {email, *(name for row in rows for name in row)}
    return frozenset(name.lower() for name in known if name is not None)


async def _approvers(
    session: AsyncSession, row: ItemRequest, own: frozenset[str]
) -> Sequence[AgentId]:
    found = await session.execute(
        select(AgentRow.id, AgentRow.email)
        .join(Approver, Approver.agent_id == AgentRow.id)
        .where(Approver.role_id == row.role_id, AgentRow.disabled_at.is_(None))
    )
    return [AgentId(one.id) for one in found if one.email not in own]


async def _tasks(session: AsyncSession, which: ColumnElement[bool]) -> Sequence[TaskView]:
    rows = (
        await session.execute(
            select(RequestTask, Team, AgentRow)
            .outerjoin(Team, Team.id == RequestTask.team_id)
            .outerjoin(AgentRow, AgentRow.id == RequestTask.agent_id)
            .where(which)
            .order_by(RequestTask.request_id, RequestTask.position)
        )
    ).all()
    doers = {f"agent:{agent.id}": agent.name for agent in await session.scalars(select(AgentRow))}
    return [
        TaskView(
            id=RequestTaskId(task.id),
            title=task.title,
            team=None if team is None else Named(id=team.id, name=team.name),
            agent=None if agent is None else Named(id=agent.id, name=agent.name),
            state=TaskState(task.state),
            done_at=task.done_at,
            done_by=doers.get(task.done_by or ""),
        )
        for task, team, agent in rows
    ]


def _ask(row: ApprovalAsk) -> AskView:
    return AskView(
        id=row.id,
        agent=None if row.agent_id is None else AgentId(row.agent_id),
        name=row.name,
        email=row.email,
        asked_at=row.asked_at,
        expires_at=row.expires_at,
        mailed_at=row.mailed_at,
        mail_problem=row.mail_problem,
        is_in_chat=row.conversation_id is not None,
    )
