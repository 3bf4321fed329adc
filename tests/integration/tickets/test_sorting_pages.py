"""Tickets are sorted in the details pane and over the API; leads keep the categories."""

from __future__ import annotations

import re

from core.domain.actor import Role
from tests.integration.console.api import Api
from tests.integration.console.browser import signed_in
from tests.integration.console.world import Desk


async def test_a_lead_makes_categories_and_an_agent_sorts_a_ticket(desk: Desk) -> None:
    await desk.queued("The screen is black")
    lea = await signed_in(desk, "Lea", Role.LEAD, "es")
    assert "Aún no hay categorías." in await lea.see("/console/admin/categories")
    answer = await lea.send(
        "/console/admin/categories", form={"name": "Hardware", "name:es": "Equipos"}
    )
    assert answer.status_code == 303
    shown = await lea.see("/console/admin/categories")
    found = re.search(r'/console/admin/categories/([0-9a-f-]{36})"><strong>Equipos', shown)
    assert found is not None
    place = f"/console/admin/categories/{found[1]}"
    await lea.send(
        f"{place}/fields", label="Model", kind="choice", choices="X1\r\nX2", required="yes"
    )
    field = re.search(r'id="field-([0-9a-f-]{36})"', await lea.see(place))
    assert field is not None
    refused = await lea.send(place, name="Hardware", parent=found[1])
    assert "no puede estar dentro de sí misma" in refused.text

    ana = await signed_in(desk, "Ana", Role.AGENT)
    assert (await ana.client.get(place)).status_code == 403
    ticket = "/console/tickets/1001"
    await ana.see(ticket)
    await ana.send(f"{ticket}/sort", htmx=True, category=found[1])
    kept = await ana.send(f"{ticket}/sort", htmx=True, form={f"field:{field[1]}": "X2"})
    assert '<option value="X2" selected>' in kept.text
    assert "Ana set “Model” to: X2" in kept.text
    wrong = await ana.send(f"{ticket}/sort", htmx=True, form={f"field:{field[1]}": "X3"})
    assert (wrong.status_code, "This is no value for “Model”." in wrong.text) == (422, True)
    tagged = await ana.send(f"{ticket}/tags", htmx=True, add="Screen, dark")
    assert "Ana changed the tags to: screen, dark" in tagged.text
    untagged = await ana.send(f"{ticket}/tags", htmx=True, remove="screen")
    assert "Ana changed the tags to: dark" in untagged.text
    watched = await ana.send(f"{ticket}/watch", htmx=True)
    assert "Ana watches it (Ana)" in watched.text
    assert '<option value="dark">' in await ana.see("/console/tags?add=x,%20da")


async def test_programs_change_what_they_have_read(desk: Desk, api: Api) -> None:
    await desk.queued("The screen is black")
    client = await api(Role.LEAD)
    made = await client.post("/api/v1/categories", json={"name": "Hardware"})
    assert (made.status_code, made.headers["etag"]) == (201, '"1"')
    category = made.json()
    read = await client.get("/api/v1/tickets/1001")
    match = {"If-Match": read.headers["etag"]}
    change = {"category": category["id"], "impact": "high", "urgency": "medium", "tags": ["a"]}
    changed = await client.patch("/api/v1/tickets/1001", json=change, headers=match)
    assert changed.status_code == 200, changed.text
    assert changed.json()["category"]["name"] == "Hardware"
    assert (changed.json()["priority"], changed.json()["priority_is_set"]) == ("high", False)
    again = await client.patch("/api/v1/tickets/1001", json={"kind": "request"}, headers=match)
    assert again.status_code == 412
    match = {"If-Match": changed.headers["etag"]}
    again = await client.patch("/api/v1/tickets/1001", json={"kind": "request"}, headers=match)
    assert again.json()["kind"] == "request"
    assert (await client.get("/api/v1/tickets?tag=a")).json()["items"] == [again.json()]
    stale = {"If-Match": '"7"'}
    place = f"/api/v1/categories/{category['id']}"
    assert (await client.put(place, json={"name": "Hw"}, headers=stale)).status_code == 412
    assert (await client.put(place, json={"name": "Hw"})).json()["revision"] == 2
    wrong = await client.patch("/api/v1/tickets/1001", json={"due_at": "tomorrow"})
    assert wrong.status_code == 422
    matrix = (await client.get("/api/v1/priorities")).json()
    matrix["priorities"]["low"]["low"] = "urgent"
    assert (await client.put("/api/v1/priorities", json=matrix)).json() == matrix
    watchers = await client.post("/api/v1/tickets/1001/watchers", json={"agent": None})
    assert [person["name"] for person in watchers.json()["items"]] == ["ana"]
    assert (await client.delete("/api/v1/tickets/1001/watchers/ana@example.org")).status_code == 204
    assert (await client.get("/api/v1/tickets/1001/watchers")).json()["items"] == []
