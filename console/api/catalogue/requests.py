"""Requests for items of the catalogue, in the API: asking, deciding, and the tasks."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, Field

from console.api.classification.categories import Id
from console.api.principal import AgentCaller
from console.api.shapes import Body, NamedOut, Nothing, Text
from console.api.tickets.shapes import TicketOut
from console.api.tickets.tickets import TicketName, answer, ticket_called
from console.desk import ConsoleDesk, desk_of
from core.domain.catalogue import MAX_TEXT_CHARS, Decision, Stage, TaskState
from core.domain.errors import NotFound
from core.domain.ids import ContactId, ItemId, RequestTaskId, TicketId
from core.domain.ticket import Priority
from core.services.catalogue.asking import Wish
from core.storage.engine import storage_errors
from core.storage.queries.catalogue.requests import (
    AskView,
    RequestView,
    TaskView,
    WaitingView,
    request_of,
    tasks_for,
    waiting_for,
)

router = APIRouter(tags=["catalogue"])

Value = Text | bool | int | float | None
Values = Annotated[dict[Text, Value], Field(description="By the id of the form's field.")]


class WishBody(Body):
    """What is asked for."""

    item: Id
    values: Values = Field(default_factory=dict)

    def wish(self) -> Wish:
        """Return it as the desk takes it."""
        return Wish(item=ItemId(self.item), values=self.values)


class NewRequest(Body):
    """Whom an item is asked for, and the form filled in."""

    requester: Id
    values: Values = Field(default_factory=dict)
    priority: Annotated[Priority, Field(strict=False)] = Priority.NORMAL


class DecisionBody(Body):
    """What is decided, and why."""

    decision: Annotated[Decision, Field(strict=False)]
    reason: Annotated[Text, Field(max_length=MAX_TEXT_CHARS)] = ""


class ValueOut(BaseModel):
    """One thing that was filled in."""

    field: UUID
    label: str
    value: Any


class AskOut(BaseModel):
    """Somebody who was asked to decide."""

    name: str
    email: str
    agent: UUID | None
    asked_at: datetime
    expires_at: datetime  # of their link
    mailed_at: datetime | None
    mail_problem: str | None  # why their address takes no letter
    in_chat: bool

    @classmethod
    def of(cls, ask: AskView) -> AskOut:
        """Return what the API tells of `ask`."""
        return cls(
            name=ask.name,
            email=ask.email,
            agent=ask.agent,
            asked_at=ask.asked_at,
            expires_at=ask.expires_at,
            mailed_at=ask.mailed_at,
            mail_problem=ask.mail_problem,
            in_chat=ask.is_in_chat,
        )


class RequestTaskOut(BaseModel):
    """Something to do for a request."""

    id: UUID
    title: str
    team: NamedOut | None
    agent: NamedOut | None
    state: TaskState
    done_at: datetime | None
    done_by: str | None

    @classmethod
    def of(cls, task: TaskView) -> RequestTaskOut:
        """Return what the API tells of `task`."""
        return cls(
            id=task.id,
            title=task.title,
            team=NamedOut.of(task.team),
            agent=NamedOut.of(task.agent),
            state=task.state,
            done_at=task.done_at,
            done_by=task.done_by,
        )


class RequestOut(BaseModel):
    """What a ticket asks for of the catalogue, and how that stands."""

    item: NamedOut
    stage: Stage
    approval_role: NamedOut | None
    values: list[ValueOut]
    asked: list[AskOut]
    tasks: list[RequestTaskOut]
    decided_by: str | None
    decided_at: datetime | None
    reason: str
    created_at: datetime

    @classmethod
    def of(cls, found: RequestView) -> RequestOut:
        """Return what the API tells of a request."""
        return cls(
            item=NamedOut(id=found.item.id, name=found.item.name),
            stage=found.stage,
            approval_role=NamedOut.of(found.role),
            values=[
                ValueOut(field=spec.id, label=spec.label, value=value)
                for spec, value in found.values
            ],
            asked=[AskOut.of(ask) for ask in found.asks],
            tasks=[RequestTaskOut.of(task) for task in found.tasks],
            decided_by=found.decided_name,
            decided_at=found.decided_at,
            reason=found.reason,
            created_at=found.created_at,
        )


class WaitingOut(BaseModel):
    """A request or a task that waits for the caller."""

    ticket: int
    subject: str
    requester: str | None
    item: str
    since: datetime
    task: str | None
    task_id: UUID | None

    @classmethod
    def of(cls, waiting: WaitingView) -> WaitingOut:
        """Return what the API tells of `waiting`."""
        return cls(
            ticket=waiting.number,
            subject=waiting.subject,
            requester=waiting.requester,
            item=waiting.item,
            since=waiting.since,
            task=waiting.task,
            task_id=waiting.task_id,
        )


class MineOut(BaseModel):
    """What waits for the caller, the oldest first."""

    approvals: list[WaitingOut]
    tasks: list[WaitingOut]  # theirs, and their teams'


@router.post("/catalogue/{item}/requests", status_code=201)
async def ask_for_item(
    request: Request, caller: AgentCaller, item: UUID, body: NewRequest
) -> TicketOut:
    """Ask for an item in a requester's name: a new ticket in their latest conversation."""
    desk = desk_of(request)
    wish = Wish(item=ItemId(item), values=body.values, priority=body.priority)
    ticket = await desk.catalogue.asking.ask_for(ContactId(body.requester), wish, caller)
    return await answer(desk, ticket)


@router.get("/tickets/{ticket}/request")
async def get_request(request: Request, _: AgentCaller, ticket: TicketName) -> RequestOut:
    """Return what a ticket asks for of the catalogue."""
    desk = desk_of(request)
    return await _request(desk, await ticket_called(desk, ticket))


@router.post("/tickets/{ticket}/request", status_code=201)
async def ask_with_ticket(
    request: Request, caller: AgentCaller, ticket: TicketName, body: WishBody
) -> RequestOut:
    """Make an open ticket the request for an item."""
    desk = desk_of(request)
    named = await ticket_called(desk, ticket)
    await desk.catalogue.asking.ask_with(named, body.wish(), caller)
    return await _request(desk, named)


@router.post("/tickets/{ticket}/approval")
async def decide(
    request: Request, caller: AgentCaller, ticket: TicketName, body: DecisionBody
) -> RequestOut:
    """Approve or reject what a ticket asks for; once decided, it stays so."""
    desk = desk_of(request)
    named = await ticket_called(desk, ticket)
    await desk.catalogue.approvals.decide(named, body.decision, body.reason, caller)
    return await _request(desk, named)


@router.post("/tickets/{ticket}/approval/ask-again")
async def ask_again(
    request: Request, caller: AgentCaller, ticket: TicketName, _: Nothing | None = None
) -> RequestOut:
    """Ask all who may decide once more."""
    desk = desk_of(request)
    named = await ticket_called(desk, ticket)
    await desk.catalogue.approvals.ask_again(named, caller)
    return await _request(desk, named)


@router.post("/tickets/{ticket}/tasks/{task}/done")
async def finish_task(
    request: Request,
    caller: AgentCaller,
    ticket: TicketName,
    task: Annotated[UUID, Path(description="The task's id.")],
    _: Nothing | None = None,
) -> RequestOut:
    """Count a task as done; after the last one, the ticket is solved."""
    desk = desk_of(request)
    named = await ticket_called(desk, ticket)
    await desk.catalogue.tasks.finish(named, RequestTaskId(task), caller)
    return await _request(desk, named)


@router.get("/approvals")
async def what_waits_for_me(request: Request, caller: AgentCaller) -> MineOut:
    """List the requests that wait for the caller's approval, and their open tasks."""
    async with storage_errors(), desk_of(request).sessions() as session:
        return MineOut(
            approvals=[WaitingOut.of(one) for one in await waiting_for(session, caller.id)],
            tasks=[WaitingOut.of(one) for one in await tasks_for(session, caller.id)],
        )


async def _request(desk: ConsoleDesk, ticket: TicketId) -> RequestOut:
    async with storage_errors(), desk.sessions() as session:
        found = await request_of(session, ticket)
    if found is None:
        raise NotFound("this ticket asks for nothing of the catalogue")
    return RequestOut.of(found)
