"""Programs keep rules, macros and webhooks, and read what rules did and whom webhooks called."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import select, update

from core.domain.actor import Role
from core.domain.ids import new_id
from core.storage.tables import AutomationRule, AutomationRun, IncomingHook, Ticket, WebhookDelivery
from tests.integration.console.api import Api, whole
from tests.integration.console.world import Desk

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
    in_order = [one["name"] for one in (await lead.get("/api/v1/rules")).json()["items"]]
    assert in_order == ["C", "A", "B"]
    await lead.post(f"{last}/move", json={"place": 99})
    assert (await lead.get("/api/v1/rules")).json()["items"][-1]["name"] == "C"
    assert (await lead.get(first)).headers["ETag"] == read.headers["ETag"]
    assert (await lead.post(f"{last}/move", json={"place": 0})).status_code == 422
    assert (await lead.get(f"/api/v1/rules/{uuid4()}")).status_code == 404
    agent = await api()
    assert (await agent.post(f"{first}/move", json={"place": 1})).status_code == 403


async def test_a_rule_is_tried_with_what_its_actions_would_do(desk: Desk, api: Api) -> None:
    await desk.queued("my desk is on fire", thread="t1", who="ada")
    await desk.queued("my printer is broken", thread="t2", who="bob")
    lead = await api(Role.LEAD, "lea@example.org")
    body = RULE | {"actions": [*RULE["actions"], {"kind": "set_status", "value": "new"}]}
    kept = await lead.post("/api/v1/rules", json=body)
    assert kept.status_code == 422  # no ticket can be set to new
    body = RULE | {"actions": [*RULE["actions"], {"kind": "reply", "value": "Get out!"}]}
    rule = await made(lead, "rules", body)
    of_body = (await lead.post("/api/v1/rules/dry-run?limit=1", json=body)).json()
    assert of_body["items"] == []
    params = {"limit": "1", "cursor": of_body["next"]}
    tried = await lead.post(f"/api/v1/rules/{rule['id']}/dry-run", params=params)
    assert tried.json()["next"] is None
    (found,) = tried.json()["items"]
    assert (found["ticket"], found["times"]) == (1001, 1)
    rank, reply = found["actions"]
    assert rank["left_out"] is None
    (change,) = rank["changes"]
    assert (change["field"], change["old"], change["new"]) == ("priority", "normal", "urgent")
    assert reply["says"] == ["Get out!"]
    assert (await lead.get("/api/v1/tickets/1001")).json()["priority"] == "normal"
    wrong = await lead.post("/api/v1/rules/dry-run", json=RULE | {"actions": []})
    assert wrong.status_code == 422
    agent = await api()
    assert (await agent.post(f"/api/v1/rules/{rule['id']}/dry-run")).status_code == 403


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


HOOK: dict[str, Any] = {
    "name": "Checks",
    "format": "mapped",
    "mapping": {
        "key": "id",
        "subject": "what",
        "over_path": "state",
        "over_values": ["ok"],
        "fields": {"Host": "where.host"},
    },
}


async def test_programs_keep_the_addresses_that_programs_report_to(desk: Desk, api: Api) -> None:
    admin = await api(Role.ADMIN, "boss@example.org")
    hook = await made(admin, "incoming-webhooks", HOOK)
    place = f"/api/v1/incoming-webhooks/{hook['id']}"
    first = hook["address"].removeprefix("http://desk.test")
    report = {"id": "7", "what": "It smokes"}
    assert (await admin.post(first, json=report)).json()["ticket"] == 1001
    read = await admin.get(place)
    assert read.headers["ETag"] == '"1"'
    assert read.json()["address"] is None
    assert read.json()["mapping"]["fields"] == {"Host": "where.host"}
    assert read.json()["reported_at"] is not None
    changed = HOOK | {"mapping": HOOK["mapping"] | {"subject": "title"}}
    tag = {"If-Match": '"1"'}
    assert (await admin.put(place, json=changed, headers=tag)).status_code == 200
    assert (await admin.put(place, json=HOOK, headers=tag)).status_code == 412
    assert (await admin.post(first, json=report)).status_code == 422
    report["title"] = "It still smokes"
    assert (await admin.post(first, json=report)).json()["ticket"] == 1001
    stale = await admin.post(f"{place}/address", headers=tag)
    assert stale.status_code == 412
    renewed = await admin.post(f"{place}/address", headers={"If-Match": '"2"'})
    second = renewed.json()["address"].removeprefix("http://desk.test")
    assert (await admin.post(first, json=report)).status_code == 404
    assert (await admin.post(second, json=report | {"state": "ok"})).json()["ticket"] == 1001
    assert (await admin.get("/api/v1/tickets/1001")).json()["status"] == "solved"
    for name in ("A", "B", "C"):
        await made(admin, "incoming-webhooks", {"name": name})
    names = [one["name"] for one in await whole(admin, "incoming-webhooks")]
    assert names == ["A", "B", "C", "Checks"]
    assert (await admin.delete(place)).status_code == 204
    assert (await admin.get(place)).status_code == 404
    assert (await admin.post(second, json=report)).status_code == 404
    entries = (await admin.get("/api/v1/audit?action=incoming_hook.")).json()["items"]
    assert [one["action"].partition(".")[2] for one in entries[4:]] == [
        "address_renewed",
        "changed",
        "added",
    ]
    assert not any(word in str(entries) for word in (first[-20:], second[-20:]))


async def test_what_is_sent_to_an_unknown_address_is_not_even_read(desk: Desk, api: Api) -> None:
    asked: list[str] = []

    async def body() -> AsyncIterator[bytes]:
        asked.append("for the body")
        yield b"[" + b"[]," * 300_000 + b"[]]"

    async with desk.client() as client:
        answer = await client.post("/api/v1/hooks/unknown", content=body())
    assert (answer.status_code, asked) == (404, [])


async def test_a_report_that_was_cut_in_the_middle_of_an_emoji_is_taken(
    desk: Desk, api: Api
) -> None:
    admin = await api(Role.ADMIN, "boss@example.org")
    more = {"category": "kind", "team": "kind", "requester": "kind", "tags": "kind"}
    hook = await made(admin, "incoming-webhooks", HOOK | {"mapping": HOOK["mapping"] | more})
    place = hook["address"].removeprefix("http://desk.test")
    cut = rb'{"id": "7\ud83d", "what": "It \ud83d", "kind": "a\ud83d", "where": {"host": "\ud83d"}}'
    assert (await admin.post(place, content=cut)).json() == {"ticket": 1001}
    assert (await admin.get("/api/v1/tickets/1001")).json()["subject"] == "It ?"


async def test_a_report_may_be_large_and_may_not_be_something_else_than_json(
    desk: Desk, api: Api
) -> None:
    admin = await api(Role.ADMIN, "boss@example.org")
    hook = await made(admin, "incoming-webhooks", HOOK)
    place = hook["address"].removeprefix("http://desk.test")
    large = {"id": "7", "what": "It smokes", "more": [[]] * 200_000}
    assert (await admin.post(place, json=large)).json()["ticket"] == 1001
    for wrong in (b"", b"{", b"\xff", b"[" * 900_000):
        answer = await admin.post(place, content=wrong)
        assert (answer.status_code, "not JSON" in answer.text) == (400, True)
    for other in (b"[]", b"7", b"null"):
        assert (await admin.post(place, content=other)).status_code == 422


async def test_a_mapping_kept_before_that_is_too_large_now_is_read_all_the_same(
    desk: Desk, api: Api
) -> None:
    admin = await api(Role.ADMIN, "boss@example.org")
    hook = await made(admin, "incoming-webhooks", HOOK)
    values = [str(number) for number in range(21)]
    large = HOOK["mapping"] | {"over_values": values, "text": "x" * 201, "fields": [["A", "a"]]}
    async with desk.sessions.begin() as session:
        (await session.get_one(IncomingHook, UUID(hook["id"]))).mapping = large
    (listed,) = await whole(admin, "incoming-webhooks")
    assert listed["mapping"]["over_values"] == values
    place = f"/api/v1/incoming-webhooks/{hook['id']}"
    again = {**HOOK, "mapping": listed["mapping"]}
    assert (await admin.put(place, json=again)).status_code == 422


@pytest.mark.parametrize(
    "body",
    [
        {"name": " "},
        {"name": "x", "format": "mapped"},
        {"name": "x", "mapping": HOOK["mapping"]},
        {"name": "x", "format": "pigeon"},
        {"name": "x", "team": str(uuid4())},
        {"name": "x", "format": "mapped", "mapping": {"key": "", "subject": "x"}},
        {"name": "x", "format": "mapped", "mapping": {"key": "x", "subject": "x", "more": "x"}},
    ],
)
async def test_a_wrong_address_for_programs_is_refused(
    desk: Desk, api: Api, body: dict[str, Any]
) -> None:
    admin = await api(Role.ADMIN, "boss@example.org")
    assert (await admin.post("/api/v1/incoming-webhooks", json=body)).status_code == 422
    lead = await api(Role.LEAD, "lea@example.org")
    assert (await lead.get("/api/v1/incoming-webhooks")).status_code == 403
    macro = {"name": "Hi", "text": "Hi", "team": str(uuid4())}
    assert (await lead.post("/api/v1/macros", json=macro)).status_code == 422


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


async def test_a_macro_has_a_text_in_several_languages_and_each_requester_gets_theirs(
    desk: Desk, api: Api
) -> None:
    lead, agent = await api(Role.LEAD, "lea@example.org"), await api()
    for n, language in enumerate(("en", "es", "pt")):
        await desk.queued("VPN", thread=f"t{n}", who=f"u{n}")
        async with desk.sessions.begin() as session:
            await session.execute(
                update(Ticket).where(Ticket.number == 1001 + n).values(language=language)
            )
    body = {"name": "Hi", "text": "Hello", "language": "en", "translations": {"es": "Hola"}}
    macro = await made(lead, "macros", body)
    assert macro["translations"] == {"es": "Hola"}
    for number, text, said_in, fits in (
        (1001, "Hello", "en", ["Hi"]),
        (1002, "Hola", "es", ["Hi"]),
        (1003, "Hello", "en", []),
    ):
        place = f"tickets/{number}/macros"
        assert [one["name"] for one in await whole(agent, place)] == fits
        filled = (await agent.get(f"/api/v1/{place}/{macro['id']}")).json()
        assert (filled["text"], filled["language"]) == (text, said_in)
    act = {"tickets": ["1001", "1002", "1003"], "act": "macro", "value": macro["id"]}
    outcomes = (await agent.post("/api/v1/bulk/tickets", json=act)).json()
    assert [(one["language"], one["said_in"]) for one in outcomes] == [
        ("en", "en"),
        ("es", "es"),
        ("pt", "en"),
    ]
    for wrong in (
        {"translations": {"en": "Hello"}},
        {"translations": {"xx": "?"}},
        {"translations": {"es": " "}},
        {"translations": {"es": "Hola"}, "text": ""},
        {"translations": {"es": "{{ nobody.name }}"}},
    ):
        assert (await lead.post("/api/v1/macros", json=body | wrong)).status_code == 422, wrong


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


async def test_a_macro_is_filled_in_for_a_ticket_and_said(desk: Desk, api: Api) -> None:
    await desk.queued("my printer is broken")
    lead = await api(Role.LEAD, "lea@example.org")
    actions = [{"kind": "add_tag", "value": "paper"}, {"kind": "set_status", "value": "solved"}]
    text = "Look for paper, {{ requester.first_name }}."
    macro = await made(lead, "macros", {"name": "Paper", "text": text, "actions": actions})
    for number in range(3):
        await made(lead, "macros", {"name": f"Other {number}", "text": "x"})
    await made(lead, "macros", {"name": "Papel", "text": "x", "language": "es"})
    agent = await api()
    place = f"/api/v1/tickets/1001/macros/{macro['id']}"
    filled = await agent.get(place)
    assert filled.status_code == 200, filled.text
    assert filled.json()["text"] == "Look for paper, Ada."
    tag, solve = filled.json()["actions"]
    assert tag["changes"][0]["new"] == "paper"
    assert (solve["changes"][0]["field"], solve["changes"][0]["new"]) == ("status", "solved")
    ticket = (await agent.get("/api/v1/tickets/1001")).json()
    assert (ticket["status"], ticket["tags"]) == ("new", [])
    said = await agent.post(place, json={})
    assert (said.json()["status"], said.json()["tags"]) == ("solved", ["paper"])
    said = await agent.post(place, json={"text": "Once more"})
    assert said.status_code == 200, said.text
    messages = f"/api/v1/conversations/{ticket['conversation_id']}/messages"
    words = [one["text"] for one in (await agent.get(messages)).json()["items"]]
    assert "Look for paper, Ada." in words
    assert "Once more" in words
    fitting = await whole(agent, "tickets/1001/macros")
    names = [(one["name"], one["used"]) for one in fitting]
    assert names == [("Paper", 2), ("Other 0", 0), ("Other 1", 0), ("Other 2", 0)]
    assert (await agent.post(f"/api/v1/tickets/1001/macros/{uuid4()}", json={})).status_code == 404
    assert (await agent.post(place, json={"text": " "})).status_code == 422
    old = await agent.post(place, json={"text": "Again"}, headers={"If-Match": '"7"'})
    assert (old.status_code, old.json()["present"]["number"]) == (412, 1001)
    counted = (await agent.get("/api/v1/tickets/1001/macros")).json()["items"][0]
    assert counted["used"] == 2, "what was not said was not used"
    cursor = {"cursor": str(uuid4())}
    assert (await agent.get("/api/v1/tickets/1001/macros", params=cursor)).status_code == 422
