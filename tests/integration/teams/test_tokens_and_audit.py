"""Tokens have scopes and an end; the audit log is read and exported by those who may."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

from core.domain.actor import Role
from core.services.teams.teams import TeamShape
from tests.integration.console.api import Api
from tests.integration.console.browser import PASSWORD, Browser
from tests.integration.console.world import Desk


async def test_a_token_does_what_its_scopes_say_until_it_ends(desk: Desk, api: Api) -> None:
    boss = await api(Role.ADMIN, "boss@example.org")
    await desk.queued()
    asked = {"email": "bot@example.org", "role": "admin", "name": "Reports", "scopes": ["read"]}
    issued = await boss.post("/api/v1/tokens", json={**asked, "days": 7})
    assert issued.status_code == 201, issued.text
    mistakes: list[dict[str, object]] = [{"scopes": []}, {"days": 0}, {"scopes": ["all"]}]
    for wrong in mistakes:
        assert (await boss.post("/api/v1/tokens", json=asked | wrong)).status_code == 422
    reader = desk.client(Authorization=f"Bearer {issued.json()['token']}")
    (ticket,) = (await reader.get("/api/v1/tickets")).json()["items"]
    article = {"title": "A", "body": "b"}
    for path, body in (
        (f"/api/v1/tickets/{ticket['number']}/take", {}),
        ("/api/v1/knowledge/articles", article),
        ("/api/v1/teams", {"name": "Help"}),
        ("/api/v1/tokens", asked),
    ):
        refused = await reader.post(path, json=body)
        assert (refused.status_code, "lacks the scope" in refused.json()["detail"]) == (403, True)
    writer = await boss.post("/api/v1/tokens", json=asked | {"scopes": ["knowledge"]})
    editor = desk.client(Authorization=f"Bearer {writer.json()['token']}")
    assert (await editor.post("/api/v1/knowledge/articles", json=article)).status_code == 201
    assert (await editor.get("/api/v1/tickets")).status_code == 403
    listed = {
        token["scopes"][0]: token for token in (await boss.get("/api/v1/tokens")).json()["items"]
    }
    gone = await boss.delete(f"/api/v1/tokens/{listed['knowledge']['id']}")
    assert gone.status_code == 204
    assert (await editor.post("/api/v1/knowledge/articles", json=article)).status_code == 401
    desk.clock.advance(timedelta(days=8))
    late = await reader.get("/api/v1/tickets")
    assert (late.status_code, late.json()["detail"]) == (401, "this token has expired")


async def test_a_lesser_role_lessens_the_tokens_of_an_agent(desk: Desk, api: Api) -> None:
    boss, lead = await api(Role.ADMIN, "boss@example.org"), await api(Role.LEAD, "lea@example.org")
    assert (await lead.post("/api/v1/teams", json={"name": "Help"})).status_code == 201
    await boss.patch("/api/v1/agents/lea@example.org", json={"role": "agent"})
    assert (await lead.post("/api/v1/teams", json={"name": "More"})).status_code == 403


async def test_a_greater_role_leaves_the_tokens_of_an_agent_as_they_are(
    desk: Desk, api: Api
) -> None:
    boss, ana = await api(Role.ADMIN, "boss@example.org"), await api(Role.AGENT)
    promoted = await boss.patch("/api/v1/agents/ana@example.org", json={"role": "admin"})
    assert promoted.json()["role"] == "admin"
    assert (await ana.get("/api/v1/tickets")).status_code == 200
    assert (await ana.get("/api/v1/tokens")).status_code == 403


async def test_the_audit_log_is_read_by_cursor_and_exported_without_formulas(
    desk: Desk, api: Api
) -> None:
    boss, auditor = await api(Role.ADMIN, "boss@example.org"), await api(Role.AUDITOR, "a@x.org")
    agent = await api(Role.AGENT, "ana@example.org")
    who = await desk.access.bearer(boss.headers["authorization"].removeprefix("Bearer "))
    assert who.agent is not None
    await desk.staffing.teams.create(TeamShape(name="=cmd()"), who.agent)
    first = (await auditor.get("/api/v1/audit", params={"limit": 1})).json()
    assert [entry["action"] for entry in first["items"]] == ["team.created"]
    second = (await auditor.get("/api/v1/audit", params={"cursor": first["next"]})).json()
    assert second["items"][0]["action"] == "token.created"
    found = (await auditor.get("/api/v1/audit", params={"q": "team.created"})).json()
    assert len(found["items"]) == 1
    exported = await auditor.get("/api/v1/audit/export.csv")
    rows = list(csv.DictReader(io.StringIO(exported.content.decode("utf-8-sig"))))
    assert rows[0]["subject"] == "'=cmd()"
    newest = (await auditor.get("/api/v1/audit", params={"limit": 1})).json()["items"][0]
    assert (newest["action"], newest["actor_name"]) == ("audit.exported", "a")
    assert (await agent.get("/api/v1/audit")).status_code == 403
    refused = (await auditor.get("/api/v1/audit", params={"limit": 1})).json()["items"][0]
    assert (refused["action"], refused["actor_name"]) == ("request.refused", "ana")


async def test_the_pages_issue_and_revoke_a_token_and_save_the_audit_log(desk: Desk) -> None:
    boss = await desk.agent("boss@example.org", "Boss", Role.ADMIN)
    await desk.access.passwords.set(boss.id, PASSWORD)
    browser = await Browser.signed_in(desk, "boss@example.org")
    await browser.see("/console/settings/tokens")
    place = "/console/settings/tokens"
    form = {"name": "Reports", "email": "bot@example.org", "role": "agent", "scopes": "read"}
    wrong = await browser.send(place, form={**form, "days": "9999"})
    assert (wrong.status_code, "3,650 days" in wrong.text) == (422, True)
    issued = await browser.send(place, form={**form, "days": "30"})
    assert "shown only now" in issued.text
    shown = await browser.see(place)
    path = shown.partition(f'action="{place}/')[2].partition('"')[0]
    assert (await browser.send(f"{place}/{path}")).status_code == 303
    assert "revoked" in await browser.see(place)
    saved = await browser.client.get("/console/admin/audit/export.csv")
    assert "token.revoked" in saved.text
