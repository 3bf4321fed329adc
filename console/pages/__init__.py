"""The agents' web pages under /console, and the public article pages."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, FastAPI

from console.pages import (
    accounts,
    audit,
    events,
    files,
    notices,
    reports,
    satisfaction,
    search,
    settings,
    upkeep,
)
from console.pages.access import agents, pictures, preferences, sign_in, tokens
from console.pages.automation import macros, rules, webhooks
from console.pages.catalogue import approval, items, requests
from console.pages.classification import categories, sorting
from console.pages.conversations import attachments, conversations, letters, splitting
from console.pages.knowledge import articles, public, synonyms, tolerance
from console.pages.learning import examples, topics, turn_log, versions
from console.pages.links import links, merging
from console.pages.requester_records import assets, linking, plans, requesters
from console.pages.sla import calendars, policies
from console.pages.teams import routing, teams
from console.pages.tickets import bulk, exporting, new_ticket, queue, spam, tickets, views
from console.pages.writing import answers, drafts, earlier_answers, held, visits

_PAGES = (
    sign_in,
    queue,
    exporting,
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
    agents,
    upkeep,
    settings,
    audit,
    satisfaction,
    teams,
    tokens,
    calendars,
    policies,
    plans,
    categories,
    items,
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
