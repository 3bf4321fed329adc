"""The agents' pages and the JSON API."""

from __future__ import annotations

from fastapi import FastAPI

from console import api, health, pages
from console.desk import ConsoleDesk
from console.problems import install as install_problems

__all__ = ["ConsoleDesk", "include", "install_problems"]


def include(app: FastAPI, desk: ConsoleDesk) -> None:
    """Serve the console, the public article pages, health checks and the JSON API on `app`."""
    app.state.console = desk
    app.include_router(health.router)
    app.include_router(api.router())
    app.include_router(pages.router())
    pages.mount_files(app)
