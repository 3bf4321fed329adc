"""An agent's notices, and how they want to be told."""

from __future__ import annotations

from datetime import time

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from console import notice_words as said
from console.desk import desk_of
from console.pages.session import Agents, form_of, text_field
from console.pages.view import page, translator
from console.words import error_in_words
from core.domain.errors import InvalidInput
from core.domain.notification import MailWish
from core.services.notifications.reading import Wishes, count_unread, notices_of, wishes_of
from core.storage.engine import storage_errors
from core.storage.queries.feed import feed_end

router = APIRouter(prefix="/console/notices")


@router.get("")
async def show_notices(request: Request, signed_in: Agents) -> Response:
    """List an agent's latest notices."""
    return await _notices(request, signed_in)


@router.get("/count")
async def show_count(request: Request, signed_in: Agents) -> Response:
    """Show how many are not read, for the bar."""
    async with storage_errors(), desk_of(request).sessions() as session:
        unread = await count_unread(session, signed_in.agent.id)
    return page(request, "parts/notice_count.html", unread=unread)


@router.post("/read")
async def read_all(request: Request, signed_in: Agents) -> Response:
    """Count all as read."""
    await desk_of(request).notices.read_all(signed_in.agent.id)
    return RedirectResponse("/console/notices", 303)


@router.post("/wishes")
async def change_wishes(request: Request, signed_in: Agents) -> Response:
    """Keep how the agent wants to be told."""
    form = await form_of(request)
    try:
        wishes = Wishes(
            mail=_mail(text_field(form, "mail")),
            quiet_from=_time(text_field(form, "quiet_from")),
            quiet_until=_time(text_field(form, "quiet_until")),
            time_zone=text_field(form, "time_zone").strip() or "UTC",
        )
    except InvalidInput as error:
        wrong = error_in_words(error, translator(request))
        return await _notices(request, signed_in, wrong=wrong, status=422)
    await desk_of(request).notices.wish(signed_in.agent.id, wishes)
    return RedirectResponse("/console/notices?saved=1", 303)


async def _notices(
    request: Request, signed_in: Agents, *, wrong: str | None = None, status: int = 200
) -> Response:
    async with storage_errors(), desk_of(request).sessions() as session:
        position = await feed_end(session)
        notices = await notices_of(session, signed_in.agent.id)
        wishes = await wishes_of(session, signed_in.agent.id)
    return page(
        request,
        "notices.html",
        status=status,
        position=position,
        notices=notices,
        wishes=wishes,
        wrong=wrong,
        is_saved=request.query_params.get("saved") == "1",
        said=said,
    )


def _mail(words: str) -> MailWish:
    try:
        return MailWish(words)
    except ValueError:
        raise InvalidInput("choose whether you want mail") from None


def _time(words: str) -> time | None:
    try:
        return time.fromisoformat(words).replace(tzinfo=None) if words.strip() else None
    except ValueError:
        raise InvalidInput("a time is written like 22:30") from None
