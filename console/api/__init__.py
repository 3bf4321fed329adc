"""The JSON API under /api/v1, for programs."""

from __future__ import annotations

from fastapi import APIRouter

from console.api import conversations, files, knowledge, satisfaction, tickets
from console.api.shapes import PROBLEMS


def router() -> APIRouter:
    """Return the API's routes; `console.install` says which desk serves them."""
    api = APIRouter(prefix="/api/v1", responses=PROBLEMS)
    for part in (
        tickets.router,
        conversations.router,
        files.router,
        knowledge.router,
        satisfaction.router,
    ):
        api.include_router(part)
    return api
