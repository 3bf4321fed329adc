"""Admins add agents by program, shut them out, and let them in again; others do not."""

from __future__ import annotations

import httpx

from core.domain.actor import Role
from tests.integration.console.api import Api
from tests.integration.console.browser import Browser
from tests.integration.console.world import BASE_URL, Desk


async def audited(admin: httpx.AsyncClient) -> list[str]:
    entries = (await admin.get("/api/v1/audit?action=agent.")).json()["items"]
    return [one["action"] for one in reversed(entries) if one["subject_name"] == "Bea"]


async def test_an_agent_is_added_shut_out_and_let_in_again(desk: Desk, api: Api) -> None:
    admin = await api(Role.ADMIN, "boss@example.org")
    bea = {"email": "Bea@example.org", "name": "Bea", "role": "lead"}
    added = await admin.post("/api/v1/agents", json=bea)
    assert added.status_code == 201, added.text
    assert (added.json()["email"], added.json()["disabled"]) == ("bea@example.org", False)
    assert (await admin.post("/api/v1/agents", json=bea)).status_code == 409
    assert (await admin.post("/api/v1/agents", json=bea | {"email": "bea"})).status_code == 422
    assistant = bea | {"email": "bot@example.org", "role": "assistant"}
    assert (await admin.post("/api/v1/agents", json=assistant)).status_code == 422

    place = "/api/v1/agents/bea@example.org"
    half = await admin.patch(place, json={"role": "agent", "capacity": 5_000})
    assert (half.status_code, (await admin.get(place)).json()["role"]) == (422, "lead")
    link = (await admin.post(f"{place}/sign-in-link")).json()["url"]
    assert link.startswith(f"{BASE_URL}/console/sign-in/")
    browser = Browser(desk.client())
    entered = await browser.client.post(link.removeprefix(BASE_URL))
    assert entered.headers["location"] == "/console/password"

    shut = await admin.post(f"{place}/disable")
    assert (shut.status_code, shut.json()["disabled"]) == (200, True)
    assert (await admin.post(f"{place}/sign-in-link")).status_code == 409
    names = [one["name"] for one in (await admin.get("/api/v1/agents")).json()["items"]]
    everybody = [
        one["name"] for one in (await admin.get("/api/v1/agents?disabled=true")).json()["items"]
    ]
    assert ("Bea" in names, "Bea" in everybody) == (False, True)
    assert (await admin.get(place)).json()["disabled"] is True
    assert (await admin.post(f"{place}/enable")).json()["disabled"] is False
    assert (await admin.post("/api/v1/agents/me/disable")).status_code == 409
    assert await audited(admin) == [
        "agent.added",
        "agent.link_made",
        "agent.disabled",
        "agent.enabled",
    ]


async def test_only_admins_say_who_works_here(desk: Desk, api: Api) -> None:
    await desk.agent("bea@example.org", "Bea")
    for role, who in ((Role.LEAD, "lea@example.org"), (Role.AGENT, "ana@example.org")):
        client = await api(role, who)
        new = {"email": "new@example.org"}
        assert (await client.post("/api/v1/agents", json=new)).status_code == 403
        for act in ("disable", "enable", "sign-in-link"):
            answer = await client.post(f"/api/v1/agents/bea@example.org/{act}")
            assert answer.status_code == 403, act
