"""The JSON API of conversations and tickets keeps its contract: shapes, actions, pages."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from core.domain.assistant import HandoffReason, Say
from core.domain.ticket import Priority
from core.storage.tables import TicketEvent
from tests.integration.console.api import Api, assert_problem, one_ticket
from tests.integration.console.browser import PASSWORD, Browser, signed_in
from tests.integration.console.world import Desk


async def test_a_handed_off_conversation_is_a_ticket(desk: Desk, api: Api) -> None:
    conversation = await desk.queued("The VPN is broken", priority=Priority.HIGH)
    client = await api()
    ticket = await one_ticket(client)
    assert ticket["number"] == 1001
    assert ticket["status"] == "new"
    assert ticket["subject"] == "The VPN is broken"
    assert ticket["priority"] == "high"
    assert ticket["reason"] == "asked_for_human"
    assert ticket["assignee"] is None
    assert ticket["conversation_id"] == str(conversation)
    assert ticket["requester"]["name"] == "Ada"
    assert ticket["confidence"] == pytest.approx(0.83)
    assert ticket["summary"] == "ada says: The VPN is broken"
    assert (await client.get(f"/api/v1/tickets/{ticket['id']}")).json() == ticket
    assert (await client.get("/api/v1/tickets/1001")).json() == ticket


async def test_lists_are_newest_first_in_pages(desk: Desk, api: Api) -> None:
    for n in range(5):
        await desk.queued(f"number {n}", thread=f"t{n}", who=f"u{n}")
    client = await api()
    seen: list[str] = []
    cursor: str | None = None
    while True:
        params = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = (await client.get("/api/v1/tickets", params=params)).json()
        seen += [ticket["subject"] for ticket in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == [f"number {n}" for n in (4, 3, 2, 1, 0)]


async def test_tickets_are_found_by_status_assignee_and_words(desk: Desk, api: Api) -> None:
    await desk.queued("printer on fire", thread="a", who="ada")
    await desk.queued("100% of mail_boxes gone", thread="b", who="bob")
    client = await api()

    async def found(**params: str) -> list[int]:
        page = (await client.get("/api/v1/tickets", params=params)).json()
        return [ticket["number"] for ticket in page["items"]]

    await client.post("/api/v1/tickets/1001/take", json={})
    assert await found(status="open") == [1001]
    assert await found(assignee="me") == [1001]
    assert await found(assignee="ana@example.org") == [1001]
    assert await found(assignee="none") == [1002]
    assert await found(assignee="nobody@example.org") == []
    assert await found(q="1002") == [1002]
    assert await found(q="#1001") == [1001]
    assert await found(q="PRINTER fire") == [1001]
    assert await found(q="printer gone") == []
    assert await found(q="100%") == [1002]
    assert await found(q="mail_boxes") == [1002]
    assert await found(q="bob@example") == [1002]
    assert await found(q="I will get somebody") == [1002, 1001]


async def test_a_change_by_a_token_is_known_as_a_programs_and_one_in_the_console_is_not(
    desk: Desk, api: Api
) -> None:
    await desk.queued()
    client = await api()
    ticket = await one_ticket(client)
    await client.post(f"/api/v1/tickets/{ticket['id']}/take", json={})
    bob = await desk.agent("bob@example.org", "Bob")
    await desk.access.passwords.set(bob.id, PASSWORD)
    browser = await Browser.signed_in(desk, "bob@example.org")
    note = await browser.send("/console/tickets/1001/say", text="Hello", kind="note")
    assert note.status_code == 303
    async with desk.sessions() as session:
        found = await session.execute(
            select(TicketEvent.actor, TicketEvent.by_program)
            .where(TicketEvent.actor.startswith("agent:"))
            .distinct()
        )
        by_whom = {actor: is_program for actor, is_program in found}  # noqa: C416  # typed rows
    assert by_whom.pop(bob.actor) is False
    assert list(by_whom.values()) == [True]
    history = (await client.get("/api/v1/tickets/1001/history")).json()["items"]
    assert {one["by_program"] for one in history if one["actor"] != bob.actor} == {True, False}
    shown = await browser.see("/console/tickets/1001")
    assert "ana (API) took it" in shown
    assert "Bob (API)" not in shown


async def test_an_agent_works_a_ticket_from_take_to_solved(desk: Desk, api: Api) -> None:
    conversation = await desk.queued()
    client = await api()
    ticket = await one_ticket(client)
    path = f"/api/v1/tickets/{ticket['id']}"

    taken = await client.post(f"{path}/take", json={})
    assert taken.status_code == 200
    assert taken.json()["status"] == "open"
    assert taken.json()["assignee"]["email"] == "ana@example.org"

    said = await client.post(f"{path}/replies", json={"text": "Hello, I am Ana."})
    assert said.status_code == 201
    assert said.json()["from"] == "agent"
    assert said.json()["agent"]["email"] == "ana@example.org"
    noted = await client.post(f"{path}/notes", json={"text": "Seems to be the proxy."})
    assert noted.status_code == 201
    assert noted.json()["internal"] is True

    for status in ("pending", "on_hold", "open", "solved"):
        answer = await client.post(f"{path}/status", json={"status": status})
        assert answer.status_code == 200
        assert answer.json()["status"] == status
    assert (await client.get(path)).json()["solved_at"] is not None

    page = (await client.get(f"/api/v1/conversations/{conversation}/messages")).json()
    assert [m["from"] for m in page["items"]] == [
        "system", "agent", "agent", "system", "bot", "customer",
    ]  # fmt: skip
    assert page["next"] is None


async def test_a_ticket_goes_to_a_colleague_and_back(desk: Desk, api: Api) -> None:
    await desk.queued()
    bea = await desk.agent("bea@example.org", "Bea")
    client = await api()
    for name in (str(bea.id), "BEA@example.org"):
        given = await client.post("/api/v1/tickets/1001/assign", json={"agent": name})
        assert given.json()["assignee"]["name"] == "Bea"
    refused = await client.post("/api/v1/tickets/1001/take", json={})
    assert_problem(refused, 409)
    assert "Bea" in refused.json()["detail"]
    back = await client.post("/api/v1/tickets/1001/assign", json={"agent": None})
    assert back.json()["assignee"] is None
    unknown = await client.post("/api/v1/tickets/1001/assign", json={"agent": "x@example.org"})
    assert_problem(unknown, 422)


async def test_a_conversation_goes_back_to_the_assistant(desk: Desk, api: Api) -> None:
    conversation = await desk.queued()
    client = await api()
    await client.post("/api/v1/tickets/1001/take", json={})
    back = await client.post("/api/v1/tickets/1001/return-to-bot", json={})
    assert back.status_code == 200
    assert back.json()["status"] == "solved"
    assert_problem(await client.post("/api/v1/tickets/1001/return-to-bot", json={}), 409)
    await desk.says("hello again")
    await desk.answers(conversation, Say(text="Hello!"))


async def test_a_follow_up_names_the_ticket_before_it(desk: Desk, api: Api) -> None:
    conversation = await desk.queued()
    client = await api()
    await client.post("/api/v1/tickets/1001/status", json={"status": "closed"})
    assert_problem(await client.post("/api/v1/tickets/1001/replies", json={"text": "x"}), 409)
    assert await desk.queued("and again", reason=HandoffReason.NOT_HELPED) == conversation
    second = (await client.get("/api/v1/tickets/1002")).json()
    assert second["follows"] == 1001
    assert (await client.get("/api/v1/tickets/1001")).json()["followed_by"] == [1002]
    eva = await signed_in(desk, "Eva")
    assert "Followed by" in await eva.see("/console/tickets/1001")
    assert "Follows" in await eva.see("/console/tickets/1002")


async def test_messages_come_in_pages_newest_first(desk: Desk, api: Api) -> None:
    for n in range(5):
        conversation = await desk.says(f"m{n}")
    client = await api()
    path = f"/api/v1/conversations/{conversation}/messages"
    first = (await client.get(path, params={"limit": 3})).json()
    second = (await client.get(path, params={"limit": 3, "cursor": first["next"]})).json()
    assert [m["text"] for m in first["items"] + second["items"]] == ["m4", "m3", "m2", "m1", "m0"]
    assert second["next"] is None
