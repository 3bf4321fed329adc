"""Macros at work in the API: those that fit a ticket, filled in, and said."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from console.api.automation.shapes import WouldDoOut
from console.api.preconditions import IfMatch, showing_the_present
from console.api.principal import AgentCaller
from console.api.shapes import Body, Limit, Page, Text
from console.api.tickets.shapes import TicketOut
from console.api.tickets.tickets import TicketName, answer, ticket_called
from console.desk import desk_of
from core.services.automation.doing import Doer
from core.services.automation.macros import macros_for
from core.storage.engine import storage_errors

router = APIRouter(prefix="/tickets/{ticket}/macros", tags=["automation"])


class FittingOut(BaseModel):
    """A macro that fits a ticket."""

    id: UUID
    name: str
    used: int = Field(description="How often it was chosen.")


class FilledOut(BaseModel):
    """A macro, filled in for a ticket."""

    id: UUID
    name: str
    text: str = Field(description="With values for its variables; may be empty.")
    language: str | None = Field(description="Of the text; null where it is for any.")
    actions: list[WouldDoOut]


class MacroReply(Body):
    """What is said with a macro."""

    text: Annotated[
        Text | None,
        Field(max_length=20_000, description="In place of the macro's own, filled in."),
    ] = None


@router.get("")
async def list_fitting(
    request: Request,
    caller: AgentCaller,
    ticket: TicketName,
    cursor: UUID | None = None,
    limit: Limit = 50,
) -> Page[FittingOut]:
    """List the macros for the ticket's language and the caller's teams, the most used first."""
    desk = desk_of(request)
    named = await ticket_called(desk, ticket)
    async with storage_errors(), desk.sessions() as session:
        found = await macros_for(session, named, caller.id, after=cursor, limit=limit + 1)
    return Page(
        items=[FittingOut.model_validate(row, from_attributes=True) for row in found[:limit]],
        next=str(found[limit - 1].id) if len(found) > limit else None,
    )


@router.get("/{macro}")
async def fill_in(
    request: Request, caller: AgentCaller, ticket: TicketName, macro: UUID
) -> FilledOut:
    """Return a macro filled in for a ticket, with what it would do; nothing is said or done."""
    desk = desk_of(request)
    named = await ticket_called(desk, ticket)
    ready = await desk.macros.fill_in(macro, named, caller.id, counts=False)
    by = Doer(actor=caller.actor, name=ready.name)
    does = await desk.trials.of_actions(named, ready.actions, by, caller.id)
    return FilledOut(
        id=ready.id,
        name=ready.name,
        text=ready.text,
        language=ready.language,
        actions=[WouldDoOut.of(one) for one in does],
    )


@router.post("/{macro}")
async def say_macro(
    request: Request,
    caller: AgentCaller,
    ticket: TicketName,
    macro: UUID,
    body: MacroReply,
    version: IfMatch,
) -> TicketOut:
    """Answer the requester with a macro, and do what goes with it, by one commit.

    With `If-Match`, only where nobody wrote or changed anything since.
    An action that does not fit is left out, and a note in the ticket says why.
    """
    desk = desk_of(request)
    named = await ticket_called(desk, ticket)
    async with showing_the_present(lambda: answer(desk, named)):
        await desk.tickets.use_macro(named, caller, macro, words=body.text, version=version)
    return await answer(desk, named)
