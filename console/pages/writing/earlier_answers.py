"""Replies drafted from what agents answered in similar tickets that are solved."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from console.desk import desk_of
from console.pages.session import Agents
from console.pages.tickets.tickets import Named
from console.pages.view import page
from console.sight import sight_for
from core.storage.engine import storage_errors
from core.storage.queries.classification.categories import category_tree
from core.storage.queries.classification.similar import suggestions_for
from core.storage.queries.tickets.tickets import ticket_view

router = APIRouter(prefix="/console/tickets")


@router.get("/{ticket}/earlier-answers")
async def show_earlier_answers(request: Request, _: Agents, named: Named) -> Response:
    """List earlier answers that may fit, as buttons; those in the requester's language first."""
    async with storage_errors(), desk_of(request).sessions() as session:
        view = await ticket_view(session, named)
        sight = await sight_for(request, session)
        found = await suggestions_for(session, named, await category_tree(session), sight)
    language = view.language
    answers = sorted(found.answered, key=lambda one: one.language != language)
    return page(request, "parts/earlier_answers.html", answers=answers, ticket_language=language)
