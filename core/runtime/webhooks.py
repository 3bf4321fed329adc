"""Makes the calls of outgoing webhooks."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from core.domain.automation.calls import CallProblem
from core.services.automation.webhooks import Call, Webhooks

if TYPE_CHECKING:
    import httpx

_LOGGER = logging.getLogger(__name__)
_TIMEOUT_SECONDS = 10.0
_LONGEST_SECONDS = 20.0
_READ_BYTES = 500


class WebhookCalls:
    """Tells webhooks what they asked for; a duty of its own, because others are slow to answer."""

    def __init__(
        self,
        webhooks: Webhooks,
        client: Callable[[], httpx.AsyncClient] | None = None,
    ) -> None:
        self._webhooks = webhooks
        self._open = client or _new_client

    async def make_due(self) -> None:
        """Make the calls that are due, side by side."""
        if not (calls := await self._webhooks.due()):
            return
        async with self._open() as client:
            made = await asyncio.gather(
                *(_make(client, call) for call in calls), return_exceptions=True
            )
        for call, outcome in zip(calls, made, strict=True):
            problem: CallProblem | None
            if isinstance(outcome, Exception):  # of this call alone: the others were made
                _LOGGER.error("call %s of a webhook", call.delivery, exc_info=outcome)
                problem, words = CallProblem.UNEXPECTED, _words_of(outcome)
            elif isinstance(outcome, BaseException):
                raise outcome
            else:
                problem, words = outcome
            if problem is not None:
                _LOGGER.info("call %s of a webhook failed: %s", call.delivery, problem)
            await self._webhooks.settle(call.delivery, problem=problem, answer=words)


async def _make(client: httpx.AsyncClient, call: Call) -> tuple[CallProblem | None, str]:
    """Make a call; return why it was not taken, and the beginning of the answer."""
    import httpx

    try:
        # Redirects are not followed: a signed body goes where an admin said, nowhere else.
        async with (
            asyncio.timeout(_LONGEST_SECONDS),
            client.stream("POST", call.url, content=call.body, headers=call.headers) as answer,
        ):
            said = b""
            async for piece in answer.aiter_raw(_READ_BYTES):
                said = piece
                break
            words = f"{answer.status_code} {said.decode(errors='replace')}".rstrip()
            if answer.is_success:
                return None, words
            is_led_on = answer.has_redirect_location
            return (CallProblem.REDIRECTED if is_led_on else CallProblem.REFUSED), words
    except (httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
        return CallProblem.ADDRESS, _words_of(error)
    except (httpx.TimeoutException, TimeoutError) as error:
        return CallProblem.SLOW, _words_of(error)
    except httpx.ConnectError as error:
        return _unconnected(error), _words_of(error)
    except httpx.HTTPError as error:
        return CallProblem.BROKEN, _words_of(error)


def _unconnected(error: BaseException) -> CallProblem:
    """Return why there is no connection, which only what led to `error` tells."""
    for cause in _led_to(error):
        match cause:
            case socket.gaierror():
                return CallProblem.UNKNOWN_HOST
            case ssl.SSLError():
                return CallProblem.INSECURE
    return CallProblem.UNREACHABLE


def _led_to(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _words_of(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".removesuffix(": ")


def _new_client() -> httpx.AsyncClient:
    # Imported where it is used, so after `core.adapters.http` has kept its command line out.
    import httpx

    return httpx.AsyncClient(timeout=_TIMEOUT_SECONDS)
