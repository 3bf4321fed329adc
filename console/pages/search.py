"""The search over tickets, conversations and people, on a page of its own and while typing."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from console.desk import desk_of
from console.pages.session import Agents
from console.pages.view import page
from console.passages import found_in
from core.domain.actor import Agent
from core.domain.search import MAX_QUESTION_CHARS, question_of
from core.services.search.searching import Findings, find
from core.storage.engine import storage_errors
from core.storage.queries.access.sight import sight_of
from core.storage.queries.feed import feed_end

router = APIRouter(prefix="/console/search")

_SHOWN = 25
_PEOPLE = 6
_SHOWN_WHILE_TYPING = 6
_FEWEST_CHARS = 2

Words = Annotated[str, Query(max_length=10 * MAX_QUESTION_CHARS)]
Cursor = Annotated[str | None, Query(max_length=100)]


@router.get("")
async def show_search(
    request: Request, signed_in: Agents, q: Words = "", cursor: Cursor = None
) -> Response:
    """Show what was found, best first."""
    words = _cleaned(q)
    async with storage_errors(), desk_of(request).sessions() as session:
        position = await feed_end(session)
    findings = await _find(request, signed_in.agent, words, cursor, _SHOWN, _PEOPLE)
    return page(
        request,
        "search/page.html",
        position=position,
        q=words,
        is_first=cursor is None,
        findings=findings,
        found_in=found_in,
    )


@router.get("/quick")
async def search_while_typing(request: Request, signed_in: Agents, q: Words = "") -> Response:
    """Show the best of what is found for what was typed so far."""
    words = _cleaned(q)
    findings = None
    if len(words) >= _FEWEST_CHARS or words.isdigit():
        findings = await _find(request, signed_in.agent, words, None, _SHOWN_WHILE_TYPING, 3)
    return page(request, "search/quick.html", q=words, findings=findings, found_in=found_in)


async def _find(
    request: Request, me: Agent, words: str, cursor: str | None, limit: int, people: int
) -> Findings:
    async with storage_errors(), desk_of(request).sessions() as session:
        sight = await sight_of(session, me)
        question = question_of(words)
        return await find(session, question, sight, cursor=cursor, limit=limit, most_people=people)


def _cleaned(words: str) -> str:
    return (
        words.replace("\x00", "").encode("utf-8", "replace").decode()[:MAX_QUESTION_CHARS].strip()
    )
