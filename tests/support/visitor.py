"""Somebody in the web chat, seen from their side of the HTTP interface."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import httpx

from core.runtime.machine.polling import until

Message = Mapping[str, Any]

ANSWER_SECONDS = 45.0
_POLL_SECONDS = 0.05


@dataclass
class Visitor:
    """A chat session."""

    http: httpx.AsyncClient
    session: str
    token: str

    @classmethod
    async def arrive(cls, http: httpx.AsyncClient, language: str = "en") -> Visitor:
        """Open a session, as the page does."""
        response = await http.post("/chat/sessions", json={"language": language})
        assert response.status_code == 201, response.text
        opened = response.json()
        return cls(http, opened["session"], opened["token"])

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    async def post(self, text: str, message_id: UUID | None = None) -> httpx.Response:
        body = {"id": str(message_id or uuid4()), "text": text}
        return await self.http.post("/chat/messages", json=body, headers=self.headers)

    async def say(self, text: str) -> int:
        """Write `text`; return its number."""
        response = await self.post(text)
        assert response.status_code == 202, response.text
        return int(response.json()["seq"])

    async def press(self, label: str) -> int:
        """Press the newest button `label`; return the number of the press."""
        offered = [c for m in await self.messages() for c in m["choices"] if c["label"] == label]
        assert offered, f"there is no button {label}"
        body = {"id": str(uuid4()), "choice": offered[-1]["id"]}
        response = await self.http.post("/chat/choices", json=body, headers=self.headers)
        assert response.status_code == 202, response.text
        return int(response.json()["seq"])

    async def messages(self, after: int = 0) -> list[Message]:
        response = await self.http.get(
            "/chat/messages", params={"after": after}, headers=self.headers
        )
        assert response.status_code == 200, response.text
        found: list[Message] = response.json()["messages"]
        return found

    async def answers_after(self, seq: int, seconds: float = ANSWER_SECONDS) -> list[Message]:
        """Return what was said to the visitor after `seq`, once something was."""
        found: list[Message] = []

        async def heard() -> bool:
            found[:] = [m for m in await self.messages(seq) if m["from"] != "customer"]
            return bool(found)

        if not await until(heard, every=_POLL_SECONDS, seconds=seconds):
            raise AssertionError(f"nobody answered message {seq} within {seconds:g} s")
        return found

    async def ask(self, text: str) -> list[Message]:
        """Write `text` and return what comes back."""
        return await self.answers_after(await self.say(text))

    async def choose(self, label: str) -> list[Message]:
        """Press the button `label` and return what comes back."""
        return await self.answers_after(await self.press(label))

    @asynccontextmanager
    async def listening(self, after: int = 0) -> AsyncIterator[Stream]:
        """Keep the event stream open while the block runs."""
        stream = Stream()
        opened = asyncio.Event()

        async def read() -> None:
            async with self.http.stream(
                "GET",
                "/chat/events",
                headers={**self.headers, "Last-Event-ID": str(after)},
                timeout=None,
            ) as response:
                assert response.status_code == 200
                opened.set()
                async for line in response.aiter_lines():
                    stream.take(line)

        reading = asyncio.create_task(read())
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await opened.wait()
            yield stream
        finally:
            reading.cancel()
            with suppress(asyncio.CancelledError):
                await reading


@dataclass
class Stream:
    """What has come on an event stream."""

    messages: list[Message] = field(default_factory=list)
    ids: list[int] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, line: str) -> None:
        """Read one line of the stream."""
        name, _, value = line.partition(": ")
        if name == "id":
            self.ids.append(int(value))
        elif name == "data":
            self.messages.append(json.loads(value))
            self._news.set()

    async def until_said(self, words: str, seconds: float = ANSWER_SECONDS) -> Message:
        """Return the first message that holds `words`, once it is there."""
        async with asyncio.timeout(seconds):
            while True:
                for message in self.messages:
                    if words in message["text"]:
                        return message
                self._news.clear()
                await self._news.wait()


def texts(messages: Sequence[Message]) -> str:
    """Return all that `messages` say."""
    return "\n".join(message["text"] for message in messages)


def labels(messages: Sequence[Message]) -> list[str]:
    """Return the buttons under `messages`."""
    return [choice["label"] for message in messages for choice in message["choices"]]
