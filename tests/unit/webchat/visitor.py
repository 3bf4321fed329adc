"""A person who writes in the chat, request by request."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx

from core.domain.ids import ThreadKey


class Visitor:
    """A person with a session of their own."""

    def __init__(self, http: httpx.AsyncClient, session: str, token: str) -> None:
        self.http = http
        self.session = session
        self.thread = ThreadKey(session)
        self.headers = {"Authorization": f"Bearer {token}"}

    async def send(self, text: Any, client_id: str | None = None) -> httpx.Response:
        body = {"id": client_id or str(uuid4()), "text": text}
        return await self.http.post("/chat/messages", json=body, headers=self.headers)

    async def press(self, choice: object, client_id: str | None = None) -> httpx.Response:
        body = {"id": client_id or str(uuid4()), "choice": str(choice)}
        return await self.http.post("/chat/choices", json=body, headers=self.headers)

    async def messages(self, after: object = 0) -> list[dict[str, Any]]:
        response = await self.http.get(
            "/chat/messages", params={"after": str(after)}, headers=self.headers
        )
        assert response.status_code == 200
        messages: list[dict[str, Any]] = response.json()["messages"]
        return messages


async def visit(http: httpx.AsyncClient) -> Visitor:
    response = await http.post("/chat/sessions")
    assert response.status_code == 201
    return Visitor(http, **response.json())
