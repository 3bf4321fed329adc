"""What a program has read it can put back, with a field changed and the others as they were."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from console import api as parts
from core.domain.actor import Role
from tests.integration.console.api import Api
from tests.integration.console.learning import knows_intents
from tests.integration.console.world import Desk

WEEK = ["09:00-17:00"] * 5 + ["", ""]


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What is read and put back: how it is made, and a field to change."""

    change: dict[str, Any]
    make: dict[str, Any] | None = None  # of the address above; None: it is there
    at: str = ""  # where it is, if it is not below that
    only_read: dict[str, Any] = field(default_factory=lambda: {"id": "other"})


KEPT: dict[str, Kept] = {
    "/views/{view}": Kept(make={"name": "Mine"}, change={"name": "Ours"}),
    "/tickets/{ticket}": Kept(
        at="tickets/1001", change={"tags": ["vpn"]}, only_read={"status": "solved"}
    ),
    "/categories/{category}": Kept(
        make={"name": "Hardware", "team": "$team"}, change={"names": {"es": "Equipos"}}
    ),
    "/priorities": Kept(change={}, only_read={}),
    "/catalogue/{item}": Kept(
        make={
            "name": "Laptop",
            "team": "$team",
            "fields": [{"label": "Size", "kind": "choice", "choices": ["S", "L"]}],
            "tasks": [{"title": "Order", "team": "$team"}],
        },
        change={"name": "A laptop"},
        only_read={"archived": True},
    ),
    "/approval-roles/{role}": Kept(
        make={"name": "Heads", "agents": ["$agent"], "emails": ["x@example.org"]},
        change={"name": "Chiefs"},
    ),
    "/assets/{asset}": Kept(
        make={"tag": "L-1", "owner": "ada@example.org"}, change={"notes": "Lent"}
    ),
    "/requesters/{contact}": Kept(
        make={"name": "Bob", "email": "bob@example.org"}, change={"name": "Robert"}
    ),
    "/organisations/{organisation}": Kept(
        make={"name": "Acme", "plan": "Gold"}, change={"notes": "Kind"}
    ),
    "/plans/{plan}": Kept(make={"name": "Silver"}, change={"notes": "Kind"}),
    "/calendars/{calendar}": Kept(
        make={
            "name": "Office",
            "zone": "Europe/Madrid",
            "week": WEEK,
            "own_days": [{"day": "2026-12-24", "hours": "09:00-12:00", "name": "Eve"}],
        },
        change={"name": "Offices"},
    ),
    "/sla-policies/{policy}": Kept(
        make={"name": "Usual", "targets": {"first_response": 30}, "conditions": {}},
        change={"name": "Standard"},
        only_read={"position": 7},
    ),
    "/closing-rule": Kept(change={"solve_after_days": 9}, only_read={}),
    "/messages/{message}": Kept(
        at="messages/$message", change={"text": "Hello again"}, only_read={"quoted": "other"}
    ),
    "/knowledge/articles/{article}": Kept(
        make={"id": "vpn", "language": "en", "title": "VPN", "body": "Use it."},
        change={"title": "A VPN"},
    ),
    "/assistant/examples/{example}": Kept(
        make={"text": "where is the printer", "language": "en", "intent": "thanks"},
        change={"state": "approved"},
        only_read={"text": "other"},
    ),
    "/assistant/tolerance": Kept(change={"wrong_per_hundred": 7}, only_read={"installed": 99}),
    "/survey-rules": Kept(change={"low_score": 3}, only_read={}),
    "/notices/wishes": Kept(change={"mail": "never"}, only_read={}),
    "/teams/{team}": Kept(
        make={"name": "Night", "escalates_to": "$team"},
        change={"description": "At night"},
        only_read={"archived": True},
    ),
    "/agents/{agent}": Kept(at="agents/me", change={"name": "Ann"}, only_read={"disabled": True}),
    "/routing/policy": Kept(change={"offer_again_minutes": 7}, only_read={}),
    "/incoming-webhooks/{hook}": Kept(make={"name": "Alerts"}, change={"name": "Alarms"}),
    "/rules/{rule}": Kept(
        make={
            "name": "Late",
            "trigger": "opened",
            "every": [{"field": "priority", "comparison": "is", "value": "high"}],
            "actions": [{"kind": "add_tag", "value": "late"}],
        },
        change={"name": "Later"},
    ),
    "/macros/{macro}": Kept(make={"name": "Hello", "text": "Hello"}, change={"name": "Hi"}),
    "/webhooks/{webhook}": Kept(
        make={"name": "Board", "url": "https://board.example/hook"}, change={"name": "Boards"}
    ),
}
"""Every address with a GET and a PUT or PATCH."""


def changed_and_read() -> dict[str, str]:
    """Return the methods that change what a GET of the same address answers, by address."""
    routes = [route for part in parts._PARTS for route in part.router.routes]
    read = {route.path_format for route in routes if "GET" in route.methods}
    return {
        route.path_format: method
        for route in routes
        for method in route.methods & {"PUT", "PATCH"}
        if route.path_format in read
    }


def test_the_table_has_all_that_is_read_and_changed() -> None:
    assert set(KEPT) == set(changed_and_read())


def filled(value: Any, names: dict[str, str]) -> Any:
    """Return `value` with what stands behind each name that begins with a dollar sign."""
    match value:
        case dict():
            return {key: filled(one, names) for key, one in value.items()}
        case list():
            return [filled(one, names) for one in value]
        case str() if value.startswith("$"):
            return names[value[1:]]
    return value


@pytest.mark.parametrize("address", KEPT)
async def test_what_was_read_is_put_back_with_a_field_changed(
    desk: Desk, api: Api, address: str
) -> None:
    kept, method = KEPT[address], changed_and_read()[address]
    client = await api(Role.ADMIN, "boss@example.org")
    await desk.queued(who="ada")
    await knows_intents(desk)
    await client.post("/api/v1/plans", json={"name": "Gold"})
    team = await client.post("/api/v1/teams", json={"name": "Help"})
    names = {
        "team": team.json()["id"],
        "agent": (await client.get("/api/v1/agents/me")).json()["id"],
    }
    if "$message" in kept.at:
        note = await client.post("/api/v1/tickets/1001/notes", json={"text": "Hello"})
        names["message"] = note.json()["id"]
    place = kept.at.replace("$message", names.get("message", "")) or address[1:]
    if kept.make is not None:
        above = address.rpartition("/")[0][1:]
        made = await client.post(f"/api/v1/{above}", json=filled(kept.make, names))
        assert made.status_code == 201, made.text
        place = f"{above}/{made.json()['id']}"
    place = f"/api/v1/{place}"
    read = await client.get(place)
    assert read.status_code == 200, read.text
    tag = {"If-Match": read.headers["ETag"]} if "ETag" in read.headers else {}
    same = await client.request(method, place, json=read.json(), headers=tag)
    assert same.status_code == 200, same.text
    present = (await client.get(place)).json()
    done = await client.request(method, place, json=present | kept.change)
    assert done.status_code == 200, done.text
    after = (await client.get(place)).json()
    moved = {"revision", "reviewed_by", "updated_at", "edited_at", "revisions", "set", *kept.change}
    assert {k: v for k, v in after.items() if k not in moved} == {
        k: v for k, v in present.items() if k not in moved
    }
    assert kept.change.items() <= after.items()
    if kept.only_read:
        refused = await client.request(method, place, json=after | kept.only_read)
        assert refused.status_code == 422
        assert [next(iter(kept.only_read))] == [
            one["field"].rpartition(".")[2] for one in refused.json()["errors"]
        ], refused.text
    unknown = await client.request(method, place, json=after | {"colour": "red"})
    assert unknown.status_code == 422


async def test_what_was_changed_since_it_was_read_is_not_put_back(api: Api) -> None:
    client = await api(Role.ADMIN, "boss@example.org")
    body = {"name": "Usual", "targets": {"first_response": 30}}
    made = await client.post("/api/v1/sla-policies", json=body)
    place = f"/api/v1/sla-policies/{made.json()['id']}"
    old = await client.get(place)
    assert (await client.put(place, json=body | {"name": "Standard"})).status_code == 200
    for headers in ({}, {"If-Match": old.headers["ETag"]}):
        again = await client.put(place, json=old.json(), headers=headers)
        assert again.status_code == 412, again.text
    assert (await client.get(place)).json()["name"] == "Standard"


async def test_who_may_only_read_puts_nothing_back(api: Api) -> None:
    admin = await api(Role.ADMIN, "boss@example.org")
    made = await admin.post("/api/v1/plans", json={"name": "Gold"})
    agent = await api(Role.AGENT, "bea@example.org")
    place = f"/api/v1/plans/{made.json()['id']}"
    read = (await agent.get(place)).json()
    assert (await agent.put(place, json=read)).status_code == 403
