"""Having a code mailed with which the requester of a chat proves whose an address is."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from console.desk import desk_of
from console.pages.session import Agents, form_of, text_field
from console.pages.tickets.tickets import Named, attempt

router = APIRouter(prefix="/console/tickets")


@router.post("/{ticket}/link-codes")
async def ask(request: Request, signed_in: Agents, named: Named) -> Response:
    """Have a code mailed; the requester is told in their chat to enter it there."""
    email = text_field(await form_of(request), "email")
    work = desk_of(request).link_codes.ask(named, email, signed_in.agent)
    return await attempt(request, named, work)
