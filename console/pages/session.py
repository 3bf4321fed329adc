"""Who is at the other end of a page's request, and whether it is really them who ask."""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from console.desk import ConsoleDesk, desk_of
from console.refusals import refusals_noted
from console.sight import check_sight
from core.domain.actor import LEADING, Role
from core.domain.errors import Forbidden, InvalidInput
from core.services.access.access import SignedIn
from core.services.access.sessions import SESSION_LIFETIME
from core.services.audit import done_by, done_from

_BROWSER_KNOWN_SECONDS = 90 * 24 * 3600
_UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_OWN = frozenset(
    {"/console/language", "/console/picture", "/console/password", "/console/sign-out"}
)
"""What auditors too may change: it is about themselves."""


def cookie_name(desk: ConsoleDesk) -> str:
    """Return the session cookie's name; browsers guard the prefixed one, which needs https."""
    return "__Host-desk_session" if desk.is_secure else "desk_session"


def cookie_of(request: Request) -> str | None:
    """Return the session cookie that came with `request`."""
    return request.cookies.get(cookie_name(desk_of(request)))


def give_cookie(response: Response, desk: ConsoleDesk, cookie: str) -> None:
    """Sign the browser in."""
    response.set_cookie(
        cookie_name(desk),
        cookie,
        max_age=int(SESSION_LIFETIME.total_seconds()),  # the desk ends idle sessions sooner
        path="/",
        httponly=True,
        secure=desk.is_secure,
        samesite="lax",
    )


def browser_of(request: Request) -> str | None:
    """Return what this browser was given when somebody last signed in, or None."""
    return request.cookies.get(_browser_cookie(desk_of(request)))


def remember_browser(response: Response, desk: ConsoleDesk, email: str) -> None:
    """Let the browser be known at the next sign-in of `email`; signing out does not end that."""
    response.set_cookie(
        _browser_cookie(desk),
        desk.access.known_browser(email),
        max_age=_BROWSER_KNOWN_SECONDS,
        path="/",
        httponly=True,
        secure=desk.is_secure,
        samesite="lax",
    )


def _browser_cookie(desk: ConsoleDesk) -> str:
    return "__Host-desk_browser" if desk.is_secure else "desk_browser"


def take_cookie(response: Response, desk: ConsoleDesk) -> None:
    """Sign the browser out."""
    response.delete_cookie(
        cookie_name(desk), path="/", httponly=True, secure=desk.is_secure, samesite="lax"
    )


async def same_origin(request: Request) -> None:
    """Refuse an unsafe request that another site's page made the browser send."""
    if request.method not in _UNSAFE:
        return
    if request.headers.get("sec-fetch-site") in {"cross-site", "same-site"}:
        raise Forbidden("this request comes from another site")
    origin = request.headers.get("origin")
    if origin is None:
        return  # not a browser of these days; the CSRF token decides
    own = {request.headers.get("host", ""), urlsplit(desk_of(request).base_url).netloc}
    if urlsplit(origin).netloc not in own:
        raise Forbidden("this request comes from another site")


async def _signed_in(request: Request) -> AsyncIterator[SignedIn]:
    try:
        with done_from(request.client.host if request.client else None):
            signed_in = await _check(request)
            actor = signed_in.agent.actor
            with done_by(actor):
                async with refusals_noted(request, actor):
                    _check_auditor(request, signed_in)
                    await check_sight(request, signed_in.agent)
                    yield signed_in
    finally:
        await request.close()  # the file that a form may have brought


async def _check(request: Request) -> SignedIn:
    await same_origin(request)
    signed_in = await desk_of(request).access.session(cookie_of(request))
    request.state.signed_in = signed_in
    if request.method in _UNSAFE:
        shown = request.headers.get("x-csrf-token") or text_field(
            await file_form_of(request), "csrf"
        )
        if not hmac.compare_digest(shown.encode(), signed_in.csrf_token.encode()):
            raise Forbidden("this page is too old: load it again")
    return signed_in


def _check_auditor(request: Request, signed_in: SignedIn) -> None:
    is_change = request.method in _UNSAFE and request.url.path not in _OWN
    if is_change and signed_in.agent.role == Role.AUDITOR:
        raise Forbidden("auditors change nothing")


async def _admin(signed_in: Annotated[SignedIn, Depends(_signed_in)]) -> SignedIn:
    if signed_in.agent.role != Role.ADMIN:
        raise Forbidden("only admins may do this")
    return signed_in


async def _lead(signed_in: Annotated[SignedIn, Depends(_signed_in)]) -> SignedIn:
    if signed_in.agent.role not in LEADING:
        raise Forbidden("only leads and admins may do this")
    return signed_in


async def _reader(signed_in: Annotated[SignedIn, Depends(_signed_in)]) -> SignedIn:
    if signed_in.agent.role == Role.AGENT:
        raise Forbidden("only leads, admins and auditors may see this")
    return signed_in


Agents = Annotated[SignedIn, Depends(_signed_in)]
"""The page is for everybody who is signed in; auditors may only read it."""

Leads = Annotated[SignedIn, Depends(_lead)]
"""The page is for leads and admins."""

Readers = Annotated[SignedIn, Depends(_reader)]
"""The page is for leads, admins and, to read it, auditors."""

Admins = Annotated[SignedIn, Depends(_admin)]
"""The page is for admins."""


async def form_of(request: Request) -> FormData:
    """Return the form that `request` sends.

    Raises:
        InvalidInput: it carries files, which only `file_form_of` takes.
    """
    if request.headers.get("content-type", "").lower().startswith("multipart/"):
        raise InvalidInput("this form takes no files")
    return await request.form()


async def file_form_of(request: Request) -> FormData:
    """Return the form that `request` sends, which may carry one file."""
    return await request.form(max_files=1)


def text_field(form: FormData, name: str) -> str:
    """Return a form's text field; empty where it is missing.

    Raises:
        InvalidInput: it holds what the database cannot keep.
    """
    value = form.get(name, "")
    if not isinstance(value, str) or "\x00" in value:
        raise InvalidInput(f"the field {name} is not text")
    return value


def is_htmx(request: Request) -> bool:
    """Say whether htmx asks, for a part of a page."""
    return request.headers.get("hx-request") == "true"
