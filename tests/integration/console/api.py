"""What tests of the JSON API share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx

Api = Callable[..., Awaitable[httpx.AsyncClient]]


async def one_ticket(client: httpx.AsyncClient) -> dict[str, Any]:
    (ticket,) = (await client.get("/api/v1/tickets")).json()["items"]
    return dict(ticket)


def assert_problem(response: httpx.Response, status: int) -> None:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    document = response.json()
    assert document["status"] == status
    assert document["title"]
    assert document["detail"]


async def whole(client: httpx.AsyncClient, path: str, **params: str) -> list[dict[str, Any]]:
    """Read a list to its end, two at a time."""
    items: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        answer = await client.get(f"/api/v1/{path}", params={"limit": "2", **params, **cursor})
        assert answer.status_code == 200, answer.text
        assert len(answer.json()["items"]) <= 2
        items += answer.json()["items"]
        if answer.json()["next"] is None:
            return items
        cursor = {"cursor": answer.json()["next"]}
