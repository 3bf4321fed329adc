"""The Events API over HTTP: Slack's requests to the desk, signed.

https://docs.slack.dev/authentication/verifying-requests-from-slack
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from pydantic_core import to_json
from slack_sdk.signature import SignatureVerifier
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from channels.slack.bolt import Door
from channels.slack.parse import load
from core.domain.errors import TooLarge, Unauthenticated, UnknownPayload
from core.domain.ids import AccountId

MAX_BODY_BYTES = 1024 * 1024
_JSON = "application/json"
_FORM = "application/x-www-form-urlencoded"
_MAX_FIELDS = 100
_SECOND = timedelta(seconds=1)


class EventsApi:
    """One address for events, buttons, shortcuts and commands of one account."""

    def __init__(self, account: AccountId, signing_secret: str, door: Door) -> None:
        self._path = f"/channels/slack/{account}/events"
        self._verifier = SignatureVerifier(signing_secret)
        self._door = door

    def route(self) -> Route:
        """Return the route to serve."""
        return Route(self._path, self._receive, methods=["POST"])

    async def _receive(self, request: Request) -> Response:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in {_JSON, _FORM}:
            raise HTTPException(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"the body must be {_JSON} or {_FORM}"
            )
        body = await _body(request)
        signed = self._check(request, body)
        payload, raw = _read_json(body) if kind == _JSON else _read_form(body)
        reply = await self._door.let_in(payload, raw, _within(signed, datetime.now(UTC)))
        if reply.content is None:
            return Response(status_code=HTTPStatus.OK)
        return JSONResponse(dict(reply.content))

    def _check(self, request: Request, body: bytes) -> datetime:
        """Return in which second Slack signed; refuse what it did not in the last five minutes."""
        timestamp = request.headers.get("x-slack-request-timestamp", "")
        signature = request.headers.get("x-slack-signature", "")
        is_plain = timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12
        if not (is_plain and signature.isascii()):
            raise Unauthenticated("the request is not signed as Slack signs")
        try:
            is_valid = self._verifier.is_valid(body, timestamp, signature)
        except UnicodeDecodeError as error:
            raise UnknownPayload("the body must be UTF-8") from error
        if not is_valid:
            raise Unauthenticated("the signature is wrong or too old")
        return datetime.fromtimestamp(int(timestamp), UTC)


def _within(signed: datetime, now: datetime) -> datetime:
    """Return when something was sent, as exactly as is known: Slack's clock tells whole seconds.

    Inside that second the desk's own clock sorts what comes.
    """
    return min(max(signed, now), signed + _SECOND - datetime.resolution)


async def _body(request: Request) -> bytes:
    declared = request.headers.get("content-length", "0")
    if declared.isascii() and declared.isdigit() and int(declared[:20]) > MAX_BODY_BYTES:
        raise TooLarge(f"the body must not be larger than {MAX_BODY_BYTES} bytes")
    parts = bytearray()
    async for part in request.stream():
        parts += part
        if len(parts) > MAX_BODY_BYTES:
            raise TooLarge(f"the body must not be larger than {MAX_BODY_BYTES} bytes")
    return bytes(parts)


def _read_json(body: bytes) -> tuple[dict[str, Any], bytes]:
    payload = load(body)
    if not isinstance(payload, dict):
        raise UnknownPayload("the body must be a JSON object")
    return payload, body


def _read_form(body: bytes) -> tuple[dict[str, Any], bytes]:
    """Return the payload of a form: JSON in `payload`, or a command's own fields.

    Bolt's own reading finds nothing in a command whose words hold "payload".
    """
    try:
        fields = dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MAX_FIELDS))
    except ValueError as error:
        raise UnknownPayload("the body is not a form") from error
    if "payload" in fields:
        return _read_json(fields["payload"].encode(errors="replace"))
    return dict(fields), to_json(fields)
