"""Registering in the API: tickets for somebody who asked elsewhere, and who they are."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import Field

from console.api.classification.sorting import SortingBody
from console.api.principal import AgentCaller
from console.api.requester_records.requesters import RequesterBody, RequesterRecordOut
from console.api.requester_records.requesters import answer as requester_now
from console.api.shapes import Text
from console.api.tickets.shapes import TicketOut
from console.api.tickets.tickets import answer
from console.desk import desk_of
from console.sight import ticket_of_body
from core.domain.content import MAX_TEXT_CHARS
from core.domain.errors import InvalidInput, NotFound
from core.domain.ids import AccountId, ContactId
from core.domain.ticket import CameBy
from core.services.conversations.letters import MAX_SUBJECT_CHARS
from core.services.tickets.registrations import Registration
from core.storage.engine import storage_errors
from core.storage.queries.access.agents import agent_named

router = APIRouter(tags=["tickets"])


class NewRequesterBody(RequesterBody):
    """Somebody who has not written to the desk yet."""

    email: Annotated[Text, Field(max_length=254)] = ""


class NewTicketBody(SortingBody):
    """What somebody asked for, by telephone say, and who is to see to it."""

    requester: Annotated[UUID, Field(strict=False)]
    subject: Annotated[Text, Field(max_length=MAX_SUBJECT_CHARS)]
    text: Annotated[Text, Field(max_length=MAX_TEXT_CHARS)]
    came_by: Annotated[CameBy, Field(strict=False)] = CameBy.PHONE
    assignee: Annotated[Text, Field(max_length=254)] | None = Field(
        default=None, description="An agent's id or e-mail address; null: as the rules have it."
    )
    language: Annotated[Text, Field(max_length=10)] | None = None
    account: Annotated[Text, Field(max_length=100)] | None = Field(
        default=None, description="The e-mail account to write from; null: one that knows them."
    )
    tell: bool = Field(
        default=True, description="Mail them the ticket's number, where they can be mailed."
    )


@router.post("/tickets", status_code=201)
async def register_ticket(request: Request, caller: AgentCaller, body: NewTicketBody) -> TicketOut:
    """Register a ticket for a requester, who asked for it elsewhere."""
    desk = desk_of(request)
    assignee = None
    if body.assignee is not None:
        try:
            async with storage_errors(), desk.sessions() as session:
                assignee = await agent_named(session, body.assignee)
        except NotFound as error:
            raise InvalidInput(str(error)) from None
    wanted = Registration(
        requester=ContactId(body.requester),
        subject=body.subject,
        text=body.text,
        came_by=body.came_by,
        sorting=body.sorting(),
        assignee=assignee,
        language=body.language,
        account=None if body.account is None else AccountId(body.account),
        tells=body.tell,
    )
    return await answer(desk, await desk.registrations.open(wanted, caller))


class NewProblemBody(SortingBody):
    """A problem that no requester reported."""

    subject: Annotated[Text, Field(max_length=MAX_SUBJECT_CHARS)]
    text: Annotated[Text, Field(max_length=MAX_TEXT_CHARS)]
    incidents: Annotated[
        list[Annotated[Text, Field(max_length=100)]],
        Field(max_length=100, description="Tickets that it caused, by id or number."),
    ] = Field(default_factory=list)


@router.post("/problems", status_code=201)
async def open_problem(request: Request, caller: AgentCaller, body: NewProblemBody) -> TicketOut:
    """Open a problem, with the incidents that are known."""
    desk = desk_of(request)
    incidents = [await ticket_of_body(request, caller, name) for name in body.incidents]
    opened = await desk.problems.begin(
        body.subject, body.text, caller, sorting=body.sorting(), incidents=incidents
    )
    return await answer(desk, opened)


@router.post("/requesters", status_code=201)
async def add_requester(
    request: Request, response: Response, caller: AgentCaller, body: NewRequesterBody
) -> RequesterRecordOut:
    """Write down a requester who has not written to the desk yet."""
    desk = desk_of(request)
    added = await desk.registrations.meet(body.draft(), body.email, caller)
    return await requester_now(request, response, added)
