"""What a person sees when something went wrong on a page."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response


def wants_page(request: Request) -> bool:
    """Say whether `request` comes from one of our pages, to be answered with a page."""
    return False


def error_page(request: Request, status: int, detail: str, headers: Mapping[str, str]) -> Response:
    """Return a page, or a notice for a part of one, that says what went wrong."""
    return Response(status_code=status)
