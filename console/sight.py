"""Refuses, wherever a path names it, what belongs to another team's ticket."""

from __future__ import annotations

from typing import NoReturn
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request

from console.desk import desk_of
from core.domain.actor import Agent
from core.domain.errors import InvalidInput, NotedRefusal, NotFound
from core.domain.ids import TicketId
from core.services import audit
from core.storage.engine import storage_errors
from core.storage.queries.access.sight import (
    OutOfSight,
    Sight,
    sight_of,
    unseen_conversation,
    unseen_file,
    unseen_message,
    unseen_ticket,
)
from core.storage.queries.tickets.tickets import ticket_named

_NAMES = ("ticket", "conversation", "message", "attachment")
"""What parts of a path are called that name a ticket, or what belongs to one."""


async def check_sight(request: Request, agent: Agent) -> None:
    """Raise `Forbidden` where the path names what `agent` may not see; the audit log has it.

    It is called for every request that somebody is behind, so that no page has to remember it.
    What a body names is looked up with `ticket_in_sight`.
    """
    request.state.viewer = agent
    named = {name: str(request.path_params[name]) for name in _NAMES if name in request.path_params}
    if not named:
        return
    async with storage_errors(), desk_of(request).sessions() as session:
        sight = await sight_for(request, session)
        hidden = None if sight is None else await _hidden(session, sight, named)
    if hidden is not None:
        await _refuse(request, agent.actor, hidden)


async def sight_for(request: Request, session: AsyncSession) -> Sight | None:
    """Return what limits whoever is behind `request`: what lists leave out."""
    if not hasattr(request.state, "sight"):  # it is asked for in several places of one request
        viewer: Agent = request.state.viewer
        request.state.sight = await sight_of(session, viewer)
    found: Sight | None = request.state.sight
    return found


async def ticket_of_body(request: Request, agent: Agent, name: str) -> TicketId:
    """Return the ticket that a request's body names, as `ticket_in_sight` does.

    Raises:
        InvalidInput: there is none: the address was right, what was sent to it was not.
        Forbidden: `agent` may not see it; the audit log has it.
    """
    try:
        return await ticket_in_sight(request, agent, name)
    except NotFound as error:
        raise InvalidInput(str(error)) from None


async def ticket_in_sight(request: Request, agent: Agent, name: str) -> TicketId:
    """Return the ticket that `name`, an id or a number in a request's body, means.

    Raises:
        NotFound: there is none.
        Forbidden: `agent` may not see it; the audit log has it.
    """
    async with storage_errors(), desk_of(request).sessions() as session:
        found = await ticket_named(session, name.replace("\x00", ""))
        sight = await sight_of(session, agent)
        hidden = None if sight is None else await unseen_ticket(session, sight, found)
    if hidden is not None:
        await _refuse(request, agent.actor, hidden)
    return found


async def check_other_side(request: Request, agent: Agent, number: int | None) -> None:
    """Raise `Forbidden` where the ticket that one is to be parted from is out of sight."""
    if number is not None:
        await ticket_in_sight(request, agent, str(number))


async def _refuse(request: Request, actor: str, hidden: OutOfSight) -> NoReturn:
    async with storage_errors(), desk_of(request).sessions.begin() as session:
        audit.record(
            session,
            actor,
            "ticket.refused",
            ("ticket", hidden.number, f"#{hidden.number}"),
            new={"request": f"{request.method} {request.url.path}"[:300]},
        )
    raise NotedRefusal("this ticket belongs to another team")


async def _hidden(session: AsyncSession, sight: Sight, named: dict[str, str]) -> OutOfSight | None:
    for name, value in named.items():
        try:
            if name == "ticket":
                ticket = await ticket_named(session, value.replace("\x00", ""))
                found = await unseen_ticket(session, sight, ticket)
            elif name == "conversation":
                found = await unseen_conversation(session, sight, UUID(value))
            elif name == "message":
                found = await unseen_message(session, sight, UUID(value))
            else:
                found = await unseen_file(session, sight, UUID(value))
        except (NotFound, ValueError):
            continue  # there is no such thing: the page itself says so
        if found is not None:
            return found
    return None
