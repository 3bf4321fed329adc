"""How errors are told over HTTP: problem documents (RFC 9457), and what each error's status is."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, HTTPException
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from console.pages.errors import error_page, wants_page
from core.domain.errors import (
    AssistantError,
    Busy,
    ComposerUnavailable,
    Conflict,
    DeliveryError,
    DeskError,
    EmbedderUnavailable,
    Forbidden,
    IgnoredPayload,
    IllegalTransition,
    InvalidInput,
    NotFound,
    NotKnownYet,
    Outdated,
    ScannerUnavailable,
    StorageUnavailable,
    Throttled,
    TooLarge,
    TooManyAttempts,
    Unauthenticated,
    UnknownPayload,
)

MAX_BODY_BYTES = 1024 * 1024
MAX_FILE_BYTES = 50_000_000
MAX_TABLE_BYTES = 20_000_000
"""Of a table of assets: as many lines as one may have, with long words in them."""
_AROUND_A_FILE_BYTES = 64 * 1024  # what a form adds to it
_TAKE_FILES = frozenset({"/console/files", "/api/v1/files", "/chat/files"})
_TAKE_TABLES = frozenset({"/console/assets/import", "/api/v1/assets/import"})
_RETRY_SECONDS = 2
_LOGGER = logging.getLogger(__name__)

_STATUS: Sequence[tuple[type[DeskError], HTTPStatus]] = (
    (IllegalTransition, HTTPStatus.CONFLICT),
    (NotFound, HTTPStatus.NOT_FOUND),
    (Outdated, HTTPStatus.PRECONDITION_FAILED),
    (Conflict, HTTPStatus.CONFLICT),
    (TooLarge, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    (InvalidInput, HTTPStatus.UNPROCESSABLE_ENTITY),
    (Unauthenticated, HTTPStatus.UNAUTHORIZED),
    (Forbidden, HTTPStatus.FORBIDDEN),
    (TooManyAttempts, HTTPStatus.TOO_MANY_REQUESTS),
    (Busy, HTTPStatus.SERVICE_UNAVAILABLE),
    (StorageUnavailable, HTTPStatus.SERVICE_UNAVAILABLE),
    (NotKnownYet, HTTPStatus.SERVICE_UNAVAILABLE),
    (UnknownPayload, HTTPStatus.BAD_REQUEST),
    (IgnoredPayload, HTTPStatus.UNPROCESSABLE_ENTITY),
    (AssistantError, HTTPStatus.SERVICE_UNAVAILABLE),
    (ComposerUnavailable, HTTPStatus.SERVICE_UNAVAILABLE),
    (EmbedderUnavailable, HTTPStatus.SERVICE_UNAVAILABLE),
    (ScannerUnavailable, HTTPStatus.SERVICE_UNAVAILABLE),
    (Throttled, HTTPStatus.SERVICE_UNAVAILABLE),
    (DeliveryError, HTTPStatus.BAD_GATEWAY),
)
"""The first class that fits decides."""


class OutdatedRecord(Outdated):
    """What the caller has read was changed since; `present` is how it is now."""

    def __init__(self, present: Mapping[str, Any]) -> None:
        super().__init__()
        self.present = present


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One problem document and the headers that go with it."""

    status: int
    detail: str
    errors: Sequence[Mapping[str, Any]] = ()  # one per wrong field
    headers: Mapping[str, str] = field(default_factory=dict)
    error: DeskError | None = None  # what was raised, for pages to put in the reader's words

    @property
    def title(self) -> str:
        return HTTPStatus(self.status).phrase

    def response(self, request: Request) -> Response:
        """Return the document as the answer to `request`; a page where a browser asked."""
        if wants_page(request):
            return error_page(request, self.status, self.detail, self.headers, self.error)
        document: dict[str, Any] = {
            "type": "about:blank",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
        }
        if self.errors:
            document["errors"] = list(self.errors)
        if isinstance(self.error, OutdatedRecord):
            document["present"] = self.error.present
        return Response(
            json.dumps(document),  # ASCII only: lone surrogates of the input stay escapes
            self.status,
            {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", **self.headers},
            "application/problem+json",
        )


def problem_of(error: DeskError) -> Problem:
    """Return what to tell about an error that the desk raised on purpose."""
    status = next((s for kind, s in _STATUS if isinstance(error, kind)), HTTPStatus.BAD_REQUEST)
    headers: dict[str, str] = {}
    detail = str(error)
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = 'Bearer realm="desk"'
    elif isinstance(error, TooManyAttempts | Busy | Throttled):
        headers["Retry-After"] = str(max(1, round(error.retry_after)))
    elif status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = str(_RETRY_SECONDS)
        detail = "the desk cannot do this right now: try again shortly"
    return Problem(status=status, detail=detail or status.phrase, headers=headers, error=error)


def install(app: FastAPI, max_file_bytes: int = MAX_FILE_BYTES) -> None:
    """Answer every error of `app` with a problem document, and refuse bodies that are too big.

    Files of `max_file_bytes` may come where files are handed in.
    """
    app.add_exception_handler(DeskError, _on_desk_error)
    app.add_exception_handler(StarletteHTTPException, _on_http_exception)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(ClientDisconnect, _on_disconnect)
    app.add_exception_handler(Exception, _on_unexpected)
    app.add_middleware(
        BodyLimit,
        max_bytes=MAX_BODY_BYTES,
        larger={
            **dict.fromkeys(_TAKE_FILES, max_file_bytes + _AROUND_A_FILE_BYTES),
            **dict.fromkeys(_TAKE_TABLES, MAX_TABLE_BYTES + _AROUND_A_FILE_BYTES),
        },
    )


async def _on_desk_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, DeskError)
    problem = problem_of(error)
    if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _LOGGER.warning("%s answered %s: %s", request.method, problem.status, type(error).__name__)
    return problem.response(request)


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, StarletteHTTPException)
    return Problem(
        status=error.status_code, detail=str(error.detail), headers=error.headers or {}
    ).response(request)


async def _on_disconnect(request: Request, error: Exception) -> Response:
    # Who closed the page before all was sent reads no answer, and nothing of ours went wrong.
    assert isinstance(error, ClientDisconnect)
    return Problem(
        status=HTTPStatus.BAD_REQUEST, detail="the connection was closed before all was sent"
    ).response(request)


async def _on_invalid_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    # What was sent is not repeated: it may be huge, secret, or not even Unicode.
    wrong = [
        {"field": ".".join(str(part) for part in each["loc"]), "message": str(each["msg"])}
        for each in error.errors()[:20]
    ]
    is_syntax = any(each["type"] == "json_invalid" for each in error.errors())
    return Problem(
        status=HTTPStatus.BAD_REQUEST if is_syntax else HTTPStatus.UNPROCESSABLE_ENTITY,
        detail="; ".join(f"{each['field']}: {each['message']}" for each in wrong)[:500],
        errors=wrong,
    ).response(request)


async def _on_unexpected(request: Request, _: Exception) -> Response:
    # Starlette raises the error again after this answer, so the server's log has it.
    return Problem(
        status=HTTPStatus.INTERNAL_SERVER_ERROR, detail="something went wrong on our side"
    ).response(request)


class BodyLimit:
    """Refuses request bodies above `max_bytes`, whether or not they declare their length."""

    def __init__(
        self, app: ASGIApp, max_bytes: int, larger: Mapping[str, int] | None = None
    ) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._larger = larger or {}  # by path, where more is expected

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, counting what is read of its body."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        max_bytes = self._larger.get(scope["path"], self._max_bytes)
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if declared.isdigit() and int(declared[:20]) > max_bytes:
            response = _too_large(max_bytes).response(Request(scope, receive))
            await response(scope, receive, send)
            return
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > max_bytes:
                problem = _too_large(max_bytes)
                # FastAPI lets this one through where other errors while reading become a 400.
                raise HTTPException(problem.status, problem.detail)
            return message

        await self._app(scope, counted, send)


def _too_large(max_bytes: int) -> Problem:
    return Problem(
        status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        detail=f"the body must not be larger than {max_bytes} bytes",
    )
