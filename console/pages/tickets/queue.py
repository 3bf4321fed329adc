"""The queue: which tickets and conversations an agent can choose from, in views."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Query, Request
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import RedirectResponse, Response

from console.desk import desk_of
from console.pages.session import Agents
from console.pages.view import page
from console.sight import sight_for
from console.words import queue as queue_words
from console.words.queue import LABELS
from core.domain.ids import AgentId, TeamId
from core.domain.ticket import CATEGORY, StatusCategory, TicketStatus
from core.domain.views import USUAL_COLUMNS, Column, Order, Promise, ViewId
from core.services.automation.macros import languages_of, macros_of
from core.services.tickets.views import filter_of_view
from core.storage.engine import storage_errors
from core.storage.queries.access.agents import AgentView, list_agents
from core.storage.queries.access.sight import Sight
from core.storage.queries.classification.categories import open_teams
from core.storage.queries.conversations.conversations import (
    ConversationView,
    count_held_by_assistant,
    held_by_assistant,
)
from core.storage.queries.feed import feed_end
from core.storage.queries.teams.teams import named_teams
from core.storage.queries.tickets.filter import LIVE, TicketFilter, Unassigned, has_rehearsals
from core.storage.queries.tickets.queue import COUNTED, QueueRow, count_tickets, counts_of, queue
from core.storage.queries.tickets.tickets import Named
from core.storage.queries.tickets.views import ViewView, views_of
from core.storage.tables import Macro

router = APIRouter(prefix="/console")

_LIVE = tuple(s for s in TicketStatus if s in LIVE)
_DONE = tuple(s for s in TicketStatus if CATEGORY[s] == StatusCategory.DONE)
_WAITING = tuple(s for s in TicketStatus if CATEGORY[s] == StatusCategory.WAITING)
_COUNTED = ("mine", "unassigned", "all", "breaching", "waiting")
_TEAM, _VIEW = "team-", "view-"
_HELD_SINCE = timedelta(hours=24)
_MAX_ROWS = 100

_ORDERS: Mapping[str, Order] = {
    "mine": Order.LATEST_CHANGE,
    "all": Order.LATEST_CHANGE,
    "breaching": Order.DUE,
    "waiting": Order.CHANGED,
    "solved": Order.NEWEST,
}
"""How the views that everybody has are sorted; others begin with who waits longest."""

_SAME_IN: Mapping[str, Column] = {"mine": Column.ASSIGNEE, "unassigned": Column.ASSIGNEE}
"""What is the same in every row of a tab."""

Offset = Annotated[int, Query(ge=0, le=COUNTED)]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueView:
    """One view of the queue, and how much is in the others."""

    tab: str
    rows: Sequence[QueueRow]
    held: Sequence[ConversationView]
    counts: Mapping[str, int]  # `COUNTED` at most
    teams: Mapping[str, str]  # names of one's teams, by tab
    views: Mapping[str, ViewView]  # that one keeps or is given, by tab
    columns: Sequence[Column]
    order: Order
    offset: int
    is_cut: bool  # there are more than shown
    is_gone: bool = False  # the view that was asked for was removed, or is shared no longer

    @property
    def suffix(self) -> str:
        """Return what keeps the tab in a ticket's address."""
        return f"?tab={self.tab}"

    @property
    def view(self) -> ViewView | None:
        """Return the view that somebody keeps, if the tab shows one."""
        return self.views.get(self.tab)


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkChoices:
    """What many tickets at once can be given."""

    agents: Sequence[AgentView]
    teams: Sequence[Named]
    macros: Sequence[Macro]


def filter_of(tab: str, me: AgentId, sight: Sight | None) -> TicketFilter:
    """Return which tickets a tab shows that is not a view somebody keeps."""
    match tab:
        case "mine":
            return TicketFilter(statuses=_LIVE, assignees=[me])
        case "unassigned":
            return TicketFilter(statuses=_LIVE, assignees=[Unassigned.NONE], sight=sight)
        case "breaching":
            promises = (Promise.LATE, Promise.SOON)
            now = datetime.now(UTC)
            return TicketFilter(statuses=_LIVE, promises=promises, now=now, sight=sight)
        case "waiting":
            return TicketFilter(statuses=_WAITING, sight=sight)
        case "solved":
            return TicketFilter(statuses=_DONE, sight=sight)
        case _:
            team = team_of(tab)
            teams = [] if team is None else [team]
            return TicketFilter(statuses=_LIVE, teams=teams, sight=sight)


def is_tab(tab: str) -> bool:
    """Return whether `tab` shows tickets, and is not a view that somebody keeps."""
    return (tab in LABELS and tab != "assistant") or team_of(tab) is not None


def team_of(tab: str) -> TeamId | None:
    """Return the team whose queue a tab shows."""
    named = _id_after(_TEAM, tab)
    return None if named is None else TeamId(named)


def view_of(tab: str) -> ViewId | None:
    """Return the view that a tab shows."""
    named = _id_after(_VIEW, tab)
    return None if named is None else ViewId(named)


def _id_after(prefix: str, tab: str) -> UUID | None:
    try:
        return UUID(tab.removeprefix(prefix)) if tab.startswith(prefix) else None
    except ValueError:
        return None


async def read_queue(
    session: AsyncSession,
    me: AgentId,
    tab: str | None,
    sight: Sight | None,
    *,
    order: Order | None = None,
    offset: int = 0,
) -> QueueView:
    """Return what the queue shows `me`; without a tab, the first that has something to do."""
    held_since = datetime.now(UTC) - _HELD_SINCE
    teams = await team_tabs(session, me, None if tab is None else team_of(tab))
    opened = None if tab is None else view_of(tab)
    views = {f"{_VIEW}{view.id}": view for view in await views_of(session, me, opened)}
    is_gone = tab is not None and tab.startswith(_VIEW) and tab not in views
    may_be_rehearsed = await has_rehearsals(session)
    filters = {
        name: replace(filter_of(name, me, sight), may_be_rehearsed=may_be_rehearsed)
        for name in (*_COUNTED, *teams)
    }
    # What agents ask for in views of their own may take long to count: `count_of_view` does,
    # apart, and not at each piece of news.
    counts = await counts_of(session, filters)
    counts["assistant"] = await count_held_by_assistant(session, held_since)
    if tab is None or tab not in {*LABELS, *teams, *views}:
        tab = "mine" if counts["mine"] else "unassigned"
    view = views.get(tab)
    if view is not None:
        wanted = await filter_of_view(session, view, me, sight)
    else:
        wanted = filters.get(tab) or filter_of(tab, me, sight)
    wanted = replace(wanted, may_be_rehearsed=may_be_rehearsed)
    usual = _ORDERS.get(tab, Order.LONGEST_WAITING) if view is None else view.order
    order = order or usual
    rows: Sequence[QueueRow] = ()
    held: Sequence[ConversationView] = ()
    if tab == "assistant":
        held = await held_by_assistant(session, held_since, limit=_MAX_ROWS + 1)
    else:
        rows = await queue(session, wanted, order, limit=_MAX_ROWS + 1, offset=offset)
    return QueueView(
        tab=tab,
        rows=rows[:_MAX_ROWS],
        held=held[:_MAX_ROWS],
        counts=counts,
        teams=teams,
        views=views,
        columns=_columns_of(tab) if view is None else view.columns,
        order=order,
        offset=offset,
        is_cut=max(len(rows), len(held)) > _MAX_ROWS,
        is_gone=is_gone,
    )


def _columns_of(tab: str) -> Sequence[Column]:
    """Return the usual columns but the one that says the same in every row of a tab."""
    same = Column.TEAM if tab.startswith(_TEAM) else _SAME_IN.get(tab)
    return [column for column in USUAL_COLUMNS if column is not same]


async def team_tabs(session: AsyncSession, me: AgentId, opened: TeamId | None) -> Mapping[str, str]:
    """Return the tabs of `me`'s teams, and of the one that is open, with their names."""
    return {f"{_TEAM}{team.id}": team.name for team in await named_teams(session, me, opened)}


@router.get("")
async def home() -> Response:
    """Lead to the queue."""
    return RedirectResponse("/console/queue", 303)


@router.get("/queue")
async def show_queue(
    request: Request,
    signed_in: Agents,
    tab: str | None = None,
    order: Order | None = None,
    offset: Offset = 0,
) -> Response:
    """Show the queue on a page of its own."""
    values = await wide_values(request, signed_in.agent.id, tab, order, offset)
    return page(request, "queue.html", **values)


@router.get("/queue/count")
async def unassigned_count(request: Request, signed_in: Agents) -> Response:
    """Show how many tickets nobody has."""
    async with storage_errors(), desk_of(request).sessions() as session:
        me = signed_in.agent.id
        sight = await sight_for(request, session)
        count = await count_tickets(session, filter_of("unassigned", me, sight))
    return page(request, "parts/count.html", count=count, most=COUNTED)


@router.get("/queue/table")
async def queue_table(
    request: Request,
    signed_in: Agents,
    tab: str | None = None,
    order: Order | None = None,
    offset: Offset = 0,
) -> Response:
    """Show the queue's page anew, without what is around it."""
    values = await wide_values(request, signed_in.agent.id, tab, order, offset)
    return page(request, "queue/table.html", **values)


@router.get("/queue/list")
async def queue_list(
    request: Request,
    signed_in: Agents,
    tab: str | None = None,
    open: str = "",  # noqa: A002  # the address says what it means
) -> Response:
    """Show the queue beside a ticket anew; `open` is that ticket or conversation."""
    async with storage_errors(), desk_of(request).sessions() as session:
        values = await beside(request, session, signed_in.agent.id, tab)
    return page(request, "parts/queue.html", **values, opened=open)


async def beside(
    request: Request, session: AsyncSession, me: AgentId, tab: str | None
) -> dict[str, Any]:
    """Return what the queue beside a ticket shows."""
    found = await read_queue(session, me, tab, await sight_for(request, session))
    return {"queue": found, "labels": LABELS, "queue_words": queue_words, "most": COUNTED}


async def wide_values(
    request: Request, me: AgentId, tab: str | None, order: Order | None = None, offset: int = 0
) -> dict[str, Any]:
    """Return what the queue's own page shows."""
    async with storage_errors(), desk_of(request).sessions() as session:
        position = await feed_end(session)  # first: what changes while reading is told again
        sight = await sight_for(request, session)
        found = await read_queue(session, me, tab, sight, order=order, offset=offset)
        choices = BulkChoices(
            agents=await list_agents(session),
            teams=await open_teams(session),
            macros=await macros_of(session, me),
        )
    return {
        "position": position,
        "queue": found,
        "labels": LABELS,
        "queue_words": queue_words,
        "most": COUNTED,
        "choices": choices,
        "languages_of": languages_of,
        "query": partial(_query, found.tab, order),
        "step": _MAX_ROWS,
    }


def _query(tab: str, order: Order | None, offset: int) -> str:
    """Return what the address of a page of the queue ends with."""
    parts = (
        {"tab": tab} | ({"order": order} if order else {}) | ({"offset": offset} if offset else {})
    )
    return f"?{urlencode(parts)}"
