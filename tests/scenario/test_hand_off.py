"""A conversation that a human takes: queue, reply, note, solved, reopened, handed back."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.staff import Staff, number_told
from tests.support.visitor import Visitor, texts


@pytest.fixture
async def number(visitor: Visitor) -> int:
    """The ticket of a visitor who asked for a human."""
    return number_told(await visitor.ask("I want to talk to a human about my payslip"))


async def test_the_queue_shows_who_waits(number: int, visitor: Visitor, ana: Staff) -> None:
    queue = await ana.get("/tickets", status="new", assignee="none")
    (waiting,) = [ticket for ticket in queue["items"] if ticket["number"] == number]
    assert waiting["assignee"] is None
    assert waiting["subject"] == "I want to talk to a human about my payslip"
    said = await ana.get(f"/conversations/{waiting['conversation_id']}/messages")
    assert [message["from"] for message in said["items"]] == ["system", "customer"]


async def test_a_reply_arrives_live_and_in_order(number: int, visitor: Visitor, ana: Staff) -> None:
    async with visitor.listening() as stream:
        taken = await ana.do(number, "take")
        assert taken["status"] == "open"
        assert taken["assignee"]["email"] == "ana@example.org"
        await ana.do(number, "replies", text="Good morning, Ana here.")
        message = await stream.until_said("Ana here")
        assert message["from"] == "agent"
        await visitor.say("Thank you!")
        await ana.do(number, "replies", text="It is in the portal now.")
        await stream.until_said("in the portal")
        assert stream.ids == sorted(set(stream.ids))
        assert [m["seq"] for m in stream.messages] == stream.ids
    assert [m["seq"] for m in await visitor.messages()] == stream.ids


async def test_a_stream_goes_on_where_the_reader_left_off(
    number: int, visitor: Visitor, ana: Staff
) -> None:
    last = max(message["seq"] for message in await visitor.messages())
    await ana.do(number, "take")
    await ana.do(number, "replies", text="Said while nobody listened.")
    async with visitor.listening(after=last) as stream:
        await stream.until_said("while nobody listened")
    assert all(seq > last for seq in stream.ids)


async def test_a_note_is_never_shown_to_the_visitor(
    number: int, visitor: Visitor, ana: Staff
) -> None:
    async with visitor.listening() as stream:
        await ana.do(number, "take")
        note = await ana.do(number, "notes", text="Suspicious: check the account.")
        assert note["internal"] is True
        await ana.do(number, "replies", text="One moment.")
        await stream.until_said("One moment")
        assert "Suspicious" not in texts(stream.messages)
    assert "Suspicious" not in texts(await visitor.messages())
    ticket = await ana.ticket(number)
    said = await ana.get(f"/conversations/{ticket['conversation_id']}/messages")
    assert "Suspicious" in texts(said["items"])


async def test_solved_is_told_and_writing_again_reopens(
    number: int, visitor: Visitor, ana: Staff
) -> None:
    await ana.do(number, "take")
    async with visitor.listening() as stream:
        await ana.do(number, "status", status="solved")
        notice = await stream.until_said("is solved")
        assert notice["from"] == "system"
        assert f"#{number}" in notice["text"]
    await visitor.say("It happens again")
    ticket = await ana.ticket(number)
    assert ticket["status"] == "open"
    assert ticket["assignee"]["email"] == "ana@example.org"


async def test_after_closed_a_message_begins_with_the_assistant_again(
    number: int, visitor: Visitor, ana: Staff
) -> None:
    await ana.do(number, "take")
    await ana.do(number, "status", status="closed")
    assert "Connect to the VPN" in texts(await visitor.ask("How do I connect to the VPN?"))
    follow_up = number_told(await visitor.ask("I want to talk to a human"))
    assert follow_up != number
    assert (await ana.ticket(follow_up))["follows"] == number
    assert (await ana.ticket(number))["status"] == "closed"


async def test_handed_back_the_assistant_answers_again(
    number: int, visitor: Visitor, ana: Staff
) -> None:
    await ana.do(number, "take")
    await ana.do(number, "return-to-bot")
    answer = await visitor.ask("How do I connect to the VPN?")
    assert "Connect to the VPN" in texts(answer)
    assert (await ana.ticket(number))["status"] == "solved"


async def test_of_two_agents_who_take_at_once_one_gets_it(
    number: int, ana: Staff, bruno: Staff
) -> None:
    answers = await asyncio.gather(
        *(who.request("POST", f"/tickets/{number}/take", json={}) for who in (ana, bruno))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    (taken,) = [answer.json() for answer in answers if answer.is_success]
    assert (await ana.ticket(number))["assignee"] == taken["assignee"]


async def test_a_ticket_changes_hands(number: int, ana: Staff, bruno: Staff) -> None:
    await ana.do(number, "take")
    given = await ana.do(number, "assign", agent="bruno@example.org")
    assert given["assignee"]["email"] == "bruno@example.org"
    assert (await ana.request("POST", f"/tickets/{number}/take", json={})).status_code == 409


async def test_a_command_that_does_not_fit_is_refused(number: int, ana: Staff) -> None:
    await ana.do(number, "take")
    await ana.do(number, "status", status="closed")
    for command, body in (("take", {}), ("status", {"status": "open"}), ("replies", {"text": "?"})):
        response = await ana.request("POST", f"/tickets/{number}/{command}", json=body)
        assert response.status_code == 409, command
        assert response.headers["content-type"] == "application/problem+json"
