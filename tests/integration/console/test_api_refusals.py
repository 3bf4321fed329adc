"""What the JSON API refuses: callers without a right, bad bodies, odd addresses."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.domain.actor import Role
from tests.integration.console.api import Api, assert_problem
from tests.integration.console.world import BOT_TOKEN, Desk


async def test_nobody_comes_in_without_a_valid_token(desk: Desk) -> None:
    await desk.queued()
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic eDp5"}):
        async with desk.client(**headers) as client:
            response = await client.get("/api/v1/tickets")
            assert_problem(response, 401)
            assert response.headers["www-authenticate"].startswith("Bearer")


async def test_the_assistant_may_search_and_nothing_else(desk: Desk) -> None:
    async with desk.client(Authorization=f"Bearer {BOT_TOKEN}") as client:
        found = await client.get("/api/v1/knowledge/search", params={"q": "hello"})
        assert found.status_code == 200
        assert found.json() == []
        assert_problem(await client.get("/api/v1/tickets"), 403)
        assert_problem(await client.get("/api/v1/knowledge/articles"), 403)
        assert_problem(await client.delete("/api/v1/knowledge/articles/x"), 403)


async def test_a_disabled_agents_token_is_worth_nothing(desk: Desk, api: Api) -> None:
    ana = await desk.agent()
    boss = await desk.agent("boss@example.org", "Boss", Role.ADMIN)
    client = await api()
    assert (await client.get("/api/v1/tickets")).status_code == 200
    await desk.access.set_disabled(ana.id, disabled=True, by=boss)
    assert_problem(await client.get("/api/v1/tickets"), 401)


BAD_BODIES: list[tuple[str, bytes, int]] = [
    ("replies", b"{", 400),
    ("replies", b"\xff\xfe", 400),
    ("replies", b"[]", 422),
    ("replies", b"null", 422),
    ("replies", b"", 422),
    ("replies", b'{"text": ""}', 422),
    ("replies", b'{"text": "   "}', 422),
    ("replies", b'{"text": 1}', 422),
    ("replies", b'{"text": "x", "more": 1}', 422),
    ("replies", b'{"text": "a\\u0000b"}', 422),
    ("replies", b'{"text": "\\ud800"}', 422),
    ("replies", json.dumps({"text": "x" * 20_001}).encode(), 422),
    ("replies", b'{"text": "' + b"x" * (1 << 20) + b'"}', 413),
    ("replies", b"[" * 100_000, 400),
    ("notes", b'{"text": null}', 422),
    ("status", b'{"status": "new"}', 422),
    ("status", b'{"status": "gone"}', 422),
    ("status", b'{"status": 1e999}', 422),
    ("assign", b"{}", 422),
    ("assign", b'{"agent": "\\u0000"}', 422),
    ("assign", b'{"agent": 7}', 422),
    ("take", b'{"x": 1}', 422),
    ("take", b"[1]", 422),
]


async def test_a_bad_body_is_a_problem(desk: Desk, api: Api, subtests: pytest.Subtests) -> None:
    await desk.queued()
    client = await api()
    for action, body, status in BAD_BODIES:
        with subtests.test(action=action, body=body[:50]):
            response = await client.post(
                f"/api/v1/tickets/1001/{action}",
                content=body,
                headers={"Content-Type": "application/json"},
            )
            assert_problem(response, status)


ODD_PATHS: list[tuple[str, int]] = [
    ("/api/v1/tickets?limit=0", 422),
    ("/api/v1/tickets?limit=" + "9" * 5000, 422),
    ("/api/v1/tickets?limit=x", 422),
    ("/api/v1/tickets?cursor=x", 422),
    ("/api/v1/tickets?status=x", 422),
    ("/api/v1/tickets?q=%00", 422),
    ("/api/v1/tickets?q=%ff", 200),
    ("/api/v1/tickets?q=" + "9" * 400, 200),
    ("/api/v1/tickets?q=" + "a%20" * 3000, 200),
    ("/api/v1/tickets?assignee=%00", 422),
    ("/api/v1/tickets/x", 404),
    ("/api/v1/tickets/%00", 422),
    ("/api/v1/tickets/" + "9" * 99, 404),
    ("/api/v1/tickets/00000000-0000-0000-0000-000000000000", 404),
    ("/api/v1/conversations/x/messages", 422),
    ("/api/v1/conversations/00000000-0000-0000-0000-000000000000/messages", 404),
    ("/api/v1/knowledge/search", 422),
    ("/api/v1/knowledge/search?q=", 200),
    ("/api/v1/knowledge/search?q=%00", 422),
    ("/api/v1/knowledge/search?q=x&lang=%00", 422),
    ("/api/v1/knowledge/search?q=x&limit=-1", 422),
    ("/api/v1/knowledge/articles?cursor=x", 422),
    ("/api/v1/knowledge/articles?q=%25", 200),
    ("/api/v1/knowledge/articles/%00", 422),
    ("/api/v1/nothing", 404),
]


async def test_odd_requests_get_the_right_answer(
    desk: Desk, api: Api, subtests: pytest.Subtests
) -> None:
    client = await api()
    for path, status in ODD_PATHS:
        with subtests.test(path=path[:100]):
            response = await client.get(path)
            if status == 200:
                assert response.status_code == 200
            else:
                assert_problem(response, status)


async def test_a_method_that_is_not_there_is_a_problem(desk: Desk, api: Api) -> None:
    client = await api()
    assert_problem(await client.patch("/api/v1/tickets"), 405)


async def test_a_body_that_hides_its_length_is_refused_too(desk: Desk, api: Api) -> None:
    client = await api()

    async def chunks() -> Any:
        for _ in range(40):
            yield b" " * 65_536

    response = await client.post("/api/v1/tickets/1001/notes", content=chunks())
    assert_problem(response, 413)
