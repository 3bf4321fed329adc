"""What answers Telegram's calls to the desk's address."""

from __future__ import annotations

import hmac

from pydantic_core import to_json
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from channels.telegram.parse import read_update
from channels.telegram.presses import answer_to, press_in
from channels.telegram.reader import Reader
from channels.telegram.taking import take
from core.domain.errors import (
    DeliveryError,
    InvalidInput,
    StorageUnavailable,
    TooLarge,
    Unauthenticated,
    UnknownPayload,
)
from core.domain.ids import AccountId
from core.ports import Inbox

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - the name, not the secret
MAX_BODY_BYTES = 1024 * 1024


class Webhook:
    """Takes one account's updates in. A 200 says that they are stored."""

    def __init__(
        self,
        account: AccountId,
        secret: str,
        reader: Reader,
        inbox: Inbox,
        *,
        default_language: str,
    ) -> None:
        self._account = account
        self._default_language = default_language
        self._secret = secret.encode()
        self._reader = reader
        self._inbox = inbox

    async def answer(self, request: Request) -> Response:
        """Answer one call.

        Raises:
            Unauthenticated: the secret is missing or wrong.
            TooLarge, InvalidInput: the body is not what Telegram sends.
            StorageUnavailable: nothing was stored; Telegram calls again.
        """
        given = request.headers.get(SECRET_HEADER, "")
        if not hmac.compare_digest(given.encode("utf-8", "surrogateescape"), self._secret):
            raise Unauthenticated("the secret token is missing or wrong")
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type != "application/json":
            return Response(status_code=415)
        raw = await _body(request)
        try:
            update = read_update(raw)
        except UnknownPayload as error:
            raise InvalidInput(f"the body is {error}") from error
        try:
            became = await take(self._account, self._reader, self._inbox, update, raw)
        except DeliveryError as error:
            raise StorageUnavailable(f"the update cannot be read now: {error}") from error
        press = press_in(update)
        if press is None:
            return Response()
        # A pressed button is answered with the acknowledgement, which saves a call.
        answer = answer_to(press, became, self._default_language)
        return Response(
            to_json({"method": "answerCallbackQuery", **answer}), media_type="application/json"
        )


async def _body(request: Request) -> bytes:
    """Return the body; never hold more of it than may be sent."""
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > MAX_BODY_BYTES:
        raise _too_large()
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BODY_BYTES:
                raise _too_large()
    except ClientDisconnect as error:
        raise InvalidInput("the request broke off") from error
    return bytes(body)


def _too_large() -> TooLarge:
    return TooLarge(f"the body must not be larger than {MAX_BODY_BYTES} bytes")
