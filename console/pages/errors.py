"""What a person sees when something went wrong on a page."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from console.pages.session import is_htmx
from console.pages.view import page, translator
from console.words.errors import error_in_words
from core.domain.errors import DeskError, Unauthenticated

_ROOMS = ("/console", "/help", "/survey", "/approval")
_STREAM = "/console/events"


def wants_page(request: Request) -> bool:
    """Say whether `request` comes from one of our pages, to be answered with a page."""
    path = request.url.path
    return path != _STREAM and any(path == room or path.startswith(f"{room}/") for room in _ROOMS)


def error_page(
    request: Request,
    status: int,
    detail: str,
    headers: Mapping[str, str],
    error: DeskError | None = None,
) -> Response:
    """Return a page, or a notice for a part of one, that says what went wrong."""
    if isinstance(error, Unauthenticated) and request.url.path.startswith("/console"):
        return _to_sign_in(request)
    t = translator(request)
    said = t(detail) if error is None else error_in_words(error, t)
    if is_htmx(request):
        response = page(request, "parts/notice_alone.html", status=status, notice=said)
        # Nothing of the page is replaced but the notice: what the agent typed stays.
        response.headers["HX-Reswap"] = "none"
    else:
        response = page(request, "error.html", status=status, code=status, said=said)
    for name, value in headers.items():
        response.headers.setdefault(name, value)
    return response


def _to_sign_in(request: Request) -> Response:
    wanted = request.url.path if request.method == "GET" and not is_htmx(request) else "/console"
    address = f"/console/sign-in?next={quote(wanted)}"
    if is_htmx(request):
        return Response(status_code=401, headers={"HX-Redirect": address})
    return RedirectResponse(address, 303)
