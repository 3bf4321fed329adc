"""What the assistant's commands do to tickets."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import text

from core.domain.assistant import AddToTicket, Handoff, HandoffReason, OpenTicket, Say, TicketKind
from core.domain.content import Caution
from core.domain.conversation import Responder
from core.domain.ids import ConversationId
from core.domain.ticket import TicketStatus
from tests.support.desk import Rig, posted, reply_to, somebody_waits

HUMAN = Handoff(reason=HandoffReason.ASKED_FOR_HUMAN)


async def _ticket_in(rig: Rig, thread: str) -> int:
    """Open a ticket in `thread` and return its number."""
    conversation = await rig.hear("my screen is black", thread=thread)
    await rig.reply(conversation, HUMAN)
    return (await rig.ticket()).number


async def _notes(rig: Rig, thread: str) -> list[str]:
    return [message.text for message in await rig.messages(thread) if message.is_internal]


async def test_what_a_requester_adds_becomes_a_note_on_their_ticket_elsewhere(rig: Rig) -> None:
    number = await _ticket_in(rig, "t1")
    ana = await rig.agent()
    await rig.tickets.set_status(await rig.ticket_id(), TicketStatus.PENDING, ana)
    other = await rig.hear(f"add to ticket {number} that it beeps", thread="t2")
    await rig.reply(other, Say(text="Added."), AddToTicket(number=number, text="it beeps"))

    assert await _notes(rig, "t1") == ["The requester adds: it beeps"]
    assert await _notes(rig, "t2") == []
    assert (await rig.ticket()).status == TicketStatus.OPEN
    assert (await rig.conversation("t2")).responder == Responder.BOT


async def test_adding_to_a_ticket_locks_what_counts_for_it_before_later_conversations(
    rig: Rig,
) -> None:
    counts = await rig.hear("my mouse is gone", thread="t3")
    asking = await rig.hear("it beeps", thread="t2")
    number = await _ticket_in(rig, "t1")
    async with rig.sessions.begin() as session:
        await session.execute(
            text("UPDATE conversation SET counted_by = :counts WHERE thread = 't1'"),
            {"counts": counts},
        )
        await session.execute(
            text("UPDATE conversation SET last_seq = 100 WHERE id = :counts"), {"counts": counts}
        )
    plan = await rig.turns.plan(asking)
    assert plan is not None
    reply = reply_to(plan, Say(text="Added."), AddToTicket(number=number, text="it beeps"))
    lock = text("SELECT FROM conversation WHERE id = :name FOR UPDATE NOWAIT")
    async with rig.sessions.begin() as other:
        await other.execute(lock, {"name": counts})
        settling = asyncio.create_task(rig.turns.settle(plan, reply))
        await somebody_waits(rig.sessions)
        await other.execute(lock, {"name": asking})
    assert await settling


async def test_adding_to_a_solved_ticket_reopens_it_for_whoever_had_it(rig: Rig) -> None:
    number = await _ticket_in(rig, "t1")
    ana = await rig.agent()
    await rig.tickets.reply(await rig.ticket_id(), ana, "Done.", then=TicketStatus.SOLVED)
    other = await rig.hear("still black", thread="t2")
    await rig.reply(other, Say(text="Added."), AddToTicket(number=number, text="still black"))

    ticket = await rig.ticket()
    assert (ticket.status, ticket.assignee_id) == (TicketStatus.OPEN, ana.id)
    assert (await rig.conversation("t1")).responder == Responder.HUMAN


async def test_adding_in_the_tickets_own_conversation_brings_the_humans_back(rig: Rig) -> None:
    number = await _ticket_in(rig, "t1")
    await rig.tickets.return_to_bot(await rig.ticket_id(), await rig.agent())
    conversation = await rig.hear("add that it is black again")
    await rig.reply(conversation, Say(text="Added."), AddToTicket(number=number, text="again"))

    assert (await rig.conversation()).responder == Responder.QUEUED
    ticket = await rig.ticket()
    assert (ticket.status, ticket.reason) == (TicketStatus.OPEN, HandoffReason.FOLLOW_UP)


async def test_nothing_is_added_to_a_ticket_the_assistant_was_not_told_of(rig: Rig) -> None:
    number = await _ticket_in(rig, "t1")
    stranger = posted("add this", thread="t9", who="somebody-else")
    await rig.intake.accept(stranger)
    conversation = ConversationId((await rig.conversation("t9")).id)
    await rig.reply(conversation, Say(text="Added."), AddToTicket(number=number, text="mine"))

    assert await _notes(rig, "t1") == []


async def test_nothing_is_added_for_a_sender_nobody_vouches_for(rig: Rig) -> None:
    number = await _ticket_in(rig, "t1")
    await rig.intake.accept(replace(posted("add this", thread="t2"), caution=Caution.UNVERIFIED))
    conversation = ConversationId((await rig.conversation("t2")).id)
    plan = await rig.reply(
        conversation, Say(text="Added."), AddToTicket(number=number, text="not mine")
    )

    assert plan.request.tickets == ()
    assert await _notes(rig, "t1") == []


@pytest.mark.parametrize(
    ("language", "device", "since"), [("en", "Device", "Since"), ("es", "Dispositivo", "Desde")]
)
async def test_the_details_of_a_report_are_shown_to_agents(
    rig: Rig, language: str, device: str, since: str
) -> None:
    conversation = await rig.hear("my MacBook is broken")
    async with rig.sessions.begin() as session:
        row = await session.get_one(type(await rig.conversation()), conversation)
        row.language = language
    await rig.reply(
        conversation,
        OpenTicket(
            kind=TicketKind.INCIDENT,
            subject="MacBook",
            description="It does not start",
            since="Monday",
            fields={"device": "MacBook", "cost centre": "4711"},
        ),
    )
    ticket = await rig.ticket()
    assert ticket.fields == {"since": "Monday", "device": "MacBook", "cost centre": "4711"}
    lines = ticket.summary.splitlines()
    assert {f"{device}: MacBook", f"{since}: Monday", "cost centre: 4711"} <= set(lines)
