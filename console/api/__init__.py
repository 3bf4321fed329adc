"""The JSON API under /api/v1, for programs."""

from __future__ import annotations

from fastapi import APIRouter

from console.api import audit, files, notices, reports, satisfaction, search
from console.api.access import agents, tokens
from console.api.automation import hooks, incoming_webhooks, macros, rules, ticket_macros, webhooks
from console.api.catalogue import items, requests
from console.api.classification import categories, sorting
from console.api.conversations import conversations, messages, sides, splitting
from console.api.knowledge import articles, tolerance
from console.api.learning import examples, topics, turn_log, versions
from console.api.links import links, merging
from console.api.requester_records import assets, linking, organisations, plans, requesters
from console.api.shapes import PROBLEMS
from console.api.sla import previews, sla
from console.api.teams import routing, teams
from console.api.tickets import bulk, exporting, history, listing, registering, spam, tickets, views

_PARTS = (
    exporting,
    listing,
    tickets,
    registering,
    bulk,
    views,
    search,
    sorting,
    categories,
    items,
    requests,
    assets,
    requesters,
    organisations,
    plans,
    linking,
    links,
    merging,
    spam,
    splitting,
    sla,
    previews,
    history,
    sides,
    conversations,
    messages,
    files,
    articles,
    turn_log,
    topics,
    examples,
    versions,
    tolerance,
    satisfaction,
    notices,
    teams,
    tokens,
    audit,
    agents,
    reports,
    routing,
    hooks,
    incoming_webhooks,
    rules,
    macros,
    ticket_macros,
    webhooks,
)


def router() -> APIRouter:
    """Return the API's routes; `console.serve_with` says which desk serves them."""
    api = APIRouter(prefix="/api/v1", responses=PROBLEMS)
    for part in _PARTS:
        api.include_router(part.router)
    return api
