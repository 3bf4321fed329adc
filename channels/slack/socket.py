"""Socket Mode: connections that the desk opens, over which Slack sends what happened.

https://docs.slack.dev/apis/events-api/using-socket-mode

Slack renews connections every few hours and says so beforehand: the next one is opened while the
old one is still read, so that there is no gap. What was not acknowledged is sent again.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import aiohttp
from pydantic_core import to_json

from channels.slack.bolt import Door
from channels.slack.fields import Fields
from channels.slack.health import Vitals
from channels.slack.parse import load
from channels.slack.web_api import WebApi
from core.domain.backoff import Backoff
from core.domain.errors import (
    BadCredentials,
    DeliveryError,
    NotKnownYet,
    StorageUnavailable,
    Throttled,
    Unavailable,
    UnknownPayload,
)

_HELLO_SECONDS = 10.0
_HEARTBEAT_SECONDS = 10.0
_FAREWELL_SECONDS = 30.0
_MAX_FRAME_BYTES = 4 * 1024 * 1024
_AT_ONCE = 64  # payloads being stored; more wait in the connection
_BACKOFF = Backoff(first_seconds=1.0, longest_seconds=30.0)
_SELDOM_SECONDS = 60.0
_STEADY_SECONDS = 10.0
_LOGGER = logging.getLogger(__name__)

Sleep = Callable[[float], Awaitable[None]]


@dataclass(slots=True)
class _Connection:
    socket: aiohttp.ClientWebSocketResponse
    leaving: asyncio.Event = field(default_factory=asyncio.Event)


class Socket:
    """Keeps one account connected."""

    def __init__(
        self, api: WebApi, app_token: str, door: Door, vitals: Vitals, sleep: Sleep = asyncio.sleep
    ) -> None:
        self._api = api
        self._app_token = app_token
        self._door = door
        self._vitals = vitals
        self._sleep = sleep
        self._room = asyncio.Semaphore(_AT_ONCE)

    async def run(self) -> None:
        """Receive until cancelled."""
        failures = 0
        loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as tasks:
            while True:
                connection = await self._connect(failures)
                began = loop.time()
                tasks.create_task(self._read(connection, tasks))
                await connection.leaving.wait()
                # One that ends as soon as it began is a failure, too: no racing round.
                failures = failures + 1 if loop.time() - began < _STEADY_SECONDS else 0

    async def _connect(self, failures: int) -> _Connection:
        """Return a connection over which Slack has said hello; `failures` went before it."""
        while True:
            if failures > 1:
                await self._sleep(_BACKOFF.pause_seconds(failures))
            try:
                connection = await self._open()
            except BadCredentials as error:
                await self._vitals.socket_is_refused(str(error))
                await self._sleep(_SELDOM_SECONDS)
            except Throttled as error:
                await self._vitals.socket_fails(str(error))
                await self._sleep(error.retry_after)
            except (DeliveryError, UnknownPayload) as error:
                await self._vitals.socket_fails(str(error))
                failures = max(failures + 1, 2)
            else:
                await self._vitals.socket_works()
                return connection

    async def _open(self) -> _Connection:
        answer = await self._api.call("apps.connections.open", token=self._app_token)
        try:
            socket = await self._api.session.ws_connect(
                answer.required("url"),
                heartbeat=_HEARTBEAT_SECONDS,
                max_msg_size=_MAX_FRAME_BYTES,
                timeout=aiohttp.ClientWSTimeout(ws_close=2.0),
            )
            hello = await socket.receive(timeout=_HELLO_SECONDS)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unavailable("Slack's socket could not be opened") from error
        frame = _frame(hello)
        if frame.text("type") == "disconnect" and frame.text("reason") == "link_disabled":
            await socket.close()
            raise BadCredentials("Socket Mode is switched off in the app's settings", "")
        if frame.text("type") != "hello":
            await socket.close()
            raise Unavailable("Slack's socket did not say hello")
        return _Connection(socket)

    async def _read(self, connection: _Connection, tasks: asyncio.TaskGroup) -> None:
        """Take what comes until the connection ends."""
        socket = connection.socket
        try:
            while True:
                leaving = connection.leaving.is_set()
                message = await socket.receive(timeout=_FAREWELL_SECONDS if leaving else None)
                if message.type is not aiohttp.WSMsgType.TEXT:
                    break
                try:
                    frame = _frame(message)
                except UnknownPayload:
                    _LOGGER.warning("a frame that is no envelope: nothing to acknowledge")
                    continue
                if frame.text("type") == "disconnect":
                    _LOGGER.info("Slack will close the socket: %s", frame.text("reason")[:40])
                    connection.leaving.set()
                elif frame.text("envelope_id"):
                    came = datetime.now(UTC)
                    await self._room.acquire()
                    tasks.create_task(self._take(socket, frame, came))
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            _LOGGER.info("Slack's socket ended: %s", type(error).__name__)
        finally:
            connection.leaving.set()
            await socket.close()

    async def _take(
        self, socket: aiohttp.ClientWebSocketResponse, frame: Fields, came: datetime
    ) -> None:
        """Have a payload stored, then acknowledge it."""
        try:
            payload = frame.inner("payload").values
            raw = to_json(payload)
            failures = 0
            while True:
                try:
                    reply = await self._door.let_in(payload, raw, came)
                    break
                except (NotKnownYet, StorageUnavailable) as error:
                    if socket.closed:
                        return  # Slack sends it again over the next connection
                    failures += 1
                    if isinstance(error, NotKnownYet):
                        # What would make it known may be among those that wait for room.
                        await self._elsewhere(_BACKOFF.pause_seconds(failures))
                    else:
                        await self._sleep(_BACKOFF.pause_seconds(failures))
            answer: dict[str, object] = {"envelope_id": frame.text("envelope_id")}
            if reply.content is not None and frame.flag("accepts_response_payload"):
                answer["payload"] = reply.content
            await socket.send_str(json.dumps(answer))
        except (ConnectionError, aiohttp.ClientError):
            _LOGGER.info("an acknowledgement came too late for its socket")
        except RuntimeError:
            _LOGGER.exception("a payload was not acknowledged")
        finally:
            self._room.release()

    async def _elsewhere(self, seconds: float) -> None:
        """Make room for other payloads for a while."""
        self._room.release()
        try:
            await self._sleep(seconds)
        finally:
            await self._room.acquire()


def _frame(message: aiohttp.WSMessage) -> Fields:
    """Return the JSON object in a text frame.

    Raises:
        UnknownPayload: it is none.
    """
    if message.type is not aiohttp.WSMsgType.TEXT:
        raise UnknownPayload("a frame without text")
    return Fields.of(load(message.data.encode(errors="replace")), "frame")
