"""The agents' pages and the JSON API."""

from __future__ import annotations

from fastapi import FastAPI

from console import api, health, pages
from console.desk import ConsoleDesk
from console.heads import Heads
from console.problems import install as install_problems

__all__ = ["ConsoleDesk", "include", "include_routes", "install_problems", "serve_with"]


def include(app: FastAPI, desk: ConsoleDesk) -> None:
    """Serve the console, the public article pages, health checks and the JSON API on `app`."""
    serve_with(app, desk)
    include_routes(app)


def serve_with(app: FastAPI, desk: ConsoleDesk) -> None:
    """Let the routes of `app` be answered by `desk`."""
    app.state.console = desk


def include_routes(app: FastAPI) -> None:
    """Add the routes to `app`; there are some 400, which takes half a second of a processor."""
    app.add_middleware(Heads)
    app.include_router(health.router)
    app.include_router(api.router())
    app.include_router(pages.router())
    pages.mount_files(app)
