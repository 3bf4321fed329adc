"""Agents are changed as a whole or not at all, and never by a page from before."""

from __future__ import annotations

import re

from sqlalchemy import select, update

from core.domain.actor import Role
from core.storage.tables import AgentRow, AuditEntry, RoutingRule
from tests.integration.console.api import Api
from tests.integration.console.browser import Browser, signed_in
from tests.integration.console.world import Desk

ANA = "/api/v1/agents/ana@example.org"


async def _audited(desk: Desk) -> set[str]:
    async with desk.sessions() as session:
        found = await session.scalars(
            select(AuditEntry.action).where(AuditEntry.action.like("agent.%"))
        )
        return set(found) & {"agent.renamed", "agent.role_changed", "agent.abilities_changed"}


async def _form(browser: Browser, page: str) -> dict[str, str]:
    """Return what an agent's page would send."""
    shown = await browser.see(page)
    fields = dict(re.findall(r'<input [^>]*name="(\w+)" [^>]*?value="([^"]*)"', shown))
    role = re.search(r'<option value="(\w+)" selected>', shown)
    return fields | ({"role": role[1]} if role else {})


async def test_of_a_change_that_is_refused_nothing_is_kept(desk: Desk, api: Api) -> None:
    boss = await api(Role.ADMIN, "boss@example.org")
    await desk.agent("ana@example.org", "Ana")
    before = (await boss.get("/api/v1/agents/me")).json()
    own_role = await boss.patch("/api/v1/agents/me", json={"name": "X", "role": "agent"})
    assert own_role.status_code == 409
    assert (await boss.get("/api/v1/agents/me")).json()["name"] == before["name"]
    refused = (
        {"name": "Zoe", "email": "boss@example.org"},
        {"name": "Zoe", "role": "assistant"},
        {"role": "lead", "languages": ["español"]},
        {"name": "Zoe", "skills": ["vpn"], "capacity": 5_000},
    )
    before = (await boss.get(ANA)).json()
    for body in refused:
        answer = await boss.patch(ANA, json=body)
        assert answer.status_code in {409, 422}, body
        assert (await boss.get(ANA)).json() == before, body
    assert await _audited(desk) == set()
    whole = {"name": "Zoe", "email": "zoe@example.org", "role": "lead", "skills": ["vpn"]}
    changed = (await boss.patch(ANA, json=whole)).json()
    assert {key: changed[key] for key in whole} == whole
    assert await _audited(desk) == {
        *("agent.renamed", "agent.role_changed", "agent.abilities_changed")
    }


async def test_a_page_from_before_takes_nothing_back(desk: Desk) -> None:
    boss = await signed_in(desk, "Boss", Role.ADMIN)
    ana = await desk.agent("ana@example.org", "Ana")
    page = f"/console/settings/agents/{ana.id}"
    stale = await _form(boss, page) | {"capacity": "3"}
    assert stale.keys() >= {"version", "name", "email", "role", "capacity", "skills"}
    fresh = stale | {"email": "ana.maria@example.org"}
    assert (await boss.send(page, form=fresh)).status_code == 303
    late = await boss.send(page, form=stale | {"capacity": "7"})
    assert (late.status_code, "This was changed meanwhile" in late.text) == (422, True)
    now = await _form(boss, page)
    assert (now["email"], now["capacity"]) == ("ana.maria@example.org", "3")
    assert 'value="ana.maria@example.org"' in late.text  # what is there now, to begin from
    # A refusal of something else does not make an old page a new one.
    wrong = await boss.send(page, form=stale | {"capacity": "x"})
    assert f'name="version" value="{stale["version"]}"' in wrong.text
    assert (await boss.send(page, form=now | {"capacity": "7"})).status_code == 303
    for version in ("nonsense", "9" * 40):
        assert (await boss.send(page, form=now | {"version": version})).status_code == 422


async def test_languages_of_an_earlier_release_are_in_nobodys_way(desk: Desk, api: Api) -> None:
    boss = await api(Role.ADMIN, "boss@example.org")
    ana = await desk.agent("ana@example.org", "Ana")
    await boss.post("/api/v1/teams", json={"name": "Help"})
    rule = {"name": "Mail", "team": "Help", "conditions": {"languages": ["en"]}}
    made = await boss.post("/api/v1/routing/rules", json=rule)
    assert made.status_code == 201, made.text
    async with desk.sessions.begin() as session:
        await session.execute(
            update(AgentRow).where(AgentRow.id == ana.id).values(languages=["english"])
        )
        row = (await session.scalars(select(RoutingRule))).one()
        row.conditions = row.conditions | {"languages": ["english"]}
    assert (await boss.patch(ANA, json={"capacity": 5})).json()["languages"] == ["english"]
    browser = await signed_in(desk, "Bea", Role.ADMIN)
    page = f"/console/settings/agents/{ana.id}"
    saved = await browser.send(page, form=await _form(browser, page) | {"skills": "vpn"})
    assert saved.status_code == 303, saved.text
    assert (await boss.patch(ANA, json={"languages": ["english", "en"]})).status_code == 422
    place = f"/api/v1/routing/rules/{made.json()['id']}"
    whole = rule | {"name": "Letters", "conditions": {"languages": ["english"]}}
    kept = await boss.put(place, json=whole)
    assert (kept.status_code, kept.json()["name"]) == (200, "Letters"), kept.text
    whole["conditions"] = {"languages": ["english", "en"]}
    assert (await boss.put(place, json=whole)).status_code == 422
