"""Codes by mail, in the API, that prove in a chat whose an address is."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import Field

from console.api.principal import AgentCaller
from console.api.shapes import Body, Text
from console.api.tickets.tickets import TicketName, ticket_called
from console.desk import desk_of

router = APIRouter(prefix="/tickets", tags=["tickets"])


class LinkCodeBody(Body):
    """The address that a code is mailed to."""

    email: Annotated[Text, Field(max_length=320)]


@router.post("/{ticket}/link-codes", status_code=202)
async def ask(
    request: Request, caller: AgentCaller, ticket: TicketName, body: LinkCodeBody
) -> Response:
    """Have a code mailed; the requester is told in their chat to enter it there."""
    desk = desk_of(request)
    await desk.link_codes.ask(await ticket_called(desk, ticket), body.email, caller)
    return Response(status_code=202)
