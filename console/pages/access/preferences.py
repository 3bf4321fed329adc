"""How an agent wants to work."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from console.desk import desk_of
from console.pages.session import Agents, form_of, text_field
from console.pages.view import page, translator
from console.words.errors import error_in_words
from core.domain.errors import InvalidInput
from core.domain.ids import AgentId
from core.services.writing.held import LONGEST_SECONDS
from core.storage.engine import storage_errors
from core.storage.queries.feed import feed_end

router = APIRouter(prefix="/console/preferences")

_OFFERED_SECONDS = (0, 5, 10, 20, LONGEST_SECONDS)


@router.get("")
async def show_preferences(request: Request, signed_in: Agents) -> Response:
    """Show how the agent wants to work."""
    return await _preferences(request, signed_in.agent.id)


@router.post("/take-back")
async def choose_grace(request: Request, signed_in: Agents) -> Response:
    """Keep how long the agent can take a reply back."""
    words = text_field(await form_of(request), "seconds")
    try:
        seconds = _seconds(words)
        await desk_of(request).held.choose(signed_in.agent.id, seconds)
    except InvalidInput as error:
        wrong = error_in_words(error, translator(request))
        return await _preferences(request, signed_in.agent.id, wrong=wrong, status=422)
    return RedirectResponse("/console/preferences?saved=1", 303)


async def _preferences(
    request: Request, agent: AgentId, *, wrong: str | None = None, status: int = 200
) -> Response:
    desk = desk_of(request)
    async with storage_errors(), desk.sessions() as session:
        position = await feed_end(session)
    return page(
        request,
        "preferences.html",
        status=status,
        position=position,
        grace=await desk.held.grace(agent),
        offered=_OFFERED_SECONDS,
        wrong=wrong,
        is_saved=request.query_params.get("saved") == "1",
    )


def _seconds(words: str) -> int | None:
    if not words:
        return None
    if not (words.isascii() and words.isdigit() and len(words) < 4):
        raise InvalidInput("a reply can be taken back for 0 to 30 seconds")
    return int(words)
