"""Tells the desk what happened: over its sockets, or by signed requests to its address.

Over sockets an envelope counts as told once it was acknowledged; what was not is sent again over
the next connection. By HTTP any 2xx counts; the rest is tried again as Slack does, with headers
that say so. https://docs.slack.dev/apis/events-api
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import itertools
import json
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import aiohttp
from aiohttp import web

from channels.simulator.faults import Fault, Faults
from channels.simulator.slack.workspace import APP, News

_ANSWER_SECONDS = 3.0
REQUEST = "request"
"""What faults of the requests to the desk are planned for: they are lost, or their answers."""


@dataclass(slots=True)
class _Open:
    """One of the desk's sockets, and what was sent over it and not acknowledged yet."""

    socket: web.WebSocketResponse
    unacknowledged: dict[str, News] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Request:
    """Something to be told by a request, and which repetition it is; 0 for the first attempt."""

    news: News
    number: int = 0


@dataclass(slots=True)
class Refusal:
    """An answer of the desk's that was not a 2xx; status 0 where none came."""

    news: News
    status: int


class Telling:
    """What is told, to whom, and what became of it."""

    def __init__(self, faults: Faults, signing_secret: str) -> None:
        self.acknowledged: list[str] = []
        """Ids of news, in the order of their acknowledgements; again where told again."""
        self.answers: list[tuple[str, Mapping[str, Any]]] = []
        """What the desk answered besides, by id of the news."""
        self.refusals: list[Refusal] = []
        self.address: str | None = None
        """Where requests go; None for sockets."""
        self.retry_seconds: tuple[float, ...] = (0.1, 1.0, 5.0)
        """Pauses before each repetition of a request that failed; Slack's are up to an hour."""
        self.gives_up = True
        """Whether the last repetition is the last, as it is with Slack; else it is repeated."""
        self.at_once = 1
        """How many requests are under way together; with one, they come in order."""
        self.on_acknowledged: Callable[[str], None] | None = None
        """Called with each id that is put into `acknowledged`."""
        self._faults = faults
        self._secret = signing_secret.encode()
        self._sockets: list[_Open] = []
        self._turn = itertools.count()
        self._waiting: list[News] = []
        self._held: News | None = None
        self._told: set[asyncio.Task[None]] = set()
        self._queue: asyncio.Queue[_Request] = asyncio.Queue()
        self._under_way = 0
        self._senders = 0
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Tell nothing any more."""
        tasks = list(self._told)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()
        await self.hang_up()

    async def tell(self, news: News) -> None:
        """Tell `news`, with the fault that is planned for it; return once it is on its way."""
        fault = self._faults.for_news()
        if fault is Fault.REORDERED and self._held is None:
            self._held = news
            return
        await self._send(news)
        if fault is Fault.DUPLICATED:
            await self._send(news)
        held, self._held = self._held, None
        if held is not None:
            await self._send(held)

    @property
    def pending(self) -> int:
        """How much is told and not acknowledged yet, nor given up."""
        over_sockets = sum(len(opened.unacknowledged) for opened in self._sockets)
        held = 0 if self._held is None else 1
        return over_sockets + len(self._waiting) + self._queue.qsize() + self._under_way + held

    @property
    def sockets(self) -> int:
        """How many sockets the desk has open."""
        return len(self._sockets)

    async def hang_up(self) -> None:
        """End all sockets without a word, as a broken network does."""
        for opened in list(self._sockets):
            await opened.socket.close()

    async def ask_to_renew(self, reason: str = "refresh_requested") -> None:
        """Announce the end of the sockets that are open now, as Slack does every few hours."""
        for opened in list(self._sockets):
            self._sockets.remove(opened)
            self._waiting.extend(opened.unacknowledged.values())
            await opened.socket.send_json({"type": "disconnect", "reason": reason})

    async def serve(self, socket: web.WebSocketResponse) -> None:
        """Use a socket that the desk opened until it ends."""
        await socket.send_json(
            {
                "type": "hello",
                "num_connections": len(self._sockets) + 1,
                "connection_info": {"app_id": APP},
                "debug_info": {"host": "simulator", "approximate_connection_time": 3600},
            }
        )
        opened = _Open(socket)
        self._sockets.append(opened)
        waiting, self._waiting = self._waiting, []
        for news in waiting:
            await self._send_over_socket(news, is_retry=True)
        async for message in socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                break
            self._heard(opened, json.loads(message.data))
        if opened in self._sockets:
            self._sockets.remove(opened)
            left = list(opened.unacknowledged.values())
            for news in left:
                await self._send_over_socket(news, is_retry=True)

    def _heard(self, opened: _Open, answer: Mapping[str, Any]) -> None:
        news = opened.unacknowledged.pop(str(answer.get("envelope_id")), None)
        if news is None:
            return
        if news in self._waiting:
            self._waiting.remove(news)
        self._note(news)
        if "payload" in answer:
            self.answers.append((news.id, answer["payload"]))

    def _note(self, news: News) -> None:
        self.acknowledged.append(news.id)
        if self.on_acknowledged is not None:
            self.on_acknowledged(news.id)

    async def _send(self, news: News) -> None:
        if self.address is None:
            await self._send_over_socket(news)
            return
        self._enqueue(_Request(news))

    async def _send_over_socket(self, news: News, *, is_retry: bool = False) -> None:
        if not self._sockets:
            self._waiting.append(news)
            return
        opened = self._sockets[next(self._turn) % len(self._sockets)]
        envelope = f"{news.id}-{next(self._turn)}"
        opened.unacknowledged[envelope] = news
        content = {
            "envelope_id": envelope,
            "type": news.kind,
            "accepts_response_payload": news.kind == "slash_commands",
            "payload": news.payload,
        }
        if news.kind == "events_api":
            content |= {
                "retry_attempt": int(is_retry),
                "retry_reason": "timeout" if is_retry else "",
            }
        try:
            await opened.socket.send_json(content)
        except ConnectionError:
            return  # its end is noticed where it is read, and this is sent again

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._told.add(task)
        task.add_done_callback(self._told.discard)

    def _enqueue(self, request: _Request) -> None:
        self._queue.put_nowait(request)
        if self._senders < self.at_once:
            self._senders += 1
            self._start(self._send_requests())

    async def _send_requests(self) -> None:
        """Send one after the other, so that one sender keeps the order of what happened."""
        try:
            while not self._queue.empty():
                request = self._queue.get_nowait()
                self._under_way += 1
                if await self._request(request) or not self._is_tried_again(request):
                    self._under_way -= 1
                else:
                    self._start(self._try_again(request))
        finally:
            self._senders -= 1

    def _is_tried_again(self, request: _Request) -> bool:
        return request.number < len(self.retry_seconds) or (
            bool(self.retry_seconds) and not self.gives_up
        )

    async def _try_again(self, request: _Request) -> None:
        pauses = self.retry_seconds
        await asyncio.sleep(pauses[min(request.number, len(pauses) - 1)])
        self._enqueue(_Request(request.news, request.number + 1))
        self._under_way -= 1

    async def _request(self, request: _Request) -> bool:
        """Return whether the desk acknowledged."""
        assert self.address is not None
        news = request.news
        body, headers = self.signed(news)
        if request.number:
            headers |= {
                "X-Slack-Retry-Num": str(request.number),
                "X-Slack-Retry-Reason": "http_error",
            }
        if self._session is None:
            self._session = aiohttp.ClientSession()
        fault = self._faults.for_call(REQUEST, among=(REQUEST,))
        if fault is Fault.CUT_BEFORE:
            return False
        try:
            async with self._session.post(
                self.address,
                data=body,
                headers=headers,
                timeout=aiohttp.ClientTimeout(total=_ANSWER_SECONDS),
            ) as response:
                content = await response.read()
                status = response.status
        except (aiohttp.ClientError, TimeoutError, OSError):
            self.refusals.append(Refusal(news, 0))
            return False
        if fault is Fault.CUT_AFTER:
            return False
        if not 200 <= status < 300:
            self.refusals.append(Refusal(news, status))
            return False
        self._note(news)
        if content:
            self.answers.append((news.id, json.loads(content)))
        return True

    def signed(self, news: News) -> tuple[bytes, dict[str, str]]:
        """Return body and headers of the request that tells `news`."""
        if news.kind == "slash_commands":
            body = urlencode(news.payload).encode()
        elif news.kind == "interactive":
            body = urlencode({"payload": json.dumps(news.payload)}).encode()
        else:
            body = json.dumps(news.payload).encode()
        kind = "application/json" if news.kind == "events_api" else _FORM
        return body, {"Content-Type": kind, **self.signature(body)}

    def signature(self, body: bytes, at: float | None = None) -> dict[str, str]:
        """Return the headers that sign `body`.

        https://docs.slack.dev/authentication/verifying-requests-from-slack
        """
        timestamp = str(int(time.time() if at is None else at))
        signed = b"v0:" + timestamp.encode() + b":" + body
        digest = hmac.new(self._secret, signed, hashlib.sha256).hexdigest()
        return {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": f"v0={digest}"}


_FORM = "application/x-www-form-urlencoded"
