"""The audit log is searched by who, what and when, and has what is easily forgotten."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from core.domain.actor import Role
from core.domain.automation.actions import Action, ActionKind
from core.services import audit
from core.services.automation.macros import MacroForm, Macros
from core.services.automation.webhooks import WebhookForm, Webhooks
from core.storage.tables import AuditEntry
from tests.integration.console.api import Api
from tests.integration.console.browser import PASSWORD, Browser
from tests.integration.console.world import Desk
from tests.integration.teams.world import Floor


async def _entries(desk: Desk, action: str) -> list[AuditEntry]:
    async with desk.sessions() as session:
        found = await session.scalars(select(AuditEntry).where(AuditEntry.action == action))
        return list(found)


async def test_the_log_is_searched_by_who_did_what_and_when(desk: Desk, api: Api) -> None:
    began = datetime.now(UTC).date()
    floor = await Floor.of(desk)
    other = await desk.agent("root@example.org", "Root", Role.ADMIN)
    await floor.team("First")
    floor.boss, boss = other, floor.boss
    await floor.team("Second")
    client = await api(Role.AUDITOR, "nora@example.org")

    async def subjects(**query: str) -> list[str]:
        answer = await client.get("/api/v1/audit", params=query)
        assert answer.status_code == 200, answer.text
        return [one["subject_name"] for one in answer.json()["items"]]

    today = datetime.now(UTC).date()
    assert await subjects(action="team.created") == ["Second", "First"]
    assert await subjects(action="team.", actor=boss.actor) == ["First"]
    assert await subjects(action="team") == []
    day, later = str(today), str(today + timedelta(days=1))
    assert await subjects(**{"action": "team.created", "from": str(began), "to": day}) != []
    assert await subjects(**{"action": "team.created", "from": later}) == []
    assert (await client.get("/api/v1/audit", params={"from": "soon"})).status_code == 422
    table = await client.get("/api/v1/audit/export.csv", params={"actor": other.actor})
    rows = list(csv.DictReader(io.StringIO(table.content.decode("utf-8-sig"))))
    assert [row["subject"] for row in rows] == ["Second"]


async def test_the_page_offers_who_did_something_and_what(desk: Desk) -> None:
    floor = await Floor.of(desk)
    await floor.team("First")
    await desk.access.passwords.set(floor.boss.id, PASSWORD)
    browser = await Browser.signed_in(desk, floor.boss.email)
    shown = await browser.see(f"/console/admin/audit?actor={floor.boss.actor}&action=team.")
    assert f'value="{floor.boss.actor}" selected' in shown
    assert 'value="team." selected' in shown
    assert "First" in shown
    assert "Assignment method" in shown  # what the form of a team calls its strategy
    nothing = await browser.see("/console/admin/audit?to=2020-01-01")
    assert "Nothing was found." in nothing
    await browser.see("/console/admin/audit?from=soon", 422)


async def test_what_a_macro_and_a_webhook_were_is_kept_when_they_change_or_go(desk: Desk) -> None:
    floor = await Floor.of(desk)
    macros = Macros(desk.sessions, desk.accounts, "http://desk.test", desk.clock)
    solve = (Action(kind=ActionKind.ADD_TAG, value="vpn"),)
    macro = await macros.save(None, MacroForm(name="VPN", text="Old"), floor.boss)
    await macros.save(macro, MacroForm(name="VPN", text="New", actions=solve), floor.boss)
    await macros.remove(macro, floor.boss)
    (changed,) = await _entries(desk, "macro.changed")
    assert changed.old is not None
    assert changed.new is not None
    assert (changed.old["text"], changed.new["text"]) == ("Old", "New")
    assert changed.new["actions"] == [{"kind": "add_tag", "value": "vpn"}]
    (removed,) = await _entries(desk, "macro.removed")
    assert removed.old is not None
    assert removed.old["text"] == "New"
    hooks = Webhooks(desk.sessions, b"key", desk.clock)
    hook, _ = await hooks.add(WebhookForm(name="CRM", url="https://crm.example"), floor.boss)
    await hooks.remove(hook, floor.boss)
    (gone,) = await _entries(desk, "webhook.removed")
    assert gone.old is not None
    assert gone.old["url"] == "https://crm.example"


async def test_exported_assets_and_presence_set_for_others_are_entries(
    desk: Desk, api: Api
) -> None:
    floor = await Floor.of(desk)
    ana = await floor.agent("Ana")
    client = await api(Role.ADMIN, "boss@example.org")
    for name in ("me", "ana@example.org"):
        told = await client.put(f"/api/v1/agents/{name}/presence", json={"presence": "away"})
        assert told.status_code == 200, told.text
    (entry,) = await _entries(desk, "agent.presence_set")
    assert (entry.subject_id, entry.new) == (str(ana.id), {"presence": "away"})
    await desk.access.passwords.set(floor.boss.id, PASSWORD)
    browser = await Browser.signed_in(desk, floor.boss.email)
    await browser.see("/console/assets/export.csv")
    (exported,) = await _entries(desk, "assets.exported")
    assert exported.new == {"assets": 0}


async def test_an_entry_is_found_by_beginnings_of_words_without_their_accents(
    desk: Desk, api: Api
) -> None:
    floor = await Floor.of(desk)
    await floor.team("Atención de Averías")
    async with desk.sessions.begin() as session:
        with audit.done_from("192.0.2.77"):
            audit.record(
                session,
                None,
                "macro.changed",
                ("macro", "m1", "Greeting"),
                old={"text": "Hello\nworld"},
                new={"text": "C:\\temp 7x"},
            )
    client = await api(Role.AUDITOR, "nora@example.org")

    async def subjects(words: str) -> list[str]:
        answer = await client.get("/api/v1/audit", params={"q": words})
        assert answer.status_code == 200, answer.text
        return [one["subject_name"] for one in answer.json()["items"]]

    for words in ("averi", "ATENCIÓN", "averías team.created", f"averi {floor.boss.name}"):
        assert await subjects(words) == ["Atención de Averías"], words
    for words in ("192.0.2.77", "world", "changed greet", "temp", "7x — macro"):
        assert await subjects(words) == ["Greeting"], words
    for words in ("averi nobody", "— *", "%", "orld"):
        assert await subjects(words) == [], words
