"""The agents' web pages under /console, and the public article pages."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI


def router() -> APIRouter:
    """Return the routes of all pages; none of them is part of the documented API."""
    return APIRouter(include_in_schema=False)


def mount_files(app: FastAPI) -> None:
    """Serve style sheets, scripts and the libraries from npm."""
