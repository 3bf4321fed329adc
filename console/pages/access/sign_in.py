"""Coming in and going out: sign-in, one-time links, passwords, and the reader's language."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from console.desk import desk_of
from console.pages.session import (
    Agents,
    browser_of,
    cookie_of,
    form_of,
    give_cookie,
    remember_browser,
    same_origin,
    take_cookie,
    text_field,
)
from console.pages.view import LANGUAGE_COOKIE, language_of, page, translator
from console.words.errors import error_in_words
from core.domain.errors import Busy, DeskError, InvalidInput, TooManyAttempts, Unauthenticated
from core.domain.languages import CONSOLE_LANGUAGES
from core.services.access.access import SignedIn
from core.services.access.passwords import MIN_PASSWORD_CHARS
from core.services.audit import done_from

router = APIRouter(prefix="/console")
_YEAR_SECONDS = 365 * 24 * 3600
_WAITS = (TooManyAttempts, Busy)


@router.get("/sign-in")
async def show_sign_in(request: Request, next: str = "/console") -> Response:  # noqa: A002
    """Show the form; who is signed in goes on to where they wanted."""
    if await desk_of(request).access.still_signed_in(cookie_of(request)):
        return RedirectResponse(_inside(next), 303)
    return page(request, "sign_in.html", next=_inside(next), email="", wrong=None)


@router.post("/sign-in", dependencies=[Depends(same_origin)])
async def sign_in(request: Request) -> Response:
    """Sign in by e-mail address and password."""
    desk = desk_of(request)
    form = await form_of(request)
    email, onward = text_field(form, "email"), _inside(text_field(form, "next"))
    try:
        cookie = await desk.access.sign_in(
            email, text_field(form, "password"), _remote(request), browser_of(request)
        )
    except (Unauthenticated, *_WAITS) as error:
        return _later(
            page(
                request,
                "sign_in.html",
                status=401 if isinstance(error, Unauthenticated) else _status(error),
                next=onward,
                email=email[:254],
                wrong=error_in_words(error, translator(request)),
            ),
            error,
        )
    await desk.access.sign_out(cookie_of(request))  # the session that this one takes the place of
    response = RedirectResponse(onward, 303)
    give_cookie(response, desk, cookie)
    remember_browser(response, desk, email)
    return response


@router.get("/sign-in/{token}")
async def show_link(request: Request) -> Response:
    """Ask for a click: programs that open links in messages to check them must not use one up."""
    return page(request, "sign_in_link.html")


@router.post("/sign-in/{token}", dependencies=[Depends(same_origin)])
async def follow_link(request: Request, token: str) -> Response:
    """Use up a one-time link, and ask for a password of one's own."""
    desk = desk_of(request)
    try:
        with done_from(_remote(request)):
            arrived = await desk.access.redeem_link(
                token, language_of(request), instead_of=cookie_of(request)
            )
    except Unauthenticated as error:
        said = error_in_words(error, translator(request))
        return page(request, "sign_in.html", status=401, next="/console", email="", wrong=said)
    response = RedirectResponse("/console/password", 303)
    give_cookie(response, desk, arrived.cookie)
    remember_browser(response, desk, arrived.agent.email)
    return response


@router.get("/password")
async def show_password(request: Request, signed_in: Agents) -> Response:
    """Show the form for a new password."""
    return await _password_form(request, signed_in)


@router.post("/password")
async def set_password(request: Request, signed_in: Agents) -> Response:
    """Set a password; all other browsers of this agent are signed out."""
    form = await form_of(request)
    password = text_field(form, "password")
    try:
        _check_same(password, text_field(form, "again"))
        cookie = await desk_of(request).access.passwords.change(
            signed_in.agent,
            password,
            present=text_field(form, "present"),
            cookie=cookie_of(request),
            remote=_remote(request),
            browser=browser_of(request),
        )
    except (InvalidInput, *_WAITS) as error:
        return await _password_form(request, signed_in, error)
    response = RedirectResponse("/console", 303)
    give_cookie(response, desk_of(request), cookie)
    return response


async def _password_form(
    request: Request, signed_in: SignedIn, error: DeskError | None = None
) -> Response:
    passwords = desk_of(request).access.passwords
    asks = await passwords.asks_for_present(signed_in.agent.id, cookie_of(request))
    status = 200 if error is None else 422 if isinstance(error, InvalidInput) else _status(error)
    wrong = None if error is None else error_in_words(error, translator(request))
    form = page(
        request,
        "password.html",
        status=status,
        wrong=wrong,
        asks=asks,
        least=MIN_PASSWORD_CHARS,
    )
    return _later(form, error)


@router.post("/sign-out")
async def sign_out(request: Request, signed_in: Agents) -> Response:
    """End this browser's session."""
    desk = desk_of(request)
    await desk.access.sign_out(cookie_of(request))
    await desk.staffing.crew.leave(signed_in.agent.id)
    response = RedirectResponse("/console/sign-in", 303)
    take_cookie(response, desk)
    return response


@router.post("/language")
async def set_language(request: Request, signed_in: Agents) -> Response:
    """Show the console in another language from now on."""
    form = await form_of(request)
    language = text_field(form, "language")
    await desk_of(request).access.set_language(signed_in.agent.id, language)
    response = RedirectResponse(_inside(text_field(form, "next")), 303)
    response.set_cookie(LANGUAGE_COOKIE, language, max_age=_YEAR_SECONDS, path="/", samesite="lax")
    return response


@router.get("/sign-in-language/{language}")
async def choose_language(language: str) -> Response:
    """Show the sign-in page in another language."""
    response = RedirectResponse("/console/sign-in", 303)
    if language in CONSOLE_LANGUAGES:
        response.set_cookie(
            LANGUAGE_COOKIE, language, max_age=_YEAR_SECONDS, path="/", samesite="lax"
        )
    return response


def _status(error: DeskError) -> int:
    return 503 if isinstance(error, Busy) else 429


def _later(response: Response, error: DeskError | None) -> Response:
    """Return `response`, which says when to try again where `error` does."""
    if isinstance(error, _WAITS):
        response.headers["Retry-After"] = str(max(1, round(error.retry_after)))
    return response


def _remote(request: Request) -> str:
    return request.client.host if request.client else "unknown"


def _check_same(password: str, again: str) -> None:
    if password != again:
        raise InvalidInput("the two passwords are not the same")


def _inside(address: str) -> str:
    """Return `address` if it is a page of the console; never another site's."""
    is_ours = address == "/console" or address.startswith("/console/")
    plain = address.isascii() and address.isprintable() and "\\" not in address
    return address if is_ours and plain and len(address) < 2_000 else "/console"
