"""Single tickets in the API, and what agents do with them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from console.api.conversations.message_shapes import MessageOut
from console.api.preconditions import IfMatch, showing_the_present
from console.api.preconditions import tag as give_etag
from console.api.principal import AgentCaller
from console.api.shapes import Nothing, Text
from console.api.tickets.shapes import Escalation, Letter, NewAssignee, NewStatus, Reply, TicketOut
from console.desk import ConsoleDesk, desk_of
from console.sight import sight_for
from core.domain.classification import Kind
from core.domain.errors import InvalidInput, NotFound
from core.domain.ids import (
    AccountId,
    ConversationId,
    MessageId,
    TeamId,
    TicketId,
    UploadId,
)
from core.domain.teams import Onward
from core.domain.ticket import TicketStatus
from core.services.revisions import version_of
from core.storage.engine import storage_errors
from core.storage.queries.access.agents import agent_named
from core.storage.queries.conversations.conversations import conversation_view
from core.storage.queries.links.links import links_of
from core.storage.queries.links.merges import message_of_ticket
from core.storage.queries.teams.teams import team_named
from core.storage.queries.tickets.tickets import ticket_named, ticket_view

router = APIRouter(prefix="/tickets", tags=["tickets"])

TicketName = Annotated[Text, Path(description="A ticket's id, or its number.", max_length=100)]


@router.get("/{ticket}")
async def get_ticket(
    request: Request, response: Response, _: AgentCaller, ticket: TicketName
) -> TicketOut:
    """Return one ticket; its `ETag` names this state of it."""
    desk = desk_of(request)
    return await _tagged(desk, response, await ticket_called(desk, ticket))


@router.post("/{ticket}/take")
async def take(
    request: Request, caller: AgentCaller, ticket: TicketName, _: Nothing | None = None
) -> TicketOut:
    """Take a ticket; the assistant falls silent."""
    desk = desk_of(request)
    named = await ticket_called(desk, ticket)
    await desk.tickets.take(named, caller)
    return await answer(desk, named)


@router.post("/{ticket}/follow-up", status_code=201)
async def follow_up(
    request: Request, caller: AgentCaller, ticket: TicketName, _: Nothing | None = None
) -> TicketOut:
    """Open a ticket that follows a closed one, in its conversation; it is the caller's."""
    desk = desk_of(request)
    named = await ticket_called(desk, ticket)
    return await answer(desk, await desk.tickets.follow_up(named, caller))


@router.post("/{ticket}/assign")
async def assign(
    request: Request,
    response: Response,
    caller: AgentCaller,
    ticket: TicketName,
    body: NewAssignee,
    version: IfMatch,
) -> TicketOut:
    """Give a ticket to an agent, or put it back in the queue."""
    desk = desk_of(request)
    named = await ticket_called(desk, ticket)
    assignee = None
    if body.agent is not None:
        try:
            async with storage_errors(), desk.sessions() as session:
                assignee = await agent_named(session, body.agent)
        except NotFound as error:
            raise InvalidInput(str(error)) from None
    async with showing_the_present(lambda: answer(desk, named)):
        await desk.tickets.assign(named, assignee, caller, version=version)
    return await _tagged(desk, response, named)


@router.post("/{ticket}/escalate")
async def escalate(
    request: Request,
    response: Response,
    caller: AgentCaller,
    ticket: TicketName,
    body: Escalation,
    version: IfMatch,
) -> TicketOut:
    """Send a ticket on: to the `next` level, the team's `lead`, or a team by its id or name."""
    desk = desk_of(request)
    named = await ticket_called(desk, ticket)
    onward: Onward | TeamId
    if body.to in list(Onward):
        onward = Onward(body.to)
    else:
        try:
            async with storage_errors(), desk.sessions() as session:
                onward = await team_named(session, body.to)
        except NotFound as error:
            raise InvalidInput(str(error)) from None
    escalations = desk.staffing.escalations
    async with showing_the_present(lambda: answer(desk, named)):
        await escalations.escalate(named, onward, body.reason, caller, version=version)
    return await _tagged(desk, response, named)


@router.post("/{ticket}/replies", status_code=201)
async def reply(
    request: Request, caller: AgentCaller, ticket: TicketName, body: Letter, version: IfMatch
) -> MessageOut:
    """Answer the requester, with files handed in before if any.

    With `If-Match`, only where nobody wrote or changed anything since.
    """
    desk = desk_of(request)
    named = await ticket_called(desk, ticket)
    files = [UploadId(file) for file in body.files]
    envelope = None if body.envelope is None else body.envelope.envelope()
    if envelope is not None:
        async with storage_errors(), desk.sessions() as session:
            view = await ticket_view(session, named)
            account = (await conversation_view(session, view.conversation)).account
        envelope = desk.letters.checked(AccountId(account), envelope)
    async with showing_the_present(lambda: answer(desk, named)):
        said = await desk.tickets.reply(
            named,
            caller,
            body.text,
            files=files,
            envelope=envelope,
            to=[ConversationId(one) for one in body.conversations],
            version=version,
        )
    return await _said(desk, named, said)


@router.post("/{ticket}/notes", status_code=201)
async def note(
    request: Request, caller: AgentCaller, ticket: TicketName, body: Reply
) -> MessageOut:
    """Leave an internal note, which the requester never sees."""
    desk = desk_of(request)
    named = await ticket_called(desk, ticket)
    files = [UploadId(file) for file in body.files]
    said = await desk.tickets.note(named, caller, body.text, files=files)
    return await _said(desk, named, said)


@router.post("/{ticket}/status")
async def set_status(
    request: Request,
    response: Response,
    caller: AgentCaller,
    ticket: TicketName,
    body: NewStatus,
    version: IfMatch,
) -> TicketOut:
    """Set a ticket's status; the requester is told when it is solved, closed or open again."""
    desk = desk_of(request)
    named = await ticket_called(desk, ticket)
    if body.solve_incidents:
        async with storage_errors(), desk.sessions() as session:
            is_problem = (await ticket_view(session, named)).kind == Kind.PROBLEM
        if not is_problem or body.status != "solved":
            raise InvalidInput("only incidents of a problem that is solved are solved with it")
    async with showing_the_present(lambda: answer(desk, named)):
        await desk.tickets.set_status(named, TicketStatus(body.status), caller, version=version)
    if body.solve_incidents and await open_incidents(request, named):
        await desk.problems.update(named, "", caller, solves=True)
    return await _tagged(desk, response, named)


@router.post("/{ticket}/return-to-bot")
async def return_to_bot(
    request: Request, caller: AgentCaller, ticket: TicketName, _: Nothing | None = None
) -> TicketOut:
    """Hand the conversation back to the assistant; the ticket is solved with it."""
    desk = desk_of(request)
    named = await ticket_called(desk, ticket)
    await desk.tickets.return_to_bot(named, caller)
    return await answer(desk, named)


async def ticket_called(desk: ConsoleDesk, name: str) -> TicketId:
    """Return the ticket that a caller names."""
    async with storage_errors(), desk.sessions() as session:
        return await ticket_named(session, name)


async def open_incidents(request: Request, problem: TicketId) -> int:
    """Return how many incidents of a problem are not done, of those that the caller may see."""
    async with storage_errors(), desk_of(request).sessions() as session:
        links = await links_of(session, problem, await sight_for(request, session))
    return sum(one.is_open_incident for one in links)


async def answer(desk: ConsoleDesk, ticket: TicketId) -> TicketOut:
    """Return how a ticket is now."""
    async with storage_errors(), desk.sessions() as session:
        return TicketOut.of(await ticket_view(session, ticket))


async def _tagged(desk: ConsoleDesk, response: Response, ticket: TicketId) -> TicketOut:
    found = await answer(desk, ticket)
    give_etag(response, version_of(found.updated_at))
    return found


async def _said(desk: ConsoleDesk, ticket: TicketId, message: MessageId) -> MessageOut:
    async with storage_errors(), desk.sessions() as session:
        return MessageOut.of(await message_of_ticket(session, ticket, message))
