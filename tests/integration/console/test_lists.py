"""Every list of the API has one shape and is read part by part."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text

from core.domain.actor import Role
from core.domain.views import Order
from tests.integration.console.api import Api
from tests.integration.console.world import Desk

LISTS = (
    "agents",
    "approval-roles",
    "assistant/intents",
    "calendars",
    "catalogue",
    "categories",
    "incoming-webhooks",
    "knowledge/synonyms",
    "macros",
    "organisations",
    "plans",
    "routing/dry-run",
    "routing/rules",
    "rules",
    "sla-policies",
    "tags",
    "teams",
    "tickets/1001/links",
    "tickets/1001/merges",
    "tickets/1001/watchers",
    "tokens",
    "views",
    "webhooks",
)


async def read(client: httpx.AsyncClient, path: str, **params: str) -> list[Any]:
    """Read a list in parts of two to its end."""
    found: list[Any] = []
    cursor: Mapping[str, str] = {}
    for _ in range(20):
        answer = await client.get(f"/api/v1/{path}", params={**params, "limit": "2", **cursor})
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert 0 < len(page["items"]) <= 2
        found += page["items"]
        if page["next"] is None:
            return found
        cursor = {"cursor": page["next"]}
    raise AssertionError(f"{path} has no end")


async def test_every_list_has_one_shape_and_refuses_a_cursor_it_did_not_give(
    desk: Desk, api: Api
) -> None:
    await desk.queued("the printer is jammed")
    admin = await api(Role.ADMIN)
    for path in LISTS:
        answer = await admin.get(f"/api/v1/{path}", params={"limit": "1"})
        assert answer.status_code == 200, (path, answer.text)
        assert set(answer.json()) == {"items", "next"}, path
        for wrong in ({"cursor": "nonsense"}, {"limit": "0"}, {"limit": "101"}):
            answer = await admin.get(f"/api/v1/{path}", params=wrong)
            assert answer.status_code == 422, (path, wrong)
            assert answer.headers["content-type"] == "application/problem+json"
        if path != "routing/dry-run":  # older than a ticket, by its id: there may be such
            unknown = await admin.get(f"/api/v1/{path}", params={"cursor": str(uuid4())})
            assert unknown.status_code == 422, path


NAMES = ("Beta", "ácido", "Alpha", "beta", "Zeta")


@pytest.mark.parametrize(
    ("path", "more"),
    [
        ("agents", {"role": "agent"}),
        ("macros", {"text": "Hello"}),
        ("organisations", {}),
        ("plans", {}),
        ("teams", {}),
        ("webhooks", {"url": "https://example.org/hook", "events": []}),
    ],
)
async def test_a_list_read_part_by_part_is_the_whole_list(
    api: Api, path: str, more: dict[str, Any]
) -> None:
    admin = await api(Role.ADMIN)
    for number, name in enumerate(NAMES):
        own = {"email": f"p{number}@example.org"} if path == "agents" else {}
        # Names of teams and the like may not differ in case alone.
        made = await admin.post(f"/api/v1/{path}", json={"name": f"{name} {number}", **own, **more})
        assert made.status_code == 201, made.text
    whole = (await admin.get(f"/api/v1/{path}")).json()
    assert whole["next"] is None
    assert len(whole["items"]) >= len(NAMES)
    assert await read(admin, path) == whole["items"]


async def test_what_was_read_may_be_removed_before_one_reads_on(api: Api) -> None:
    admin = await api(Role.ADMIN)
    for name in NAMES:
        await admin.post("/api/v1/macros", json={"name": f"{name} macro", "text": "Hello"})
    cursor: Mapping[str, str] = {}
    removed = 0
    while True:
        page = (await admin.get("/api/v1/macros", params={"limit": "2", **cursor})).json()
        for macro in page["items"]:
            await admin.delete(f"/api/v1/macros/{macro['id']}")
            removed += 1
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert removed == len(NAMES)
    assert (await admin.get("/api/v1/macros")).json() == {"items": [], "next": None}


async def test_tokens_are_read_part_by_part_those_revoked_last(api: Api) -> None:
    admin = await api(Role.ADMIN)
    for number in range(5):
        body = {"name": f"t{number}", "email": "ana@example.org", "scopes": ["read"]}
        made = await admin.post("/api/v1/tokens", json=body)
        assert made.status_code == 201, made.text
        if number % 2:
            (newest, *_) = (await admin.get("/api/v1/tokens")).json()["items"]
            await admin.delete(f"/api/v1/tokens/{newest['id']}")
    whole = (await admin.get("/api/v1/tokens")).json()["items"]
    assert [one["name"] for one in whole][-2:] == ["t3", "t1"]
    parts = await read(admin, "tokens")
    assert [one["id"] for one in parts] == [one["id"] for one in whole]


async def test_tags_are_read_part_by_part(desk: Desk, api: Api) -> None:
    await desk.queued("the printer is jammed")
    client = await api()
    await client.patch("/api/v1/tickets/1001", json={"tags": ["a", "b", "c", "d", "e"]})
    assert await read(client, "tags") == ["a", "b", "c", "d", "e"]


async def test_a_dry_run_of_the_routing_is_read_part_by_part(desk: Desk, api: Api) -> None:
    for number in range(5):
        await desk.queued(f"Number {number}", thread=f"t{number}", who=f"u{number}")
    tried = await read(await api(), "routing/dry-run")
    assert [one["number"] for one in tried] == [1005, 1004, 1003, 1002, 1001]


async def test_a_views_tickets_are_read_part_by_part_in_each_order(desk: Desk, api: Api) -> None:
    client = await api()
    for number in range(7):
        await desk.queued(f"Number {number}", thread=f"t{number}", who=f"u{number}")
    async with desk.sessions.begin() as session:
        # All at one instant, so that ids decide, and some without the dates that are sorted by.
        await session.execute(
            text(
                "UPDATE ticket SET created_at = now(), updated_at = now(), "
                "priority = CASE WHEN number % 2 = 0 THEN 'high' ELSE 'low' END, "
                "sla_due_at = CASE WHEN number % 3 > 0 "
                "THEN now() + number % 3 * interval '1h' END, "
                "due_at = CASE WHEN number % 3 = 1 THEN now() END"
            )
        )
    cursors = {}
    for order in Order:
        for wanted in ({}, {"statuses": ["new", "open"]}):
            body = {"name": f"{order} {len(wanted)}", "order": order, "filter": wanted}
            view = (await client.post("/api/v1/views", json=body)).json()
            path = f"views/{view['id']}/tickets"
            first = (await client.get(f"/api/v1/{path}", params={"limit": "3"})).json()
            cursors[order] = (path, first["next"])
            whole = (await client.get(f"/api/v1/{path}")).json()["items"]
            assert len(whole) == 7
            assert await read(client, path) == whole, order
    path, _ = cursors[Order.DUE]
    _, other = cursors[Order.DUE_DATE]
    for wrong in (
        other,
        "nonsense",
        f"due.{'9' * 16}.none.{uuid4()}",
        f"due.none.none.{uuid4()}",
        f"due.1.{uuid4()}",
    ):
        answer = await client.get(f"/api/v1/{path}", params={"cursor": wrong})
        assert answer.status_code == 422, wrong
    far = f"longest_waiting.{'9' * 16}.none.0.{uuid4()}"
    path, _ = cursors[Order.LONGEST_WAITING]
    assert (await client.get(f"/api/v1/{path}", params={"cursor": far})).status_code == 422
