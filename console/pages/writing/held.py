"""Replies that have not left: taken back, or let go at once."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from console.desk import desk_of
from console.pages.session import Agents
from console.pages.tickets.tickets import Named, attempt

router = APIRouter(prefix="/console/tickets")


@router.post("/{ticket}/held/{held}/take-back")
async def take_back(request: Request, signed_in: Agents, named: Named, held: UUID) -> Response:
    """Make a reply that has not left a draft again."""
    work = desk_of(request).held.take_back(named, held, signed_in.agent)
    return await attempt(request, named, work)


@router.post("/{ticket}/held/{held}/send")
async def send(request: Request, signed_in: Agents, named: Named, held: UUID) -> Response:
    """Let a reply leave at once."""
    return await attempt(request, named, desk_of(request).held.send(named, held, signed_in.agent))
