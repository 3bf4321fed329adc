"""The way from Slack's requests to the desk through Bolt, which answers Slack's own questions.

Bolt by itself acknowledges before a listener has run, and loses the message when the process
dies. Here all payloads take one path, and its answer is given after they were stored.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from slack_bolt.async_app import AsyncApp, AsyncBoltRequest
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from channels.slack.taking import Answer, Payload
from core.domain.errors import DeskError

_RAW = "ventanilla_raw"
_CAME = "ventanilla_came"
_FAILURE = "ventanilla_failure"
_REACHED = "ventanilla_reached"


class Takes(Protocol):
    """Where payloads go."""

    async def take(self, payload: Payload, raw: bytes, came: datetime) -> Answer | None:
        """See `channels.slack.taking.Taking.take`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What to answer a payload with."""

    content: Payload | None


class Door:
    """Lets payloads that are known to be Slack's in."""

    def __init__(self, taking: Takes) -> None:
        self._taking = taking
        self._app = AsyncApp(
            name="ventanilla",
            process_before_response=True,
            # Signatures are checked before a payload is read; Bolt would read first, and write
            # what it refuses into the log.
            request_verification_enabled=False,
            signing_secret="checked-elsewhere",  # noqa: S106 - not one; or it asks the environment
            ignoring_self_events_enabled=False,
            client=AsyncWebClient(),  # Bolt's own; it makes no calls
            authorize=_authorize,
        )
        self._app.middleware(self._all)

    async def let_in(self, payload: Payload, raw: bytes, came: datetime) -> Reply:
        """Return what to answer `payload` with, once it is stored; `came` is when it did.

        Raises:
            StorageUnavailable, NotKnownYet: nothing was stored; do not acknowledge.
        """
        try:
            request = AsyncBoltRequest(
                mode="socket_mode", body=dict(payload), context={_RAW: raw, _CAME: came}
            )
        except (AttributeError, IndexError, KeyError, TypeError, ValueError):
            # Of a form that Bolt does not expect; what it says is for the desk to find out.
            return Reply(content=await self._taking.take(payload, raw, came))
        response = await self._app.async_dispatch(request)
        failure = request.context.get(_FAILURE)
        if isinstance(failure, DeskError):
            raise failure
        if response.status != 200 and _REACHED not in request.context:
            # Bolt stumbled over it on the way, which its log says.
            return Reply(content=await self._taking.take(payload, raw, came))
        if response.status != 200:
            raise RuntimeError("a payload could not be worked on; see the log before this")
        return Reply(content=_content(response))

    async def _all(self, body: dict[str, Any], req: AsyncBoltRequest) -> BoltResponse:
        req.context[_REACHED] = True
        try:
            answer = await self._taking.take(body, req.context[_RAW], req.context[_CAME])
        except DeskError as error:
            req.context[_FAILURE] = error
            return BoltResponse(status=503)
        return BoltResponse(status=200, body="" if answer is None else dict(answer))


def _content(response: BoltResponse) -> Payload | None:
    if not response.body or response.body == "{}":
        return None
    try:
        content = json.loads(response.body)
    except ValueError:
        return None  # words, where Slack asked for nothing but a status
    return content if isinstance(content, dict) else None


async def _authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
    """Answer Bolt's question whose token it is: an account has one; its worth shows in its use."""
    return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id)
