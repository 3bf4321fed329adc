"""The catalogue over the API: kept by leads, asked for and decided on by agents."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from core.domain.actor import Role
from core.domain.assistant import Say
from tests.integration.console.api import Api
from tests.integration.console.world import BOT_TOKEN, Desk

LAPTOP = {
    "name": "New laptop",
    "names": {"es": "Portátil nuevo"},
    "words": {"en": "notebook"},
    "fields": [
        {"label": "Model", "kind": "choice", "choices": ["Light", "Powerful"], "required": True}
    ],
    "tasks": [{"title": "Order it"}],
}


@pytest.fixture
async def lead(api: Api) -> httpx.AsyncClient:
    return await api(Role.LEAD, "lea@example.org")


@pytest.fixture
async def agent(api: Api) -> httpx.AsyncClient:
    return await api(Role.AGENT, "ana@example.org")


async def added(lead: httpx.AsyncClient, **more: Any) -> dict[str, Any]:
    answer = await lead.post("/api/v1/catalogue", json={**LAPTOP, **more})
    assert (answer.status_code, answer.headers["etag"]) == (201, '"1"'), answer.text
    item: dict[str, Any] = answer.json()
    return item


async def test_an_item_is_changed_by_whoever_has_read_it(lead: httpx.AsyncClient) -> None:
    item = await added(lead)
    place, match = f"/api/v1/catalogue/{item['id']}", {"If-Match": '"1"'}
    field = item["fields"][0]
    body = {
        **LAPTOP,
        "fields": [
            {"label": "Why", "kind": "text"},
            {"id": field["id"], "label": "Kind", "choices": ["Light"], "kind": "text"},
        ],
    }
    changed = await lead.put(place, json=body, headers=match)
    assert changed.status_code == 200, changed.text
    why, kind = changed.json()["fields"]
    assert (why["label"], kind["id"], kind["kind"]) == ("Why", field["id"], "choice")
    assert (await lead.put(place, json=body, headers=match)).status_code == 412
    same = await lead.post("/api/v1/catalogue", json={**LAPTOP, "name": "NEW laptop"})
    assert same.status_code == 409
    assert (await lead.delete(place)).status_code == 204
    assert (await lead.get("/api/v1/catalogue")).json()["items"] == []
    assert (await lead.post(f"{place}/restore")).json()["archived"] is False


CANNOT_BE: list[dict[str, Any]] = [
    {"name": " "},
    {"names": {"xx": "Hm"}},
    {"fields": [{"label": "Model", "kind": "choice"}]},
    {"fields": [{"label": "Model", "kind": "choice", "choices": ["A", "B"],
                 "choice_labels": {"es": ["Uno"]}}]},
    {"fields": [{"id": "0197d3f0-0000-7000-8000-000000000000", "label": "Model"}]},
    {"tasks": [{"title": "x", "team": "0197d3f0-0000-7000-8000-000000000000"}]},
    {"category": "0197d3f0-0000-7000-8000-000000000000"},
    {"approval_role": "0197d3f0-0000-7000-8000-000000000000"},
    {"answers": {"done": {"en": "{{ ''.__class__ }}"}}},
    {"answers": {"never": {"en": "x"}}},
    {"icon": "abcdefghijk"},
    {"surprise": 1},
]  # fmt: skip


async def test_an_item_that_cannot_be_is_refused(
    lead: httpx.AsyncClient, subtests: pytest.Subtests
) -> None:
    for wrong in CANNOT_BE:
        with subtests.test(wrong=wrong):
            answer = await lead.post("/api/v1/catalogue", json={**LAPTOP, **wrong})
            assert answer.status_code == 422, answer.text
            assert (await lead.get("/api/v1/catalogue")).json()["items"] == []


async def test_a_request_is_asked_for_approved_and_done(
    desk: Desk, lead: httpx.AsyncClient, agent: httpx.AsyncClient
) -> None:
    ana = (await agent.get("/api/v1/agents/ana@example.org")).json()["id"]
    role = await lead.post("/api/v1/approval-roles", json={"name": "IT lead", "agents": [ana]})
    assert role.status_code == 201, role.text
    item = await added(lead, approval_role=role.json()["id"])
    await desk.queued("Could I get a laptop?")
    model = item["fields"][0]["id"]
    place = "/api/v1/tickets/1001"
    lacking = await agent.post(f"{place}/request", json={"item": item["id"], "values": {}})
    assert (lacking.status_code, "Model" in lacking.json()["detail"]) == (422, True)
    asked = await agent.post(
        f"{place}/request", json={"item": item["id"], "values": {model: "Light"}}
    )
    assert (asked.status_code, asked.json()["stage"]) == (201, "approval"), asked.text
    assert [one["email"] for one in asked.json()["asked"]] == ["ana@example.org"]
    mine = (await agent.get("/api/v1/approvals")).json()
    assert [one["ticket"] for one in mine["approvals"]] == [1001]
    assert (await lead.post(f"{place}/approval", json={"decision": "approve"})).status_code == 403
    approved = await agent.post(f"{place}/approval", json={"decision": "approve"})
    assert (approved.json()["stage"], approved.json()["decided_by"]) == ("work", "ana")
    again = await agent.post(f"{place}/approval", json={"decision": "reject"})
    assert again.status_code == 409
    task = approved.json()["tasks"][0]["id"]
    done = await lead.post(f"{place}/tasks/{task}/done")
    assert done.json()["stage"] == "done"
    assert (await agent.get(place)).json()["status"] == "solved"
    removed = await lead.delete(f"/api/v1/approval-roles/{role.json()['id']}")
    assert removed.status_code == 409


async def test_a_request_in_a_requesters_name_needs_a_conversation_to_tell_them_in(
    desk: Desk, lead: httpx.AsyncClient, agent: httpx.AsyncClient
) -> None:
    item = await added(lead)
    conversation = await desk.says("hello")
    await desk.answers(conversation, Say(text="Hello."))
    requester = (await agent.get("/api/v1/requesters")).json()["items"][0]["id"]
    values = {item["fields"][0]["id"]: "Light"}
    place = f"/api/v1/catalogue/{item['id']}/requests"
    asked = await agent.post(place, json={"requester": requester, "values": values})
    assert (asked.status_code, asked.json()["kind"]) == (201, "request"), asked.text
    again = await agent.post(place, json={"requester": requester, "values": values})
    assert again.status_code == 409
    nobody = {"requester": item["id"], "values": values}
    assert (await agent.post(place, json=nobody)).status_code == 404


async def test_only_leads_keep_the_catalogue_and_the_assistant_reads_it(
    desk: Desk, lead: httpx.AsyncClient, agent: httpx.AsyncClient
) -> None:
    await added(lead)
    assert (await agent.post("/api/v1/catalogue", json=LAPTOP)).status_code == 403
    assert (await agent.post("/api/v1/approval-roles", json={"name": "x"})).status_code == 403
    async with desk.client(Authorization=f"Bearer {BOT_TOKEN}") as bot:
        found = await bot.get("/api/v1/catalogue", params={"q": "necesito un portátil nuevo"})
        (item,) = found.json()["items"]
        assert item["name"] == "New laptop"
        # What `bot/actions/knowledge.py` reads of it.
        assert {"id", "name", "names", "archived", "fields"} <= set(item)
        asked = {"id", "kind", "label", "labels", "choices", "choice_labels", "required"}
        assert asked <= set(item["fields"][0])
        assert (await bot.get(f"/api/v1/catalogue/{item['id']}")).json() == item
        assert (await bot.get("/api/v1/approval-roles")).status_code == 403


@pytest.mark.parametrize(
    ("people", "status"),
    [
        ({}, 422),
        ({"emails": ["not an address"]}, 422),
        ({"emails": ["Ada@Example.org ", "ada@example.org"]}, 201),
        ({"agents": ["0197d3f0-0000-7000-8000-000000000000"]}, 422),
    ],
)
async def test_a_role_has_people_who_can_be_reached(
    lead: httpx.AsyncClient, people: dict[str, Any], status: int
) -> None:
    answer = await lead.post("/api/v1/approval-roles", json={"name": "Managers", **people})
    assert answer.status_code == status, answer.text
    if status == 201:
        assert answer.json()["emails"] == ["ada@example.org"]
