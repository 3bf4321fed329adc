"""Which pages and lists are loaded among very many tickets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import httpx

from bench.many_tickets import word
from core.domain.ids import TicketId
from core.domain.ticket import RANK, Priority
from core.domain.views import Order
from core.storage.queries.tickets.listing import Place, TicketSort
from core.storage.queries.tickets.queue_order import QueuePlace

ROUNDS = 40
Addresses = dict[str, list[str]]

_LIVE = ("new", "open", "pending", "on_hold")
_EVERYBODYS = {
    "mine": "mine",
    "unassigned": "unassigned",
    "all": "all open",
    "breaching": "late or due soon",
    "waiting": "waiting",
    "assistant": "with the assistant",
    "solved": "solved and closed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A ticket that is there, as far as addresses and places in lists tell of it."""

    number: int
    id: UUID
    contact_id: UUID
    category_id: UUID
    team_id: UUID
    priority: str
    due_at: datetime | None
    sla_due_at: datetime | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is there to be asked for: of each kind, some that lie anywhere in the year."""

    tickets: int  # how many there are
    any: Sequence[Seen]
    live: Sequence[Seen]
    conversations: Sequence[UUID]
    calls: Sequence[UUID]  # of the first webhook
    webhook: UUID
    entries: Sequence[int]  # of the audit log


def pages(known: Known) -> Addresses:
    """Return the console's pages by what they are; no search comes twice."""
    rare = [word(1000 + 37 * n) for n in range(ROUNDS)]
    usual = [word(40 + n) for n in range(ROUNDS)]
    common = [word(n % 10) for n in range(ROUNDS)]
    numbers = [1 + n * (known.tickets // ROUNDS) for n in range(ROUNDS)]
    slips = [f"{one[:-3]}q{one[-2:]}" for one in rare]
    long = [one for one in map(word, range(5000)) if len(one) > 7][: ROUNDS * 10 : 10]
    twice = [f"{one[:4]}y{one[5:-2]}y{one[-1]}" for one in long]
    queue, search = "/console/queue?tab=", "/console/search?q="
    tabs = {**_EVERYBODYS, f"team-{known.live[0].team_id}": "a team's"}
    return {
        **{f"queue page: {name}": [queue + tab] * ROUNDS for tab, name in tabs.items()},
        **{
            f"queue page: {name}, by {order}": [f"{queue}{tab}&order={order}"] * ROUNDS
            for tab, name in (("all", "all open"), ("solved", "solved and closed"))
            for order in Order
        },
        "queue page: all open, the tenth": [f"{queue}all&offset=900"] * ROUNDS,
        "queue page: solved and closed, the tenth": [f"{queue}solved&offset=900"] * ROUNDS,
        "ticket page": [f"/console/tickets/{one.number}" for one in known.any],
        "conversation page": [f"/console/conversations/{one}" for one in known.conversations],
        "requester page": [f"/console/requesters/{one.contact_id}" for one in known.any],
        "search: a word of one ticket": [f"{search}{n}x" for n in numbers],
        "search: a rare word": [search + one for one in rare],
        "search: a usual word": [search + one for one in usual],
        "search: one of the ten commonest words": [search + one for one in common],
        "search: two words": [f"{search}{a}+{b}" for a, b in zip(rare, usual, strict=True)],
        "search: a usual word and a common one": [
            f"{search}{a}+{b}" for a, b in zip(usual, common, strict=True)
        ],
        "search: a mistyped word": [search + one for one in slips],
        "search: a long word with two slips": [search + one for one in twice],
        "search: a person's address": [f"{search}person{n}@example.org" for n in range(ROUNDS)],
        "quick search: the beginning of a word": [
            f"/console/search/quick?q={word(60 + n)[:5]}" for n in range(ROUNDS)
        ],
        "requesters by name": [f"/console/requesters?q={word(n * 3)}" for n in range(ROUNDS)],
        "audit log": ["/console/admin/audit"] * ROUNDS,
    }


def api_lists(known: Known) -> Addresses:
    """Return the API's lists by what they are."""
    now = datetime.now(UTC)
    each: Sequence[Mapping[str, Any]] = [{}] * ROUNDS
    tickets: dict[str, Sequence[Mapping[str, Any]]] = {
        "all": each,
        "changed within the hour": [{"updated_since": now - timedelta(hours=1)}] * ROUNDS,
        "changed within a month": [{"updated_since": now - timedelta(days=30)}] * ROUNDS,
        "opened in a month": [
            {
                "created_from": now - timedelta(days=n * 8 + 30),
                "created_before": now - timedelta(days=n * 8),
            }
            for n in range(ROUNDS)
        ],
        "of a requester": [{"requester": one.contact_id} for one in known.any],
        "of a priority": [{"priority": "urgent"}] * ROUNDS,
        "open, of a priority": [{"priority": "urgent", "status": _LIVE}] * ROUNDS,
        "of a category": [{"category": one.category_id} for one in known.any],
        "of a team, closed": [
            {"team": f"Team {n % 20}", "status": "closed"} for n in range(ROUNDS)
        ],
        "of an agent, open": [
            {"assignee": f"agent{n}@example.org", "status": "open"} for n in range(ROUNDS)
        ],
        "of an agent": [{"assignee": f"agent{n}@example.org"} for n in range(ROUNDS)],
        "nobody's": [{"assignee": "none", "status": _LIVE}] * ROUNDS,
        "of a channel": [{"channel": "telegram"}] * ROUNDS,
        "of a channel, waiting": [{"channel": "slack", "status": ("pending", "on_hold")}] * ROUNDS,
        "of a tag": [{"tag": f"tag{n}"} for n in range(ROUNDS)],
        "of a tag and a priority": [
            {"tag": f"tag{n}", "priority": "urgent"} for n in range(ROUNDS)
        ],
        "of a kind that none has": [{"kind": "problem"}] * ROUNDS,
        "of an organisation that has none": [{"organisation": known.webhook}] * ROUNDS,
        "with words": [{"q": word(60 + n)} for n in range(ROUNDS)],
    }
    sorted_by = {
        f"list of tickets: {name}, {sort}": [_at("tickets", {**one, "sort": sort}) for one in asked]
        for name, asked in tickets.items()
        for sort in (TicketSort.NEWEST, TicketSort.CHANGED_FIRST)
    }
    conversations: dict[str, Sequence[Mapping[str, Any]]] = {
        "all": each,
        "deep": [{"cursor": one} for one in known.conversations],
        "of a requester": [{"requester": one.contact_id} for one in known.any],
        "with a ticket": [{"has_ticket": "true"}] * ROUNDS,
        "without a ticket": [{"has_ticket": "false"}] * ROUNDS,
        "without a ticket, deep": [
            {"has_ticket": "false", "cursor": one} for one in known.conversations
        ],
        **{
            f"whose next answer is {who}'s": [{"responder": who}] * ROUNDS
            for who in ("bot", "queued", "human", "closed")
        },
        "queued, deep": [{"responder": "queued", "cursor": one} for one in known.conversations],
        "with the assistant, without a ticket": [{"responder": "bot", "has_ticket": "false"}]
        * ROUNDS,
        "with the assistant, with a ticket": [{"responder": "bot", "has_ticket": "true"}] * ROUNDS,
    }
    return {
        **sorted_by,
        **{
            f"list of tickets: all, deep, {sort}": [
                _at("tickets", {"sort": sort, "cursor": _place(one, sort)}) for one in known.any
            ]
            for sort in TicketSort
        },
        **{
            f"list of conversations: {name}": [_at("conversations", one) for one in asked]
            for name, asked in conversations.items()
        },
        "audit log": [_at("audit", {})] * ROUNDS,
        "audit log, deep": [_at("audit", {"cursor": one}) for one in known.entries],
        "audit log: of an action": [_at("audit", {"action": "rule.changed"})] * ROUNDS,
        "audit log: of a kind of action": [_at("audit", {"action": "rule."})] * ROUNDS,
        "audit log: of words": [_at("audit", {"q": f"Subject {n}77"}) for n in range(ROUNDS)],
        "calls of a webhook": [_at(f"webhooks/{known.webhook}/calls", {})] * ROUNDS,
        "calls of a webhook, deep": [
            _at(f"webhooks/{known.webhook}/calls", {"cursor": one}) for one in known.calls
        ],
        "requesters": [_at("requesters", {"q": word(n * 3)}) for n in range(ROUNDS)],
        "search in the API": [_at("search", {"q": word(200 + n)}) for n in range(ROUNDS)],
    }


async def view_lists(client: httpx.AsyncClient, known: Known) -> Addresses:
    """Keep views, if an earlier run has not; return what shows each, from the start and deep."""
    one = known.any[0]
    wanted: dict[str, tuple[dict[str, Any], Order]] = {
        **{f"of all that is open, {order}": ({"statuses": _LIVE}, order) for order in Order},
        **{f"of everything, {order}": ({}, order) for order in Order},
        "urgent ones": ({"priorities": ["urgent"], "statuses": _LIVE}, Order.LONGEST_WAITING),
        "of a category": ({"categories": [str(one.category_id)]}, Order.CHANGED),
        "of a tag": ({"tags": ["tag7"]}, Order.NEWEST),
        "of a channel": ({"channels": ["telegram"]}, Order.OLDEST),
        "of a language, open": ({"languages": ["es"], "statuses": _LIVE}, Order.DUE),
        "of a team, closed": (
            {"teams": [str(one.team_id)], "statuses": ["closed"]},
            Order.CHANGED,
        ),
        "without a promise, open": ({"promises": ["none"], "statuses": _LIVE}, Order.CHANGED),
        "with a date, open": ({"due_dates": ["set"], "statuses": _LIVE}, Order.DUE_DATE),
        "with words": ({"words": word(40)}, Order.LONGEST_WAITING),
        "with words, open": ({"words": word(41), "statuses": _LIVE}, Order.NEWEST),
    }
    kept = {view["name"]: view for view in await _views(client)}
    found: Addresses = {"list of views": [_at("views", {"limit": 100})] * ROUNDS}
    for name, (narrowed, order) in wanted.items():
        view = kept.get(name)
        if view is None:
            body = {"name": name, "filter": narrowed, "order": order}
            answer = await client.post("/api/v1/views", json=body)
            answer.raise_for_status()
            view = answer.json()
        tab, list_of = f"view-{view['id']}", f"views/{view['id']}/tickets"
        found[f"queue page: view {name}"] = [f"/console/queue?tab={tab}"] * ROUNDS
        found[f"list of a view: {name}"] = [_at(list_of, {})] * ROUNDS
        among = known.live if narrowed.get("statuses") == _LIVE else known.any
        found[f"list of a view: {name}, deep"] = [
            _at(list_of, {"cursor": _place_in_queue(ticket, order)}) for ticket in among
        ]
    return found


async def _views(client: httpx.AsyncClient) -> Sequence[dict[str, Any]]:
    answer = await client.get("/api/v1/views?limit=100")
    answer.raise_for_status()
    found: Sequence[dict[str, Any]] = answer.json()["items"]
    return found


def _place(ticket: Seen, sort: TicketSort) -> str:
    by_change = sort in (TicketSort.CHANGED_LAST, TicketSort.CHANGED_FIRST)
    at = ticket.updated_at if by_change else ticket.created_at
    return str(Place(at=at, ticket=TicketId(ticket.id)))


def _place_in_queue(ticket: Seen, order: Order) -> str:
    rank = RANK[Priority(ticket.priority)]
    values = {
        Order.LONGEST_WAITING: (rank, ticket.sla_due_at, ticket.created_at),
        Order.LATEST_CHANGE: (rank, ticket.sla_due_at, ticket.updated_at),
        Order.DUE: (ticket.sla_due_at, ticket.created_at),
        Order.DUE_DATE: (ticket.due_at, ticket.created_at),
        Order.CHANGED: (ticket.updated_at,),
        Order.NEWEST: (),
        Order.OLDEST: (),
    }
    return str(QueuePlace(order=order, values=values[order], ticket=TicketId(ticket.id)))


def _at(what: str, asked: Mapping[str, Any]) -> str:
    return f"/api/v1/{what}?{urlencode(asked, doseq=True)}"
