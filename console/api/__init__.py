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
    incoming_webhooks,
    knowledge,
    linking,
    links,
    macros,
    merging,
    notices,
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
    ticket_macros,
    tickets,
    tokens,
    tolerance,
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
