"""Rules, macros and webhooks as leads and admins see them."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from sqlalchemy import select, update

from core.domain.actor import Role
from core.domain.ids import new_id
from core.storage.tables import (
    AgentRow,
    AutomationRule,
    AutomationRun,
    Category,
    FormField,
    IncomingHook,
    Macro,
    Team,
    Ticket,
    Webhook,
)
from tests.integration.console.automation_forms import HOOKS, MACROS, RULE, RULES
from tests.integration.console.browser import Browser, signed_in
from tests.integration.console.world import Desk


async def lead(desk: Desk) -> Browser:
    async with desk.sessions.begin() as session:
        session.add(Team(id=new_id(), name="Printer team"))
    return await signed_in(desk, Role.LEAD.title(), Role.LEAD)


async def test_a_lead_writes_a_rule_by_names_and_tries_it_first(desk: Desk) -> None:
    await desk.queued("my printer is broken")
    browser = await lead(desk)
    await browser.see(f"{RULES}/new")
    tried = await browser.send(f"{RULES}/new", form=RULE, do="try")
    assert "It would have applied to 1 of the last 1 tickets" in tried.text
    assert "Assign to the team  Printer team" in re.sub("<[^>]+>", "", tried.text)
    assert "The requester would read: Hello Ada" in tried.text
    assert (await browser.send(f"{RULES}/new", form=RULE, do="save")).status_code == 303
    assert "Printers first" in await browser.see(RULES)
    async with desk.sessions() as session:
        rule = (await session.scalars(select(AutomationRule))).one()
        team = (await session.scalars(select(Team.id))).one()
    assert rule.actions[0]["value"] == str(team)
    assert "Printer team" in await browser.see(f"{RULES}/{rule.id}")
    assert (await browser.send(f"{RULES}/{rule.id}/move", to="up")).status_code == 303
    assert (await browser.send(f"{RULES}/{rule.id}/remove")).status_code == 303
    assert "There is no rule yet" in await browser.see(RULES)


async def test_a_rule_is_written_in_the_words_of_its_reader(desk: Desk) -> None:
    browser = await lead(desk)
    category, field = new_id(), new_id()
    async with desk.sessions.begin() as session:
        session.add(Category(id=category, name="Laptop"))
        await session.flush()
        session.add(FormField(id=field, category_id=category, label="VPN", kind="yes_no"))
        language = update(AgentRow).where(AgentRow.role == Role.LEAD).values(language="es")
        await session.execute(language)
    spanish = {
        "name": "Resueltos",
        "trigger": "changed",
        "every-field-0": "status",
        "every-comparison-0": "changed_to",
        "every-value-0": "resuelto | Cerrado",
        "every-field-1": f"field:{field}",
        "every-comparison-1": "is",
        "every-value-1": "Sí",
        "every-field-2": "category",
        "every-comparison-2": "is_not",
        "every-value-2": "laptop",
        "action-kind-0": "set_priority",
        "action-value-0": "baja",
        "is_on": "yes",
    }
    await browser.see(f"{RULES}/new")
    wrong = await browser.send(f"{RULES}/new", form=spanish | {"every-comparison-1": "changed_to"})
    assert wrong.status_code == 422
    assert "Un cambio es de una sola cosa" in wrong.text
    nobody = await browser.send(f"{RULES}/new", form=spanish | {"every-value-2": "móvil"})
    assert "Aquí nada se llama «móvil»" in nobody.text
    too_much = {
        "every-field-1": "hours_idle",
        "every-comparison-1": "more",
        "every-value-1": "1e12",
    }
    much = await browser.send(f"{RULES}/new", form=spanish | too_much, do="try")
    assert "un número de un millón como máximo" in much.text
    assert (await browser.send(f"{RULES}/new", form=spanish)).status_code == 303
    async with desk.sessions() as session:
        rule = (await session.scalars(select(AutomationRule))).one()
    assert [one["value"] for one in rule.conditions["every"]] == [
        "solved | closed",
        "yes",
        str(category),
    ]
    assert rule.actions[0]["value"] == "low"
    await desk.queued("mi portátil no arranca")
    left_out = {
        "kind": "set_status",
        "value": "pending",
        "failure": "this does not fit a ticket that is {status}",
        "values": {"status": "solved"},
    }
    done = {"kind": f"set_field:{field}", "value": "yes", "failure": ""}
    async with desk.sessions.begin() as session:
        ticket = (await session.scalars(select(Ticket.id))).one()
        session.add(
            AutomationRun(
                rule_id=rule.id,
                ticket_id=ticket,
                at=datetime.now(UTC),
                why="status",
                did=[left_out, done],
            )
        )
    page = await browser.see(f"{RULES}/{rule.id}")
    assert 'value="Resuelto | Cerrado"' in page
    assert "VPN (Laptop)" in page
    assert "Poner el campo VPN (Laptop): sí" in page
    assert "esto no encaja con un ticket que está resuelto" in page


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"action-value-0": "Nobody knows this team"}, "Nothing here is called"),
        ({"action-value-1": "{{ ().__class__ }}"}, "A template "),
        ({"every-comparison-0": "more"}, "cannot be compared"),
        ({"every-field-0": "hours_open"}, "“Hours open” cannot be compared like this"),
        ({"every-comparison-0": "changed"}, "cannot be compared"),
        ({"trigger": "sometimes"}, "choose what"),
        ({"name": " "}, "1 to 120 characters"),
    ],
)
async def test_what_is_wrong_is_said_and_what_was_typed_stays(
    desk: Desk, change: dict[str, str], said: str
) -> None:
    browser = await lead(desk)
    await browser.see(f"{RULES}/new")
    answer = await browser.send(f"{RULES}/new", form=RULE | change)
    assert answer.status_code == 422
    assert said in answer.text
    assert "printer | impresora" in answer.text


async def test_an_agent_chooses_a_macro_and_sends_what_goes_with_it(desk: Desk) -> None:
    await desk.queued("my printer is broken")
    browser = await lead(desk)
    await browser.see(f"{MACROS}/new")
    kept = await browser.send(
        f"{MACROS}/new",
        form={"action-kind-0": "add_tag", "action-value-0": "paper"},
        name="Paper",
        text="Look for paper, {{ requester.name }}. <b>{{ agent.name }}</b>",
        language="en",
    )
    assert kept.status_code == 303
    async with desk.sessions() as session:
        macro = (await session.scalars(select(Macro.id))).one()
        number = (await session.scalars(select(Ticket.number))).one()
    agent = await signed_in(desk, Role.AGENT.title(), Role.AGENT)
    assert "Paper" in await agent.see(f"/console/tickets/{number}/macros")
    filled = await agent.see(f"/console/tickets/{number}/macros/{macro}")
    assert "Look for paper, " in filled
    assert "&lt;b&gt;Agent&lt;/b&gt;" in filled
    sent = await agent.send(
        f"/console/tickets/{number}/say", htmx=True, text="There.", mode="reply", macro=str(macro)
    )
    assert sent.status_code == 200
    async with desk.sessions() as session:
        assert (await session.scalars(select(Ticket.tags))).one() == ["paper"]


async def test_a_macro_s_form_keeps_its_text_in_each_language(desk: Desk) -> None:
    browser = await lead(desk)
    await browser.see(f"{MACROS}/new")
    texts = {"text": "Hello there", "text.es": "Hola, buenas", "text.en": " "}
    wrong = await browser.send(f"{MACROS}/new", form={"name": "Hi", "language": "es"} | texts)
    assert wrong.status_code == 422
    assert "A macro has one text in each language" in wrong.text
    assert ">Hola, buenas</textarea>" in wrong.text
    kept = await browser.send(f"{MACROS}/new", form={"name": "Hi", "language": "en"} | texts)
    assert kept.status_code == 303
    async with desk.sessions() as session:
        macro = (await session.scalars(select(Macro))).one()
    assert (macro.text, macro.translations) == ("Hello there", {"es": "Hola, buenas"})
    assert "English, Español" in await browser.see(MACROS)
    assert ">Hola, buenas</textarea>" in await browser.see(f"{MACROS}/{macro.id}")


async def test_an_admin_adds_a_webhook_and_sees_its_secret_once(desk: Desk) -> None:
    browser = await signed_in(desk, Role.ADMIN.title(), Role.ADMIN)
    await browser.see(HOOKS)
    wrong = await browser.send(HOOKS, name="CRM", url="crm.example.org")
    assert wrong.status_code == 422
    added = await browser.send(
        HOOKS, form={"ticket.opened": "yes"}, name="CRM", url="https://crm.example.org/in"
    )
    secret = re.search(r'<code class="link">([^<]+)</code>', added.text)
    assert secret is not None
    async with desk.sessions() as session:
        hook = (await session.scalars(select(Webhook))).one()
    assert secret[1].encode() not in hook.secret
    page = await browser.see(f"{HOOKS}/{hook.id}")
    assert secret[1] not in page
    assert "It has not been called yet" in page


async def test_an_admin_renews_a_secret_and_corrects_a_mapping(desk: Desk) -> None:
    browser = await signed_in(desk, Role.ADMIN.title(), Role.ADMIN)
    await browser.see(HOOKS)
    await browser.send(HOOKS, name="CRM", url="https://crm.example.org/in")
    async with desk.sessions() as session:
        webhook = (await session.scalars(select(Webhook.id))).one()
    renewed = await browser.send(f"{HOOKS}/{webhook}/secret", old="day")
    assert "shown only now" in renewed.text
    assert "signed with the old one too" in renewed.text
    assert "signed with the old one too" in await browser.see(f"{HOOKS}/{webhook}")
    void = await browser.send(f"{HOOKS}/{webhook}/secret", old="void")
    assert "signed with the old one too" not in void.text
    hook = {"name": "Checks", "format": "mapped", "key": "id", "subject": "what"}
    wrong = await browser.send(f"{HOOKS}/incoming", form=hook | {"fields": "Host"})
    assert wrong.status_code == 422
    assert 'value="what"' in wrong.text
    await browser.send(f"{HOOKS}/incoming", form=hook)
    async with desk.sessions() as session:
        name = (await session.scalars(select(IncomingHook.id))).one()
    changed = hook | {"subject": "title", "fields": "Host = alerts.0.host"}
    assert (await browser.send(f"{HOOKS}/incoming/{name}", form=changed)).status_code == 303
    page = await browser.see(f"{HOOKS}/incoming/{name}")
    assert 'value="title"' in page
    assert "Host = alerts.0.host" in page
    assert (await browser.send(f"{HOOKS}/incoming/{name}", form={"name": " "})).status_code == 422


async def _api(desk: Desk, role: Role) -> str:
    return f"Bearer {await desk.access.create_token(f'{role}@api.example.org', role)}"


async def test_programs_keep_rules_macros_and_webhooks(desk: Desk) -> None:
    rule = {
        "name": "Fires first",
        "trigger": "opened",
        "every": [{"field": "message", "comparison": "has", "value": "fire"}],
        "actions": [{"kind": "set_priority", "value": "urgent"}],
    }
    async with desk.client(authorization=await _api(desk, Role.ADMIN)) as client:
        added = await client.post("/api/v1/rules", json=rule)
        assert added.status_code == 201, added.text
        path = f"/api/v1/rules/{added.json()['id']}"
        changed = await client.put(path, json=rule | {"is_on": False})
        assert changed.json()["is_on"] is False
        assert [one["name"] for one in (await client.get("/api/v1/rules")).json()["items"]] == [
            "Fires first"
        ]
        wrong = await client.post("/api/v1/rules", json=rule | {"trigger": "sometimes"})
        assert wrong.status_code == 422
        assert (await client.delete(path)).status_code == 204
        assert (await client.put(path, json=rule)).status_code == 404

        macro = await client.post(
            "/api/v1/macros", json={"name": "Hi", "text": "Hi {{ agent.name }}"}
        )
        assert macro.status_code == 201, macro.text
        escape = {"name": "Hi", "text": "{{ ().__class__ }}"}
        assert (await client.post("/api/v1/macros", json=escape)).status_code == 422
        assert (await client.get("/api/v1/macros")).json()["items"][0]["used"] == 0
        gone = await client.delete(f"/api/v1/macros/{macro.json()['id']}")
        assert gone.status_code == 204

        hook = await client.post(
            "/api/v1/webhooks", json={"name": "CRM", "url": "https://x.example", "events": []}
        )
        assert hook.status_code == 201
        assert hook.json()["secret"]
        internal = {"name": "CRM", "url": "http://169.254.169.254/latest", "events": []}
        refused = await client.post("/api/v1/webhooks", json=internal)
        assert refused.status_code == 422
        assert "internal" in refused.json()["detail"]
        listed = (await client.get("/api/v1/webhooks")).json()["items"]
        assert listed[0]["secret"] is None
        calls = await client.get(f"/api/v1/webhooks/{hook.json()['id']}/calls")
        assert calls.json() == {"items": [], "next": None}


@pytest.mark.parametrize("path", ["rules", "macros", "webhooks"])
async def test_agents_programs_may_not_change_what_the_desk_does(desk: Desk, path: str) -> None:
    async with desk.client(authorization=await _api(desk, Role.AGENT)) as client:
        refused = await client.post(f"/api/v1/{path}", json={"name": "x", "actions": []})
        assert refused.status_code in {403, 422}
        assert (await client.get("/api/v1/rules")).json()["items"] == []


async def test_a_report_over_http_becomes_a_ticket(desk: Desk) -> None:
    browser = await signed_in(desk, Role.ADMIN.title(), Role.ADMIN)
    await browser.see(HOOKS)
    added = await browser.send(f"{HOOKS}/incoming", name="Prometheus", format="alertmanager")
    address = re.search(r"/api/v1/hooks/[\w-]+", added.text)
    assert address is not None
    report = {
        "groupKey": "disk",
        "status": "firing",
        "commonLabels": {"alertname": "DiskFull", "severity": "critical"},
        "alerts": [],
    }
    async with desk.client() as client:
        answer = await client.post(address[0], json=report)
        assert answer.status_code == 202, answer.text
        number = answer.json()["ticket"]
        assert (await client.post(address[0], json=[])).status_code == 422
        assert (await client.post("/api/v1/hooks/unknown", json=report)).status_code == 404
    assert "DiskFull" in await browser.see(f"/console/tickets/{number}")


async def test_too_many_reports_are_told_to_wait_and_an_admin_sees_it(desk: Desk) -> None:
    desk.clock.stop()
    browser = await signed_in(desk, Role.ADMIN.title(), Role.ADMIN)
    await browser.see(HOOKS)
    added = await browser.send(f"{HOOKS}/incoming", name="Prometheus", format="alertmanager")
    address = re.search(r"/api/v1/hooks/[\w-]+", added.text)
    assert address is not None
    assert "reported too often" not in await browser.see(HOOKS)
    async with desk.client() as client:
        answers = [(await client.post(address[0], json=[])) for _ in range(61)]
    assert {one.status_code for one in answers[:60]} == {422}
    assert (answers[60].status_code, answers[60].headers["Retry-After"]) == (429, "1")
    assert "60 reports a minute" in answers[60].json()["detail"]
    listed = await browser.see(HOOKS)
    assert "reported too often" in listed
    page = re.search(rf"{HOOKS}/incoming/[0-9a-f-]{{36}}", listed)
    assert page is not None
    assert "Reports were refused because there were too many" in await browser.see(page[0])
    log = await browser.see("/console/admin/audit?action=incoming_hook.limited")
    assert "reported more often than it may" in log
    async with desk.client(authorization=await _api(desk, Role.ADMIN)) as client:
        (hook,) = (await client.get("/api/v1/incoming-webhooks")).json()["items"]
    assert hook["limited_at"] is not None


async def test_programs_renew_a_webhooks_secret(desk: Desk) -> None:
    async with desk.client(authorization=await _api(desk, Role.ADMIN)) as client:
        body = {"name": "Board", "url": "https://board.example/hook"}
        added = (await client.post("/api/v1/webhooks", json=body)).json()
        path = f"/api/v1/webhooks/{added['id']}/secret"
        renewed = await client.post(path, json={"at_once": True}, headers={"If-Match": '"1"'})
        assert renewed.status_code == 200
        assert renewed.json()["secret"] not in (None, added["secret"])
        stale = await client.post(path, json={}, headers={"If-Match": '"1"'})
        assert stale.status_code == 412
        missing = f"/api/v1/webhooks/{new_id()}/secret"
        assert (await client.post(missing, json={})).status_code == 404
