"""What was read is changed under its entity tag: 412 where somebody else changed it meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from console import api as parts
from console.api.preconditions import _revision
from core.domain.actor import Role
from tests.integration.console.api import Api
from tests.integration.console.world import Desk

WITHOUT = {
    "PUT /api/v1/agents/{agent}/presence": "says what is, and replaces nothing that was read",
    "PUT /api/v1/teams/{team}/members/{agent}": "names all there is of one place in a team",
    "PATCH /api/v1/agents/{agent}": "sets what it names alone",
    "PUT /api/v1/sla-policies/order": "refused where it does not name all policies",
}
"""Updates that no entity tag guards, and why."""


def updates() -> Iterator[tuple[str, APIRoute]]:
    for part in parts._PARTS:
        for route in part.router.routes:
            assert isinstance(route, APIRoute)
            for method in (route.methods or set()) & {"PUT", "PATCH"}:
                yield f"{method} /api/v1{route.path_format}", route


def depends_on_if_match(dependant: Dependant) -> bool:
    return any(one.call is _revision or depends_on_if_match(one) for one in dependant.dependencies)


def test_every_update_takes_if_match_or_says_why_not() -> None:
    found = dict(updates())
    assert len(found) > 20
    lacking = {line for line, route in found.items() if not depends_on_if_match(route.dependant)}
    assert lacking == set(WITHOUT)


RULE = {"name": "Late", "trigger": "opened", "actions": [{"kind": "add_tag", "value": "late"}]}
ROUTING = {"name": "Mail", "team": "Help"}
POLICY = {"default_team": None, "offer_again_minutes": 5, "own_tickets_only": False}

CHANGED: dict[str, tuple[str, dict[str, Any]]] = {
    "teams": ("teams", {"name": "Help"}),
    "routing rules": ("routing/rules", ROUTING),
    "rules": ("rules", RULE),
    "macros": ("macros", {"name": "Hello", "text": "Hello"}),
    "synonyms": ("knowledge/synonyms", {"terms": ["laptop", "notebook"]}),
    "webhooks": ("webhooks", {"name": "Board", "url": "https://board.example/hook"}),
}
"""Where what is made and then changed, and its body."""


@pytest.mark.parametrize("what", CHANGED)
async def test_a_change_under_an_old_tag_is_refused(desk: Desk, api: Api, what: str) -> None:
    client = await api(Role.ADMIN, "boss@example.org")
    await client.post("/api/v1/teams", json={"name": "Help"})
    path, body = CHANGED[what]
    if what == "teams":
        body = {**body, "name": "Night"}
    made = await client.post(f"/api/v1/{path}", json=body)
    assert made.status_code == 201, made.text
    place = f"/api/v1/{path}/{made.json()['id']}"
    await refuses_the_second(client, place, body, made.json()["revision"])


async def test_what_holds_for_all_teams_has_a_tag_too(desk: Desk, api: Api) -> None:
    client = await api(Role.ADMIN, "boss@example.org")
    read = await client.get("/api/v1/routing/policy")
    seen = int(read.headers["ETag"].strip('"'))
    await refuses_the_second(client, "/api/v1/routing/policy", POLICY, seen)


async def test_an_article_and_the_matrix_are_guarded_by_what_they_say(desk: Desk, api: Api) -> None:
    client = await api(Role.ADMIN, "boss@example.org")
    article = {"language": "en", "title": "VPN", "body": "Use it."}
    made = await client.post("/api/v1/knowledge/articles", json={"id": "vpn", **article})
    assert made.status_code == 201, made.text
    place = "/api/v1/knowledge/articles/vpn"
    seen = int((await client.get(place)).headers["ETag"].strip('"'))
    await refuses_the_second(client, place, article, seen)
    read = await client.get("/api/v1/priorities")
    matrix = read.json()
    seen = int(read.headers["ETag"].strip('"'))
    matrix["priorities"]["high"]["high"] = "low"
    await refuses_the_second(client, "/api/v1/priorities", matrix, seen)


ACTS: dict[str, dict[str, Any]] = {
    "status": {"status": "pending"},
    "assign": {"agent": "boss@example.org"},
    "escalate": {"to": "Help", "reason": "needs a router"},
    "replies": {"text": "Hello"},
}
"""What is done with a ticket only as long as nobody changed it, if its caller wants it so."""


@pytest.mark.parametrize("act", ACTS)
async def test_an_act_on_what_is_not_the_present_state_is_refused_and_told_that(
    desk: Desk, api: Api, act: str
) -> None:
    client = await api(Role.ADMIN, "boss@example.org")
    await client.post("/api/v1/teams", json={"name": "Help"})
    await desk.queued("the VPN is down")
    ticket = "/api/v1/tickets/1001"
    old = {"If-Match": (await client.get(ticket)).headers["ETag"]}
    await desk.says("and the printer too")
    place = f"{ticket}/{act}"
    refused = await client.post(place, json=ACTS[act], headers=old)
    assert refused.status_code == 412, refused.text
    assert refused.headers["content-type"] == "application/problem+json"
    now = await client.get(ticket)
    assert refused.json()["present"] == now.json()
    present = {"If-Match": now.headers["ETag"]}
    done = await client.post(place, json=ACTS[act], headers=present)
    assert done.status_code < 300, done.text
    if act != "replies":
        assert done.headers["ETag"] == (await client.get(ticket)).headers["ETag"]
    assert (await client.post(place, json=ACTS[act], headers=present)).status_code == 412


def another(body: dict[str, Any]) -> dict[str, Any]:
    """Return `body` with something else in it."""
    if "priorities" in body:
        return {
            "priorities": {**body["priorities"], "low": dict.fromkeys(body["priorities"], "urgent")}
        }
    new: dict[str, Any] = {"name": "Other", "title": "Other", "terms": ["a1", "b2"]}
    new["offer_again_minutes"] = 7
    return {**body, **{name: value for name, value in new.items() if name in body}}


async def refuses_the_second(
    client: httpx.AsyncClient, place: str, body: dict[str, Any], seen: int
) -> None:
    """Two who have read the same change it: the first may, the second has to read it again."""
    tag = {"If-Match": f'"{seen}"'}
    first = await client.put(place, json=another(body), headers=tag)
    assert first.status_code == 200, first.text
    second = await client.put(place, json=body, headers=tag)
    assert (second.status_code, second.json()["title"]) == (412, "Precondition Failed")
    assert (await client.put(place, json=body)).status_code == 200
    wrong = await client.put(place, json=body, headers={"If-Match": "no tag"})
    assert wrong.status_code == 422
