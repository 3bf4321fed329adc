"""The queue: which tickets and conversations an agent can choose from, in tabs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import RedirectResponse, Response

from console.desk import desk_of
from console.pages.session import Agents
from console.pages.view import page
from core.domain.ids import AgentId, TeamId
from core.domain.ticket import CATEGORY, StatusCategory, TicketStatus
from core.storage.engine import storage_errors
from core.storage.queries.conversations import (
    ConversationView,
    count_held_by_assistant,
    held_by_assistant,
)
from core.storage.queries.feed import feed_end
from core.storage.queries.sight import Sight, sight_of
from core.storage.queries.teams import named_teams
from core.storage.queries.tickets import (
    QueueOrder,
    QueueRow,
    TicketFilter,
    Unassigned,
    count_tickets,
    queue,
)

router = APIRouter(prefix="/console")

TABS = ("mine", "unassigned", "all", "assistant", "solved")
LABELS: Mapping[str, str] = {
    "mine": "Mine",
    "unassigned": "Unassigned",
    "all": "All",
    "assistant": "Assistant",
    "solved": "Solved",
}
_LIVE = tuple(s for s in TicketStatus if CATEGORY[s] != StatusCategory.DONE)
_DONE = tuple(s for s in TicketStatus if CATEGORY[s] == StatusCategory.DONE)
_TEAM = "team-"
_HELD_SINCE = timedelta(hours=24)
_MAX_ROWS = 100
_MAX_SEARCH_CHARS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueView:
    """One tab of the queue, and how much is in the others."""

    tab: str
    words: str  # of a search, which looks through all tickets whatever their status
    rows: Sequence[QueueRow]
    held: Sequence[ConversationView]
    counts: Mapping[str, int]
    teams: Mapping[str, str]  # names of one's teams, by tab
    is_cut: bool  # there are more than shown

    @property
    def suffix(self) -> str:
        """Return what keeps the tab in a ticket's address."""
        return f"?tab={self.tab}"


def filter_of(tab: str, me: AgentId, sight: Sight | None) -> TicketFilter:
    """Return which tickets a tab shows."""
    match tab:
        case "mine":
            return TicketFilter(statuses=_LIVE, assignee=me)
        case "unassigned":
            return TicketFilter(statuses=_LIVE, assignee=Unassigned.NONE, sight=sight)
        case "solved":
            return TicketFilter(statuses=_DONE, sight=sight)
        case _:
            return TicketFilter(statuses=_LIVE, team=team_of(tab), sight=sight)


def team_of(tab: str) -> TeamId | None:
    """Return the team whose queue a tab shows."""
    try:
        return TeamId(UUID(tab.removeprefix(_TEAM))) if tab.startswith(_TEAM) else None
    except ValueError:
        return None


async def read_queue(
    session: AsyncSession, me: AgentId, tab: str | None, words: str = ""
) -> QueueView:
    """Return what the queue shows `me`; without a tab, the first that has something to do."""
    held_since = datetime.now(UTC) - _HELD_SINCE
    sight = await sight_of(session, me)
    teams = await team_tabs(session, me, None if tab is None else team_of(tab))
    counts = {
        name: await count_tickets(session, filter_of(name, me, sight))
        for name in ("mine", "unassigned", "all", *teams)
    } | {"assistant": await count_held_by_assistant(session, held_since)}
    if tab is None or (tab not in TABS and tab not in teams):
        tab = "mine" if counts["mine"] else "unassigned"
    words = words.replace("\x00", "")[:_MAX_SEARCH_CHARS].strip()
    rows: Sequence[QueueRow] = ()
    held: Sequence[ConversationView] = ()
    if words:
        wanted, order = TicketFilter(words=words, sight=sight), QueueOrder.NEWEST
    elif tab == "unassigned" or tab in teams:
        wanted, order = filter_of(tab, me, sight), QueueOrder.LONGEST_WAITING
    elif tab == "solved":
        wanted, order = filter_of(tab, me, sight), QueueOrder.NEWEST
    else:
        wanted, order = filter_of(tab, me, sight), QueueOrder.LATEST_CHANGE
    if tab == "assistant" and not words:
        held = await held_by_assistant(session, held_since, limit=_MAX_ROWS + 1)
    else:
        rows = await queue(session, wanted, order, limit=_MAX_ROWS + 1)
    return QueueView(
        tab=tab,
        words=words,
        rows=rows[:_MAX_ROWS],
        held=held[:_MAX_ROWS],
        counts=counts,
        teams=teams,
        is_cut=max(len(rows), len(held)) > _MAX_ROWS,
    )


async def team_tabs(session: AsyncSession, me: AgentId, opened: TeamId | None) -> Mapping[str, str]:
    """Return the tabs of `me`'s teams, and of the one that is open, with their names."""
    return {f"{_TEAM}{team.id}": team.name for team in await named_teams(session, me, opened)}


@router.get("")
async def home() -> Response:
    """Lead to the queue."""
    return RedirectResponse("/console/queue", 303)


@router.get("/queue")
async def show_queue(
    request: Request, signed_in: Agents, tab: str | None = None, q: str = ""
) -> Response:
    """Show the queue on a page of its own."""
    return page(request, "queue.html", **await _values(request, signed_in.agent.id, tab, q))


@router.get("/queue/count")
async def unassigned_count(request: Request, signed_in: Agents) -> Response:
    """Show how many tickets nobody has."""
    async with storage_errors(), desk_of(request).sessions() as session:
        me = signed_in.agent.id
        sight = await sight_of(session, me)
        count = await count_tickets(session, filter_of("unassigned", me, sight))
    return page(request, "parts/count.html", count=count)


@router.get("/queue/list")
async def queue_list(
    request: Request,
    signed_in: Agents,
    tab: str | None = None,
    q: str = "",
    open: str = "",  # noqa: A002  # the address says what it means
) -> Response:
    """Show the queue's part of a page anew; `open` is the ticket or conversation beside it."""
    values = await _values(request, signed_in.agent.id, tab, q)
    return page(request, "parts/queue.html", **values | {"opened": open})


async def _values(request: Request, me: AgentId, tab: str | None, words: str) -> dict[str, Any]:
    async with storage_errors(), desk_of(request).sessions() as session:
        position = await feed_end(session)  # first: what changes while reading is told again
        found = await read_queue(session, me, tab, words)
    return {"position": position, "queue": found, "labels": LABELS, "opened": ""}
