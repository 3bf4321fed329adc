"""A ticket whose clocks cannot be worked out holds up no other."""

from __future__ import annotations

from sqlalchemy import select

from core.domain.assistant import Handoff, HandoffReason
from core.domain.ids import TicketId
from core.domain.setbacks import Chore
from core.domain.sla.policy import Policy
from core.domain.ticket import TicketStatus
from core.services.sla.rules import Closing
from core.storage.tables import Setback, TicketEvent
from tests.integration.sla.world import HOUR, Promised, targets
from tests.support.broken_tickets import break_ticket, mend_ticket

THREADS = ("t1", "t2", "t3")


async def _three(desk: Promised) -> dict[str, TicketId]:
    for thread in THREADS:
        conversation = await desk.hear("my screen is broken", thread=thread)
        await desk.reply(conversation, Handoff(reason=HandoffReason.ASKED_FOR_HUMAN))
        await desk.reactions.advance(conversation)
    return {thread: await desk.ticket_id(thread) for thread in THREADS}


async def _noted(desk: Promised, field: str) -> set[object]:
    async with desk.sessions() as session:
        rows = await session.scalars(
            select(TicketEvent.ticket_id).where(TicketEvent.field == field)
        )
        return set(rows)


async def _set_aside(desk: Promised) -> list[tuple[str, object, int]]:
    async with desk.sessions() as session:
        rows = await session.scalars(select(Setback))
        return [(row.chore, row.item, row.tries) for row in rows]


async def test_promises_of_the_others_are_kept_count_of(desk: Promised) -> None:
    await desk.promise(first_response=1)
    tickets = await _three(desk)
    await break_ticket(desk.sessions, tickets["t2"])
    desk.clock.advance(hours=2)
    assert await desk.sweep.note_due() == 2
    assert await _noted(desk, "sla_breach") == {tickets["t1"], tickets["t3"]}
    assert await _set_aside(desk) == [(Chore.PROMISES, tickets["t2"], 1)]
    assert await desk.sweep.note_due() == 0  # not looked at again at once
    desk.clock.advance(minutes=2)
    await desk.sweep.note_due()
    assert await _set_aside(desk) == [(Chore.PROMISES, tickets["t2"], 2)]
    await mend_ticket(desk.sessions)
    desk.clock.advance(minutes=3)
    assert await desk.sweep.note_due() == 1
    assert await _noted(desk, "sla_breach") == set(tickets.values())
    assert await _set_aside(desk) == []


async def test_changed_rules_reach_the_others(desk: Promised) -> None:
    policy = await desk.promise(resolution=8)
    tickets = await _three(desk)
    desk.clock.advance(hours=2)
    await desk.policies.change(
        Policy(id=policy, name="usual", targets=targets({"resolution": 1})), await desk.admin()
    )
    await break_ticket(desk.sessions, tickets["t1"])
    assert await desk.sweep.apply_new_rules() == 2
    assert await desk.sweep.apply_new_rules() == 0
    ticket = await desk.ticket("t3")
    assert ticket.sla_due_at == ticket.created_at + HOUR


async def test_silent_tickets_come_to_their_end_all_the_same(desk: Promised) -> None:
    await desk.policies.set_closing(Closing(close_after_days=1), await desk.admin())
    tickets = await _three(desk)
    ana = await desk.agent()
    for thread, ticket in tickets.items():
        await desk.tickets.set_status(ticket, TicketStatus.SOLVED, ana)
        await desk.reactions.advance(await desk.conversation_id(thread))
    await break_ticket(desk.sessions, tickets["t1"])
    desk.clock.advance(hours=96)
    await desk.closing.end_due()
    ended = [(await desk.ticket(thread)).status for thread in THREADS]
    assert ended == [TicketStatus.SOLVED, TicketStatus.CLOSED, TicketStatus.CLOSED]
    assert await _set_aside(desk) == [(Chore.ENDING, tickets["t1"], 1)]
