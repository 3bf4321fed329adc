"""The JSON API under /api/v1, for programs."""

from __future__ import annotations

from fastapi import APIRouter

from console.api import (
    agents,
    assets,
    audit,
    bulk,
    catalogue,
    categories,
    conversations,
    examples,
    files,
    hooks,
    knowledge,
    linking,
    links,
    macros,
    merging,
    organisations,
    plans,
    registering,
    reports,
    requesters,
    requests,
    routing,
    rules,
    satisfaction,
    search,
    sla,
    sorting,
    spam,
    splitting,
    teams,
    ticket_list,
    tickets,
    tokens,
    topics,
    turn_log,
    versions,
    views,
    webhooks,
)
from console.api.shapes import PROBLEMS

_PARTS = (
    ticket_list,
    tickets,
    registering,
    bulk,
    views,
    search,
    sorting,
    categories,
    catalogue,
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
    conversations,
    files,
    knowledge,
    turn_log,
    topics,
    examples,
    versions,
    satisfaction,
    teams,
    tokens,
    audit,
    agents,
    reports,
    routing,
    hooks,
    rules,
    macros,
    webhooks,
)


def router() -> APIRouter:
    """Return the API's routes; `console.serve_with` says which desk serves them."""
    api = APIRouter(prefix="/api/v1", responses=PROBLEMS)
    for part in _PARTS:
        api.include_router(part.router)
    return api
