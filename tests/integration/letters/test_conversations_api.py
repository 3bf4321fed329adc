"""Programs find conversations, take them over, write to third parties, and correct their words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx

from core.domain.actor import Role
from core.domain.conversation import Responder
from tests.integration.console.api import Api
from tests.integration.console.world import Desk
from tests.integration.letters.world import SUPPLIER, deliver, message_saying


async def listed(client: httpx.AsyncClient, **params: Any) -> list[str]:
    answer = await client.get("/api/v1/conversations", params=params)
    assert answer.status_code == 200, answer.text
    return [one["opening"] for one in answer.json()["items"]]


async def test_conversations_are_found_with_and_without_tickets(desk: Desk, api: Api) -> None:
    client = await api()
    await desk.queued("first of all", thread="t1", who="ada")
    await desk.says("just asking", thread="t2", who="bob")
    await desk.says("me too", thread="t3", who="ada")
    assert await listed(client) == ["me too", "just asking", "first of all"]
    assert await listed(client, has_ticket=False) == ["me too", "just asking"]
    assert await listed(client, has_ticket=True) == ["first of all"]
    assert await listed(client, responder="queued") == ["first of all"]
    (ada,) = (await client.get("/api/v1/requesters?q=ada")).json()["items"]
    assert await listed(client, requester=ada["id"]) == ["me too", "first of all"]
    first = (await client.get("/api/v1/conversations?limit=2")).json()
    assert await listed(client, cursor=first["next"]) == ["first of all"]
    assert [one["ticket"] for one in first["items"]] == [None, None]


async def test_a_conversation_is_taken_over_and_handed_back(desk: Desk, api: Api) -> None:
    client = await api()
    place = f"/api/v1/conversations/{await desk.says('does anybody read this?')}"
    assert (await client.post(f"{place}/hand-back")).status_code == 409
    taken = await client.post(f"{place}/take-over")
    assert (taken.status_code, taken.json()["assignee"]["email"]) == (200, "ana@example.org")
    assert (await client.post(f"{place}/take-over")).status_code == 409
    now = (await client.get(place)).json()
    assert (now["responder"], now["ticket"]) == (Responder.HUMAN, taken.json()["number"])
    back = await client.post(f"{place}/hand-back")
    assert (back.status_code, back.json()["status"]) == (200, "solved")
    assert (await client.get(place)).json()["responder"] == Responder.BOT


async def test_what_changed_in_a_ticket_is_read_part_by_part(desk: Desk, api: Api) -> None:
    await desk.queued()
    client = await api()
    await client.post("/api/v1/tickets/1001/take")
    await client.post("/api/v1/tickets/1001/replies", json={"text": "Hello"})
    await client.post("/api/v1/tickets/1001/status", json={"status": "pending"})
    seen: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        params = {"limit": "2", **cursor}
        page = (await client.get("/api/v1/tickets/1001/history", params=params)).json()
        seen += page["items"]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    fields = [(one["field"], one["old"], one["new_name"] or one["new"]) for one in seen]
    assert fields == [
        ("status", "open", "pending"),
        ("status", "new", "open"),
        ("assignee", None, "ana"),
        ("status", None, "new"),
    ]
    assert [one["actor_name"] for one in seen] == ["ana", "ana", "ana", None]


async def test_a_third_party_is_asked_beside_a_ticket(desk: Desk, api: Api, ticket: str) -> None:
    client = await api()
    place = f"/api/v1/tickets/{ticket.rpartition('/')[2]}/sides"
    passed_on = str((await message_saying(desk, "It does not connect")).id)
    letter = {
        "text": "Do you know this?",
        "envelope": {"to": [SUPPLIER], "subject": "Fwd: VPN"},
        "messages": [passed_on],
    }
    begun = await client.post(place, json=letter)
    assert begun.status_code == 201, begun.text
    side = begun.json()
    again = await client.post(f"{place}/{side['id']}/replies", json={"text": "Any news?"})
    assert (again.status_code, again.json()["conversation"]) == (201, side["id"])
    listed = (await client.get(place)).json()
    assert [(one["address"], one["ticket"]) for one in listed["items"]] == [
        (SUPPLIER, side["ticket"])
    ]
    said = (await client.get(f"/api/v1/conversations/{side['id']}/messages")).json()["items"]
    assert [one["text"].partition("\n")[0] for one in said] == ["Any news?", "Do you know this?"]
    assert "> It does not connect" in said[1]["text"]
    nobody = await client.post(place, json={"text": "Hello?", "envelope": {"to": []}})
    assert nobody.status_code == 422
    elsewhere = str(side["side_of"])
    assert (
        await client.post(f"{place}/{elsewhere}/replies", json={"text": "Hello?"})
    ).status_code == 404


async def test_what_one_said_is_corrected_and_taken_back(desk: Desk, api: Api, ticket: str) -> None:
    client = await api()
    number = ticket.rpartition("/")[2]
    await client.post(f"/api/v1/tickets/{number}/notes", json={"text": "Call him bakc"})
    place = f"/api/v1/messages/{(await message_saying(desk, 'Call him bakc')).id}"
    seen = {"If-Match": (await client.get(place)).headers["ETag"]}
    corrected = await client.put(place, json={"text": "Call him back"}, headers=seen)
    assert (corrected.status_code, corrected.json()["text"]) == (200, "Call him back")
    assert [one["text"] for one in corrected.json()["revisions"]] == ["Call him bakc"]
    late = await client.put(place, json={"text": "Call her back"}, headers=seen)
    assert late.status_code == 412
    other = await api(Role.LEAD, "lea@example.org")
    assert (await other.put(place, json={"text": "No"})).status_code == 403
    gone = await client.delete(place)
    assert (gone.status_code, gone.json()["text"]) == (200, "")
    assert gone.json()["removed_at"] is not None
    assert (await client.delete(place)).status_code == 409


async def test_what_a_requester_said_is_not_for_agents_to_correct(
    desk: Desk, api: Api, ticket: str
) -> None:
    admin = await api(Role.ADMIN, "boss@example.org")
    place = f"/api/v1/messages/{(await message_saying(desk, 'It does not connect')).id}"
    assert (await admin.put(place, json={"text": "It does"})).status_code == 403
    assert (await admin.delete(place)).status_code == 403


async def test_what_has_left_over_a_channel_that_changes_nothing_stays(
    desk: Desk, api: Api, ticket: str
) -> None:
    account = desk.loopback.account
    client = await api()
    number = ticket.rpartition("/")[2]
    await client.post(f"/api/v1/tickets/{number}/replies", json={"text": "Restart it"})
    sent = await deliver(desk, "Restart it")
    desk.accounts[account] = replace(desk.accounts[account], edits=False, removes=False)
    place = f"/api/v1/messages/{sent.id}"
    assert (await client.put(place, json={"text": "Leave it"})).status_code == 409
    assert (await client.delete(place)).status_code == 409
