"""An agent at the JSON API."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

Document = Mapping[str, Any]


@dataclass
class Staff:
    """Somebody with a bearer token."""

    http: httpx.AsyncClient
    email: str
    token: str

    async def request(self, method: str, path: str, **content: Any) -> httpx.Response:
        return await self.http.request(
            method,
            f"/api/v1{path}",
            headers={
                "Authorization": f"Bearer {self.token}",
                "Content-Type": "application/json",
            },
            **content,
        )

    async def do(self, ticket: int, command: str, **body: str) -> Document:
        """Do `command` to a ticket and return the answer."""
        response = await self.request("POST", f"/tickets/{ticket}/{command}", json=body)
        assert response.is_success, response.text
        found: Document = response.json()
        return found

    async def get(self, path: str, **params: str) -> Any:
        response = await self.request("GET", path, params=params)
        assert response.status_code == 200, response.text
        return response.json()

    async def ticket(self, number: int) -> Document:
        found: Document = await self.get(f"/tickets/{number}")
        return found


def number_told(messages: Sequence[Mapping[str, Any]]) -> int:
    """Return the ticket number that `messages` tell the requester."""
    told = [
        match
        for message in messages
        if message["from"] == "system" and (match := re.search(r"#(\d+)", message["text"]))
    ]
    assert told, f"no ticket number in {[message['text'] for message in messages]}"
    return int(told[-1][1])
