"""What was read can be put back: programs read a record, change a field and send all of it.

What can only be read is taken out of the body where it says what is there, and refused where it
does not. A body of fields that can be set costs nothing more.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import Any

from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message

from core.domain.errors import Outdated

_PASSING = frozenset(
    {
        *("answers", "count", "helped", "load", "not_helped", "open_tickets", "organisations"),
        *("policies", "presence", "reported_at", "score", "tickets", "used", "waiting_tickets"),
        *("confidence", "first_response_at", "sla_breached_at", "sla_due_at", "sla_due_kind"),
        "updated_at",
    }
)
"""What changes by itself: nobody means to set it."""

_NAMED = ({"id", "name"}, {"id", "name", "email"})
"""The fields of what is named in an answer, and by its id alone in a body."""

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class PutBack(APIRoute):
    """A route whose PUT and PATCH take what a GET of the same address answers."""

    def get_route_handler(self) -> Handler:
        """Return what answers a request."""
        handler = super().get_route_handler()
        methods = self.methods or set()
        if not methods & {"PUT", "PATCH"}:
            return handler
        (param,) = self.dependant.body_params
        body = param.field_info.annotation
        assert isinstance(body, type)
        assert issubclass(body, BaseModel)
        settable = _Settable(
            frozenset(field.alias or name for name, field in body.model_fields.items()),
            is_part="PATCH" in methods and _takes_nothing(body),
        )

        async def handle(request: Request) -> Response:
            return await handler(await settable.of(request))

        return handle


def _takes_nothing(body: type[BaseModel]) -> bool:
    try:
        body.model_validate({})
    except ValidationError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class _Settable:
    """What a body may say."""

    fields: frozenset[str]
    is_part: bool  # what is as it was can be left out

    async def of(self, request: Request) -> Request:
        """Return `request` without what can only be read, where that says what is there.

        Raises:
            RequestValidationError: it says something else.
            Outdated: it is the record as it was at another revision.
        """
        raw = await request.body()
        try:
            sent = json.loads(raw)
        except ValueError:
            sent = None  # for the route to refuse
        if not isinstance(sent, dict) or not (sent.keys() - self.fields or any(_named_in(sent))):
            return _with_body(request, raw)
        answer, present = await _read(request)
        if present is None:
            return _with_body(request, raw)
        only_read = (sent.keys() - self.fields) & present.keys()
        if request.headers.get("If-Match") in {None, "*", answer.get("etag")}:
            _check(sent, present, only_read)  # else the route refuses it as out of date
        left = {name: value for name, value in sent.items() if name not in only_read}
        if self.is_part:
            same = {name for name in left.keys() & present.keys() if left[name] == present[name]}
            left = {name: value for name, value in left.items() if name not in same}
        names = list(_named_in(present))
        kept = {name: _by_id(value, names) for name, value in left.items()}
        return _with_body(request, json.dumps(kept).encode())


def _check(sent: dict[str, Any], present: dict[str, Any], only_read: set[str]) -> None:
    changed = {
        name for name in only_read if _lasting(sent[name]) != _lasting(present[name])
    } - _PASSING
    if "revision" in changed:
        raise Outdated
    if changed:
        raise RequestValidationError(
            [
                {
                    "type": "read_only",
                    "loc": ("body", name),
                    "msg": "can only be read: leave it out, or send it as it is",
                    "input": sent[name],
                }
                for name in sorted(changed)
            ]
        )


def _lasting(value: object) -> object:
    """Return `value` without what changes by itself."""
    match value:
        case dict():
            return {key: _lasting(one) for key, one in value.items() if key not in _PASSING}
        case list():
            return [_lasting(one) for one in value]
        case _:
            return value


def _named_in(value: object) -> Iterator[dict[str, Any]]:
    match value:
        case dict() if value.keys() in _NAMED:
            yield value
        case dict():
            for one in value.values():
                yield from _named_in(one)
        case list():
            for one in value:
                yield from _named_in(one)


def _by_id(value: object, names: list[dict[str, Any]]) -> object:
    """Return `value` with the ids of what it names as the answer does, in place of that."""
    match value:
        case dict() if value in names:
            return value["id"]
        case dict():
            return {key: _by_id(one, names) for key, one in value.items()}
        case list():
            return [_by_id(one, names) for one in value]
        case _:
            return value


async def _read(request: Request) -> tuple[dict[str, str], dict[str, Any] | None]:
    """Return the headers and the record of a GET of the same address; None where there is none."""
    left_out = (b"content-length", b"content-type", b"if-match", b"transfer-encoding")
    scope = {
        "type": "http",
        "app": request.app,
        **{
            key: request.scope[key]
            for key in ("asgi", "http_version", "scheme", "path", "raw_path", "root_path")
            if key in request.scope
        },
        **{key: request.scope[key] for key in ("client", "server") if key in request.scope},
        "method": "GET",
        "query_string": b"",
        "headers": [one for one in request.scope["headers"] if one[0] not in left_out],
    }
    status, headers, body = 0, dict[str, str](), bytearray()

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
            headers.update({key.decode().lower(): one.decode() for key, one in message["headers"]})
        else:
            body.extend(message.get("body", b""))

    await request.app(scope, receive, send)
    if status != 200:
        return headers, None
    present = json.loads(bytes(body))
    return headers, present if isinstance(present, dict) else None


def _with_body(request: Request, body: bytes) -> Request:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return Request(request.scope, receive)
