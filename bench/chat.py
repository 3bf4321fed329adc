"""How a person in the web chat asks and is answered, with the time it took."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

from bench.http import Connection

_PATIENCE_SECONDS = 120.0
_SETTLE_SECONDS = 0.05


class NotAnswered(RuntimeError):
    """The chat refused a request or gave no answer in time."""


async def open_session(connection: Connection) -> tuple[str, str]:
    """Return a new session and its token."""
    status, body = await connection.post("/chat/sessions", {"language": "en"})
    if status != 201:
        raise NotAnswered(f"a session was refused with status {status}")
    opened = json.loads(body)
    return opened["session"], opened["token"]


class Page:
    """One open chat page: a session with its event stream, read and idle."""

    def __init__(
        self, connection: Connection, token: str, events: AsyncIterator[dict[str, Any]]
    ) -> None:
        self._connection, self._token, self._events = connection, token, events

    async def say(self, words: str) -> None:
        """Send `words`; return once they are accepted."""
        status, _ = await self._connection.post(
            "/chat/messages", {"id": str(uuid4()), "text": words}, self._token
        )
        if status != 202:
            raise NotAnswered(f"a message was refused with status {status}")

    async def hear(self, *, seconds: float = _PATIENCE_SECONDS) -> dict[str, Any]:
        """Return the desk's next message: the assistant's, or a notice of its own."""
        async with asyncio.timeout(seconds):
            async for event in self._events:
                if event["from"] != "customer":
                    return event
        raise NotAnswered("the event stream ended without an answer")

    async def ask(self, question: str) -> tuple[float, dict[str, Any]]:
        """Return the seconds until the assistant's first message was here, and that message."""
        began = time.perf_counter()
        await self.say(question)
        event = await self.hear()
        return time.perf_counter() - began, event


@asynccontextmanager
async def open_page(port: int) -> AsyncIterator[Page]:
    """Yield a page with a session of its own."""
    async with Connection(port) as connection, Connection(port) as listening:
        _, token = await open_session(connection)
        events = await listening.open_events("/chat/events", token)
        await asyncio.sleep(_SETTLE_SECONDS)  # people do not write in the instant a page opens
        yield Page(connection, token, events)


def shows_an_article(event: dict[str, Any]) -> bool:
    """Return whether the assistant's message `event` is an answer from the knowledge base."""
    return "/help/" in event["text"] and len(event["choices"]) == 2
