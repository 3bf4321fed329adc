"""Programs keep rules, macros and webhooks, and read what rules did and whom webhooks called."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
from sqlalchemy import select

from core.domain.actor import Role
from core.domain.ids import new_id
from core.storage.tables import AutomationRule, AutomationRun, Ticket, WebhookDelivery
from tests.integration.console.world import Desk
from tests.integration.tickets.test_sorting_pages import Api

RULE: dict[str, Any] = {
    "name": "Fires first",
    "trigger": "opened",
    "every": [{"field": "message", "comparison": "has", "value": "fire"}],
    "actions": [{"kind": "set_priority", "value": "urgent"}],
}


async def made(client: httpx.AsyncClient, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = await client.post(f"/api/v1/{path}", json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


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


async def test_one_rule_is_read_with_its_tag_and_put_at_a_place(desk: Desk, api: Api) -> None:
    lead = await api(Role.LEAD, "lea@example.org")
    names = ["A", "B", "C"]
    rules = [await made(lead, "rules", RULE | {"name": name}) for name in names]
    first, _, last = (f"/api/v1/rules/{rule['id']}" for rule in rules)
    read = await lead.get(first)
    assert read.json() == rules[0]
    assert read.headers["ETag"] == f'"{rules[0]["revision"]}"'
    moved = await lead.post(f"{last}/move", json={"place": 1})
    assert moved.json()["name"] == "C"
    in_order = [one["name"] for one in (await lead.get("/api/v1/rules")).json()]
    assert in_order == ["C", "A", "B"]
    await lead.post(f"{last}/move", json={"place": 99})
    assert (await lead.get("/api/v1/rules")).json()[-1]["name"] == "C"
    assert (await lead.get(first)).headers["ETag"] == read.headers["ETag"]
    assert (await lead.post(f"{last}/move", json={"place": 0})).status_code == 422
    assert (await lead.get(f"/api/v1/rules/{uuid4()}")).status_code == 404
    agent = await api()
    assert (await agent.post(f"{first}/move", json={"place": 1})).status_code == 403


async def test_the_log_of_a_rule_says_why_and_what_was_left_out(desk: Desk, api: Api) -> None:
    await desk.queued("my desk is on fire")
    lead = await api(Role.LEAD, "lea@example.org")
    rule = await made(lead, "rules", RULE)
    async with desk.sessions.begin() as session:
        ticket = (await session.scalars(select(Ticket))).one()
        for number in range(5):
            left_out = {"failure": "this does not fit a ticket that is {status}"}
            values = {"values": {"status": "on_hold"}}
            failure = {"failure": ""} if number else left_out | values
            session.add(
                AutomationRun(
                    rule_id=UUID(rule["id"]),
                    ticket_id=ticket.id,
                    at=datetime.now(UTC),
                    why="opened",
                    did=[{"kind": "add_tag", "value": str(number)} | failure],
                )
            )
            await session.flush()
    runs = await whole(lead, f"rules/{rule['id']}/runs")
    assert [run["did"][0]["value"] for run in runs] == ["4", "3", "2", "1", "0"]
    assert runs[0]["did"][0]["left_out"] is None
    assert runs[-1]["did"][0]["left_out"] == "this does not fit a ticket that is on hold"
    assert (runs[0]["ticket"], runs[0]["why"]) == (ticket.number, "opened")
    assert (await lead.get(f"/api/v1/rules/{uuid4()}/runs")).status_code == 404
    agent = await api()
    assert (await agent.get(f"/api/v1/rules/{rule['id']}/runs")).status_code == 403
    auditor = await api(Role.AUDITOR, "aud@example.org")
    assert len(await whole(auditor, f"rules/{rule['id']}/runs")) == 5


async def test_older_calls_of_a_webhook_are_reached_and_told_with_their_body(
    desk: Desk, api: Api
) -> None:
    admin = await api(Role.ADMIN, "boss@example.org")
    hook = await made(admin, "webhooks", {"name": "Board", "url": "https://board.example/in"})
    place = f"/api/v1/webhooks/{hook['id']}"
    assert (await admin.get(place)).headers["ETag"] == '"1"'
    assert (await admin.get(place)).json()["secret"] is None
    states = ["done", "failed", "done", "failed", "waiting"]
    async with desk.sessions.begin() as session:
        for number, status in enumerate(states):
            session.add(
                WebhookDelivery(
                    id=new_id(),
                    webhook_id=UUID(hook["id"]),
                    event="ticket.opened",
                    payload={"number": number},
                    status=status,
                )
            )
    calls = await whole(admin, f"webhooks/{hook['id']}/calls")
    assert [call["status"] for call in calls] == states[::-1]
    failed = await whole(admin, f"webhooks/{hook['id']}/calls", status="failed")
    assert len(failed) == 2
    one = await admin.get(f"{place}/calls/{failed[0]['id']}")
    assert one.json()["payload"] == {"number": 3}
    assert (await admin.post(f"{place}/calls/{failed[0]['id']}/repeat")).status_code == 202
    assert len(await whole(admin, f"webhooks/{hook['id']}/calls", status="failed")) == 1
    assert (await admin.get(f"{place}/calls/{uuid4()}")).status_code == 404
    assert (await admin.get(f"/api/v1/webhooks/{uuid4()}")).status_code == 404
    assert (await admin.get(f"{place}/calls?cursor=x")).status_code == 422


async def test_a_macro_stays_what_it_is_when_it_is_used(desk: Desk, api: Api) -> None:
    await desk.queued("my printer is broken")
    lead = await api(Role.LEAD, "lea@example.org")
    macro = await made(lead, "macros", {"name": "Hi", "text": "Hi {{ requester.first_name }}"})
    act = {"tickets": ["1001"], "act": "macro", "value": macro["id"]}
    assert (await lead.post("/api/v1/bulk/tickets", json=act)).json()[0]["status"] == 200
    read = await lead.get(f"/api/v1/macros/{macro['id']}")
    assert read.json() == macro | {"used": 1}
    assert read.headers["ETag"] == f'"{macro["revision"]}"'
    assert (await lead.get(f"/api/v1/macros/{uuid4()}")).status_code == 404


async def test_moving_a_rule_makes_no_other_rule_outdated(desk: Desk, api: Api) -> None:
    lead = await api(Role.LEAD, "lea@example.org")
    first, second = [await made(lead, "rules", RULE | {"name": name}) for name in "AB"]
    await lead.post(f"/api/v1/rules/{second['id']}/move", json={"place": 1})
    async with desk.sessions() as session:
        rows = {str(row.id): row for row in await session.scalars(select(AutomationRule))}
    assert rows[first["id"]].revision == first["revision"]
    assert rows[second["id"]].revision > second["revision"]
    assert rows[second["id"]].position < rows[first["id"]].position
