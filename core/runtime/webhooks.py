"""Makes the calls of outgoing webhooks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

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
            if isinstance(outcome, Exception):  # of this call alone: the others were made
                _LOGGER.error("call %s of a webhook", call.delivery, exc_info=outcome)
                done, words = False, f"{type(outcome).__name__}: {outcome}"
            elif isinstance(outcome, BaseException):
                raise outcome
            else:
                done, words = outcome
            if not done:
                _LOGGER.info("call %s of a webhook failed", call.delivery)
            await self._webhooks.settle(call.delivery, done=done, answer=words)


async def _make(client: httpx.AsyncClient, call: Call) -> tuple[bool, str]:
    """Make a call; return whether it was taken, and the beginning of the answer."""
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
            return answer.is_success, f"{answer.status_code} {said.decode(errors='replace')}"
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
        return False, f"{type(error).__name__}: {error}"


def _new_client() -> httpx.AsyncClient:
    # Imported where it is used, so after `core.adapters.http` has kept its command line out.
    import httpx

    return httpx.AsyncClient(timeout=_TIMEOUT_SECONDS)
