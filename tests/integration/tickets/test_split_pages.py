"""Agents choose what the other matter is about, in the console and over the API."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from core.domain.actor import Role
from core.domain.ids import ConversationId
from core.storage.tables import Message, Ticket
from tests.integration.console.api import Api
from tests.integration.console.browser import Browser, signed_in
from tests.integration.console.world import Desk


async def _two_matters(desk: Desk) -> tuple[str, dict[str, str]]:
    """Return the number of a chat's ticket, and the ids of what its requester said in it."""
    conversation = await desk.queued("No VPN")
    await desk.says("And the printer is jammed")
    async with desk.sessions() as session:
        number = await session.scalar(select(Ticket.number))
        rows = await session.scalars(
            select(Message).where(
                Message.conversation_id == conversation, Message.speaker == "customer"
            )
        )
        return str(number), {row.text: str(row.id) for row in rows}


def _said(page: str) -> str:
    return page.partition('id="messages"')[2].partition('id="composer"')[0]


async def _split(desk: Desk, browser: Browser) -> tuple[str, str]:
    """Split the printer off; return the paths of the old and of the new ticket."""
    number, said = await _two_matters(desk)
    path = f"/console/tickets/{number}"
    shown = await browser.see(f"{path}/split?message={said['And the printer is jammed']}")
    assert f'value="{said["And the printer is jammed"]}" checked' in shown
    answer = await browser.send(
        f"{path}/split",
        form={"message": said["And the printer is jammed"], "subject": "Printer", "tell": "yes"},
    )
    assert answer.status_code == 303, answer.text
    return path, answer.headers["location"]


async def test_chosen_messages_become_a_ticket_and_are_put_back(desk: Desk) -> None:
    browser = await signed_in(desk, "Ana", Role.AGENT, "es")
    old, new = await _split(desk, browser)
    page = await browser.see(new)
    assert "And the printer is jammed" in _said(page)
    assert "Printer" in page
    assert "another matter of yours" in page  # in the requester's language
    assert "Separado de" in page
    assert "And the printer is jammed" not in _said(await browser.see(old))
    assert f"Ana lo separó; el otro ticket es #{new.rpartition('/')[2]}" in await browser.see(old)
    await browser.see(new)
    await browser.send(f"{new}/say", text="Which printer?")
    answer = await browser.send(f"{new}/rejoin", htmx=True)
    assert answer.headers["hx-redirect"] == old
    assert "Which printer?" in _said(await browser.see(old))


async def test_what_is_chosen_wrongly_is_said_beside_the_choice(desk: Desk) -> None:
    browser = await signed_in(desk, "Ana", Role.AGENT, "es")
    number, said = await _two_matters(desk)
    path = f"/console/tickets/{number}/split"
    await browser.see(path)
    answer = await browser.send(path, form={"subject": "Printer"})
    assert answer.status_code == 422
    assert "Elija de qué trata el otro asunto" in answer.text
    assert 'value="Printer"' in answer.text
    answer = await browser.send(path, form={"message": list(said.values())})
    assert answer.status_code == 422
    assert "Deje en este ticket algo que dijo el solicitante" in answer.text
    answer = await browser.send(path, form={"message": "no id"})
    assert answer.status_code == 422


async def test_a_program_splits_and_puts_back(desk: Desk, api: Api) -> None:
    await desk.agent()
    client = await api()
    number, said = await _two_matters(desk)
    body = {"messages": [said["And the printer is jammed"]], "tell": False}
    answer = await client.post(f"/api/v1/tickets/{number}/split", json=body)
    assert answer.status_code == 201, answer.text
    new = answer.json()
    assert new["subject"] == "And the printer is jammed"
    again = await client.post(f"/api/v1/tickets/{number}/split", json=body)
    assert again.status_code == 409
    back = await client.post(f"/api/v1/tickets/{new['number']}/rejoin", json={})
    assert str(back.json()["number"]) == number
    gone = (await client.get(f"/api/v1/tickets/{new['number']}")).json()
    assert (gone["status"], gone["closed_as"]) == ("closed", "rejoined")


async def test_the_older_of_two_tickets_does_not_show_what_was_said_of_the_newer(
    desk: Desk,
) -> None:
    browser = await signed_in(desk, "Ana", Role.AGENT)
    conversation = await desk.queued("No VPN")
    async with desk.sessions() as session:
        first = await session.scalar(select(Ticket.number))
    old = f"/console/tickets/{first}"
    await browser.see(old)
    await browser.send(f"{old}/status", status="closed")
    desk.clock.advance(timedelta(hours=1))
    await desk.queued("Now the printer")
    async with desk.sessions() as session:
        rows = (await session.scalars(select(Ticket).order_by(Ticket.number))).all()
    assert [ConversationId(row.conversation_id) for row in rows] == [conversation] * 2
    await browser.see(old)
    await browser.send(f"{old}/say", mode="note", text="It was the router")
    shown = _said(await browser.see(old))
    assert "No VPN" in shown
    assert "is closed" in shown
    assert "It was the router" in shown
    assert "Now the printer" not in shown
    newer = _said(await browser.see(f"/console/tickets/{rows[1].number}"))
    assert "Now the printer" in newer
    assert "No VPN" in newer


async def test_only_what_was_said_in_this_ticket_and_no_earlier_one_can_be_split_off(
    desk: Desk, api: Api
) -> None:
    browser, client = await signed_in(desk, "Ana", Role.AGENT), await api()
    conversation = await desk.queued("No VPN")
    await browser.see("/console/tickets/1001")
    await browser.send("/console/tickets/1001/status", status="closed")
    desk.clock.advance(timedelta(hours=1))
    await desk.queued("Now the printer")
    await desk.says("And the screen")
    async with desk.sessions() as session:
        rows = await session.scalars(
            select(Message).where(
                Message.conversation_id == conversation, Message.speaker == "customer"
            )
        )
        said = {row.text: str(row.id) for row in rows}
    shown = await browser.see("/console/tickets/1002/split")
    assert [text for text in said if said[text] in shown] == ["Now the printer", "And the screen"]
    path = "/api/v1/tickets/1002/split"
    both = [said["Now the printer"], said["And the screen"]]
    for chosen, status, why in (
        ([said["No VPN"], said["And the screen"]], 409, "earlier ticket"),
        (both, 422, "leave something"),
        ([said["And the screen"]], 201, "And the screen"),
    ):
        answer = await client.post(path, json={"messages": chosen, "tell": False})
        assert answer.status_code == status, answer.text
        assert why in answer.text


async def test_what_the_second_ticket_of_a_chat_began_with_stays_in_it(desk: Desk) -> None:
    browser = await signed_in(desk, "Ana", Role.AGENT)
    conversation = await desk.queued("No VPN")
    await browser.see("/console/tickets/1001")
    await browser.send("/console/tickets/1001/status", status="closed")
    desk.clock.advance(timedelta(hours=1))
    await desk.queued("Now the printer")
    await desk.says("And the screen")
    async with desk.sessions() as session:
        rows = await session.scalars(
            select(Message).where(
                Message.conversation_id == conversation, Message.speaker == "customer"
            )
        )
        said = {row.text: str(row.id) for row in rows}
    second = "/console/tickets/1002"
    await browser.see(second)
    for later in ("yes", "no"):
        path = f"{second}/messages/{said['Now the printer']}/split"
        answer = await browser.send(path, later=later)
        assert "cannot be split at its beginning" in answer.text
    assert "Now the printer" in _said(await browser.see(second))
    path = f"{second}/messages/{said['And the screen']}/split"
    assert (await browser.send(path, later="yes")).status_code == 303


async def test_the_older_of_two_tickets_does_not_show_the_notes_of_the_newer(desk: Desk) -> None:
    browser = await signed_in(desk, "Ana", Role.AGENT)
    await desk.queued("No VPN")
    old, new = "/console/tickets/1001", "/console/tickets/1002"
    await browser.see(old)
    await browser.send(f"{old}/status", status="closed")
    await browser.send(f"{old}/say", mode="note", text="It was the router")
    await browser.send(f"{old}/follow-up")
    await browser.send(f"{new}/say", mode="note", text="Told the vendor")
    await browser.send(f"{old}/say", mode="note", text="And its cable")
    for _ in range(2):  # before and after something is said in the newer
        shown = _said(await browser.see(old))
        assert "No VPN" in shown
        assert "It was the router" in shown
        assert "And its cable" in shown
        assert "Told the vendor" not in shown
        assert "Told the vendor" in _said(await browser.see(new))
        await browser.send(f"{new}/say", mode="reply", text="One more thing")
