"""The agents' web pages under /console, and the public article pages."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, FastAPI

from console.pages import (
    accounts,
    admin,
    answers,
    approval,
    articles,
    assets,
    attachments,
    bulk,
    calendars,
    catalogue,
    categories,
    conversations,
    drafts,
    earlier_answers,
    events,
    examples,
    files,
    held,
    letters,
    linking,
    links,
    macros,
    merging,
    new_ticket,
    notices,
    pictures,
    plans,
    policies,
    preferences,
    public,
    queue,
    reports,
    requesters,
    requests,
    routing,
    rules,
    search,
    settings,
    sign_in,
    sorting,
    spam,
    splitting,
    survey,
    synonyms,
    teams,
    tickets,
    tokens,
    tolerance,
    topics,
    turn_log,
    versions,
    views,
    visits,
    webhooks,
)

_PAGES = (
    sign_in,
    queue,
    bulk,
    views,
    search,
    new_ticket,
    tickets,
    answers,
    held,
    drafts,
    earlier_answers,
    visits,
    sorting,
    requests,
    assets,
    requesters,
    linking,
    links,
    merging,
    spam,
    splitting,
    conversations,
    attachments,
    letters,
    events,
    articles,
    synonyms,
    turn_log,
    topics,
    examples,
    versions,
    tolerance,
    accounts,
    admin,
    settings,
    survey,
    teams,
    tokens,
    calendars,
    policies,
    plans,
    categories,
    catalogue,
    approval,
    rules,
    macros,
    webhooks,
    reports,
    notices,
    preferences,
    routing,
    pictures,
    public,
)
_ROOM = Path(__file__).parent.parent


def router() -> APIRouter:
    """Return the routes of all pages; none of them is part of the documented API."""
    pages = APIRouter(include_in_schema=False)
    for part in _PAGES:
        pages.include_router(part.router)
    return pages


def mount_files(app: FastAPI) -> None:
    """Serve style sheets, scripts and the libraries from npm."""
    app.mount("/console/static", files.Files(_ROOM / "static"), name="console static")
    app.mount("/console/vendor", files.Vendor(_ROOM / "node_modules"), name="console vendor")
