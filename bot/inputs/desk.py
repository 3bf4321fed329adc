"""Knows the assistant's HTTP interface towards the desk; nothing else may talk to the assistant."""

from __future__ import annotations

import hmac
import json
import logging
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

from rasa.core.agent import Agent
from rasa.core.channels.channel import InputChannel, UserMessage
from rasa.shared.core.constants import DEFAULT_INTENTS
from rasa_sdk.interfaces import ActionExecutionRejection, ActionNotFoundException
from sanic import Blueprint
from sanic.request import Request
from sanic.response import HTTPResponse
from sanic.response import json as json_response

from actions import executor_of_all
from inputs.processor import TurnProcessor
from inputs.teaching import Teaching, answered
from inputs.turn import BadTurn, parse_turn

logger = logging.getLogger(__name__)

# Between attempts to get the conversation's lock; Rasa waits a whole second.
_LOCK_RETRY_SECONDS = 0.02
_MAX_TURN_BYTES = 1_000_000
_Route = Callable[[Request], Awaitable[HTTPResponse]]


class DeskInput(InputChannel):
    """The one input channel: a turn comes as one request and is answered in its response."""

    def __init__(self, token: str | None, teaching: Teaching | None = None) -> None:
        """Accept requests that carry `token`; with None, every request (tests, experiments)."""
        self._token = token
        self._teaching = teaching
        self.executor = executor_of_all()

    @classmethod
    def name(cls) -> str:
        return "desk"

    @classmethod
    def from_credentials(cls, credentials: dict[str, Any] | None) -> DeskInput:
        if not credentials or not credentials.get("token"):
            cls.raise_missing_credentials_exception()
        return cls(str((credentials or {})["token"]))

    def blueprint(self, on_new_message: Callable[[UserMessage], Awaitable[Any]]) -> Blueprint:
        routes = Blueprint("desk")
        routes.add_route(self._guarded(self._turn), "/turn", methods=["POST"], name="turn")
        routes.add_route(self._guarded(self._action), "/actions", methods=["POST"], name="actions")
        routes.add_route(_health, "/health", methods=["GET"], name="health")
        if self._teaching is not None:
            told, use = self._guarded(self._told), self._guarded(self._use)
            train = self._guarded(self._train)
            routes.add_route(told, "/model", methods=["GET"], name="told")
            routes.add_route(use, "/model", methods=["PUT"], name="use")
            routes.add_route(train, "/training", methods=["PUT"], name="train")
        return routes

    def _guarded(self, route: _Route) -> _Route:
        @wraps(route)
        async def guarded(request: Request) -> HTTPResponse:
            if self._token is not None:
                given = request.headers.get("Authorization", "").encode("utf-8", "replace")
                if not hmac.compare_digest(given, f"Bearer {self._token}".encode()):
                    return _problem(401, "the bearer token is missing or wrong")
            return await route(request)

        return guarded

    async def _turn(self, request: Request) -> HTTPResponse:
        agent = _ready_agent(request)
        if agent is None:
            return _problem(503, "no model is loaded yet")
        if len(request.body) > _MAX_TURN_BYTES:
            return _problem(413, f"a turn has at most {_MAX_TURN_BYTES} bytes")
        try:
            turn = parse_turn(request.body, intents=_buttons(agent))
        except BadTurn as error:
            return _problem(400, str(error))
        try:
            async with agent.lock_store.lock(
                turn.sender_id, wait_time_in_seconds=_LOCK_RETRY_SECONDS
            ):
                body = await TurnProcessor.sharing(agent.processor).reply(turn)
        except Exception:
            # The edge: whatever it was, the desk is told that there is no reply and may retry.
            logger.exception("turn %s failed", turn.turn_id)
            return _problem(500, "the turn failed and left no trace; it may be tried again")
        return json_response(body, dumps=json.dumps)

    async def _action(self, request: Request) -> HTTPResponse:
        """Rasa's action protocol, for a Rasa server of another kind (`rasa run`, `rasa shell`)."""
        try:
            call = json.loads(request.body)
            return json_response(await self.executor.run(call), dumps=json.dumps)
        except ValueError:
            return _problem(400, "the body is not JSON")
        except ActionExecutionRejection as error:
            return json_response({"error": error.message, "action_name": error.action_name}, 400)
        except ActionNotFoundException as error:
            return json_response({"error": error.message, "action_name": error.action_name}, 404)

    async def _told(self, request: Request) -> HTTPResponse:
        assert self._teaching is not None
        return json_response(self._teaching.told(_ready_agent(request)))

    async def _train(self, request: Request) -> HTTPResponse:
        assert self._teaching is not None
        status, body = await answered(self._teaching.train, request.body)
        return json_response(body, status=status)

    async def _use(self, request: Request) -> HTTPResponse:
        teaching, agent = self._teaching, _ready_agent(request)
        assert teaching is not None
        if agent is None:
            return _problem(503, "no model is loaded yet")

        async def use(body: Any) -> dict[str, Any]:
            request.app.ctx.agent = await teaching.use(body, agent)
            return teaching.told(request.app.ctx.agent)

        status, body = await answered(use, request.body)
        return json_response(body, status=status)


async def _health(request: Request) -> HTTPResponse:
    agent = _ready_agent(request)
    if agent is None:
        return _problem(503, "no model is loaded yet")
    return json_response({"model_id": agent.model_id})


def _buttons(agent: Agent) -> list[str]:
    """Return the intents a button may have: ours, and none of those that steer Rasa itself."""
    return [name for name in agent.domain.intents if name not in DEFAULT_INTENTS]


def _ready_agent(request: Request) -> Agent | None:
    agent: Agent | None = getattr(request.app.ctx, "agent", None)
    return agent if agent is not None and agent.is_ready() else None


def _problem(status: int, detail: str) -> HTTPResponse:
    body = {"type": "about:blank", "status": status, "detail": detail}
    return json_response(body, status=status, content_type="application/problem+json")
