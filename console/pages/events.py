"""What changed, as it happens, for open pages: names of what to look at again, never content."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator

from fastapi import APIRouter, Request
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.responses import Response

from console.desk import ConsoleDesk, desk_of
from console.pages.session import Agents, cookie_of
from core.domain.actor import Agent
from core.domain.errors import InvalidInput, StorageUnavailable
from core.storage.engine import storage_errors
from core.storage.queries.feed import FeedPosition, feed_end, is_forgotten, read_feed

router = APIRouter(prefix="/console")

_PING_SECONDS = 15
_SEND_SECONDS = 30  # a reader that takes nothing for so long is gone
_CALM_SECONDS = 0.4  # between two rounds of news: in a burst, one look covers many changes
_LOOK_AT_SESSION_SECONDS = 60.0
_LOGGER = logging.getLogger(__name__)


@router.get("/events")
async def events(request: Request, signed_in: Agents, after: str | None = None) -> Response:
    """Stream what changed after `Last-Event-ID`, or else `after`, or else from now on.

    Events are `conversation` with its id, and `queue` after these, also where an agent is told what
    is about no conversation; their ids are positions in the feed.
    `resync` says that more has changed than is told one by one, or that the desk cannot tell what
    came after the position that was named: look at everything again.
    `visitors`, with the id of a conversation, says that others look at it now; it is told once.
    """
    desk = desk_of(request)
    position: FeedPosition | None
    if asked := request.headers.get("last-event-id") or after:
        position = _read(asked)
    else:
        async with storage_errors(), desk.sessions() as session:
            position = await feed_end(session)
    return EventSourceResponse(
        _news(desk, signed_in.agent, cookie_of(request), position),
        headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"},
        ping=_PING_SECONDS,
        sep="\n",
        send_timeout=_SEND_SECONDS,
    )


def _read(asked: str) -> FeedPosition | None:
    """Return the position that a page says it was at, or None where it is none of this desk's.

    Pages outlive an upgrade, and positions may be written otherwise after it: a refusal would
    leave such a page without news, asking again and again.
    """
    try:
        return FeedPosition.parse(asked)
    except InvalidInput:
        return None


async def _news(
    desk: ConsoleDesk, agent: Agent, cookie: str | None, position: FeedPosition | None
) -> AsyncIterator[ServerSentEvent]:
    looked = time.monotonic()
    try:
        async with desk.live.visits() as visited, desk.live.watch() as ticks:
            await desk.staffing.crew.seen(agent.id)  # an open console: they are there
            async with storage_errors(), desk.sessions() as session:
                is_lost = position is None or await is_forgotten(session, position)
                if position is None or is_lost:
                    position = await feed_end(session)
            # Said at once, so that the page knows its position even if nothing ever happens.
            yield ServerSentEvent(
                event="resync" if is_lost else "position", data="", id=str(position)
            )
            while True:
                while visited:
                    yield ServerSentEvent(event="visitors", data=visited.pop())
                async with storage_errors(), desk.sessions() as session:
                    news = await read_feed(session, position)
                position = news.position
                if not news.is_complete:
                    yield ServerSentEvent(event="resync", data="", id=str(position))
                elif news.conversations or news.has_notices:
                    for conversation in news.conversations:
                        yield ServerSentEvent(event="conversation", data=str(conversation))
                    # The id comes last: a reader that was cut off before it gets all of it again.
                    yield ServerSentEvent(event="queue", data="", id=str(position))
                if news.conversations or news.has_notices:
                    await asyncio.sleep(_CALM_SECONDS)
                else:
                    await anext(ticks)
                if time.monotonic() - looked > _LOOK_AT_SESSION_SECONDS:
                    looked = time.monotonic()
                    if not await desk.access.still_signed_in(cookie):
                        return
                    await desk.staffing.crew.seen(agent.id)
    except StorageUnavailable:
        # The browser connects again, by itself, and says where it was.
        _LOGGER.warning("a stream of news ended: the database is away")
