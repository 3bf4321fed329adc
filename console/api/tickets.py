"""Tickets in the API: lists, single ones, and what agents do with them."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response

from console.api.message_shapes import MessageOut
from console.api.preconditions import tag as give_etag
from console.api.principal import AgentCaller
from console.api.shapes import Cursor, Limit, Nothing, Page, Text
from console.api.ticket_shapes import Escalation, Letter, NewAssignee, NewStatus, Reply, TicketOut
from console.desk import ConsoleDesk, desk_of
from console.sight import sight_for
from core.domain.classification import Kind
from core.domain.errors import InvalidInput, NotFound
from core.domain.ids import (
    AccountId,
    AgentId,
    CategoryId,
    ConversationId,
    MessageId,
    TeamId,
    TicketId,
    UploadId,
)
from core.domain.search import question_of
from core.domain.teams import Onward
from core.domain.ticket import TicketStatus
from core.services.classification.sorting import version_of
from core.services.search.searching import tickets_with
from core.storage.engine import storage_errors
from core.storage.queries.agents import agent_named
from core.storage.queries.conversations import conversation_view
from core.storage.queries.links import links_of
from core.storage.queries.merges import message_of_ticket
from core.storage.queries.teams import team_named
from core.storage.queries.ticket_filter import TicketFilter, Unassigned
from core.storage.queries.tickets import list_tickets, ticket_named, ticket_view

router = APIRouter(prefix="/tickets", tags=["tickets"])

TicketName = Annotated[Text, Path(description="A ticket's id, or its number.", max_length=100)]


@router.get("")
async def find_tickets(
    request: Request,
    caller: AgentCaller,
    status: Annotated[TicketStatus | None, Query()] = None,
    assignee: Annotated[
        Text | None, Query(description="An agent's id or e-mail, `me` or `none`.", max_length=254)
    ] = None,
    category: Annotated[UUID | None, Query(description="Its own tickets alone.")] = None,
    team: Annotated[Text | None, Query(description="A team's id or name.", max_length=100)] = None,
    tag: Annotated[Text | None, Query(max_length=40)] = None,
    q: Annotated[
        Text,
        Query(
            description="A number, or words of subject, requester or messages: "
            "of what fits, the latest hundreds. `/search` ranks."
        ),
    ] = "",
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[TicketOut]:
    """List tickets, newest first."""
    async with storage_errors(), desk_of(request).sessions() as session:
        whose: list[AgentId | Unassigned] = []
        if assignee == "me":
            whose = [caller.id]
        elif assignee == "none":
            whose = [Unassigned.NONE]
        elif assignee:
            try:
                whose = [await agent_named(session, assignee)]
            except NotFound:
                return Page(items=[], next=None)
        try:
            teams = [] if team is None else [await team_named(session, team)]
        except NotFound:
            return Page(items=[], next=None)
        sight = await sight_for(request, session)
        question = question_of(q)
        wanted = TicketFilter(
            teams=teams,
            sight=sight,
            statuses=() if status is None else (status,),
            assignees=whose,
            categories=[] if category is None else [CategoryId(category)],
            tags=[] if tag is None else [tag.lower()],
        )
        if not question.is_empty:
            wanted = replace(wanted, among=await tickets_with(session, question, wanted))
        before = None if cursor is None else _position(cursor)
        found = await list_tickets(session, wanted, before=before, limit=limit + 1)
    shown = found[:limit]
    return Page(
        items=[TicketOut.of(ticket) for ticket in shown],
        next=str(shown[-1].id) if len(found) > limit else None,
    )


@router.get("/{ticket}")
async def get_ticket(
    request: Request, response: Response, _: AgentCaller, ticket: TicketName
) -> TicketOut:
    """Return one ticket; its `ETag` names this state of it."""
    desk = desk_of(request)
    found = await answer(desk, await ticket_called(desk, ticket))
    give_etag(response, version_of(found.updated_at))
    return found


@router.post("/{ticket}/take")
async def take(
    request: Request, caller: AgentCaller, ticket: TicketName, _: Nothing | None = None
) -> TicketOut:
    """Take a ticket; the assistant falls silent."""
    desk = desk_of(request)
    named = await ticket_called(desk, ticket)
    await desk.tickets.take(named, caller)
    return await answer(desk, named)


@router.post("/{ticket}/assign")
async def assign(
    request: Request, caller: AgentCaller, ticket: TicketName, body: NewAssignee
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
    await desk.tickets.assign(named, assignee, caller)
    return await answer(desk, named)


@router.post("/{ticket}/escalate")
async def escalate(
    request: Request, caller: AgentCaller, ticket: TicketName, body: Escalation
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
    await desk.staffing.escalations.escalate(named, onward, body.reason, caller)
    return await answer(desk, named)


@router.post("/{ticket}/replies", status_code=201)
async def reply(
    request: Request, caller: AgentCaller, ticket: TicketName, body: Letter
) -> MessageOut:
    """Answer the requester, with files handed in before if any."""
    desk = desk_of(request)
    named = await ticket_called(desk, ticket)
    files = [UploadId(file) for file in body.files]
    envelope = None if body.envelope is None else body.envelope.envelope()
    if envelope is not None:
        async with storage_errors(), desk.sessions() as session:
            view = await ticket_view(session, named)
            account = (await conversation_view(session, view.conversation)).account
        envelope = desk.letters.checked(AccountId(account), envelope)
    said = await desk.tickets.reply(
        named,
        caller,
        body.text,
        files=files,
        envelope=envelope,
        to=[ConversationId(one) for one in body.conversations],
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
    request: Request, caller: AgentCaller, ticket: TicketName, body: NewStatus
) -> TicketOut:
    """Set a ticket's status; the requester is told when it is solved, closed or open again."""
    desk = desk_of(request)
    named = await ticket_called(desk, ticket)
    if body.solve_incidents:
        async with storage_errors(), desk.sessions() as session:
            is_problem = (await ticket_view(session, named)).kind == Kind.PROBLEM
        if not is_problem or body.status != "solved":
            raise InvalidInput("only incidents of a problem that is solved are solved with it")
    await desk.tickets.set_status(named, TicketStatus(body.status), caller)
    if body.solve_incidents and await open_incidents(request, named):
        await desk.problems.update(named, "", caller, solves=True)
    return await answer(desk, named)


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


async def _said(desk: ConsoleDesk, ticket: TicketId, message: MessageId) -> MessageOut:
    async with storage_errors(), desk.sessions() as session:
        return MessageOut.of(await message_of_ticket(session, ticket, message))


def _position(cursor: str) -> TicketId:
    try:
        return TicketId(UUID(cursor))
    except ValueError:
        raise InvalidInput("the cursor is not one that a list gave") from None
