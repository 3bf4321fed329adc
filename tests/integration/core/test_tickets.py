from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import select

from core.domain.assistant import Handoff, HandoffReason
from core.domain.conversation import Responder
from core.domain.errors import Conflict, IllegalTransition, InvalidInput, NotFound
from core.domain.ids import AgentId, ConversationId, TicketId, new_id
from core.domain.ticket import TicketStatus
from core.storage.tables import TicketEvent
from tests.support.desk import Rig


async def _queued(rig: Rig, text: str = "help") -> tuple[TicketId, ConversationId]:
    conversation = await rig.hear(text)
    await rig.reply(conversation, Handoff(reason=HandoffReason.ASKED_FOR_HUMAN))
    return await rig.ticket_id(), conversation


async def _history(rig: Rig, ticket: TicketId) -> list[tuple[str, str | None, str | None]]:
    async with rig.sessions() as session:
        rows = await session.scalars(
            select(TicketEvent).where(TicketEvent.ticket_id == ticket).order_by(TicketEvent.id)
        )
        return [(row.field, row.old, row.new) for row in rows]


async def test_taking_a_ticket_opens_it_and_gives_the_conversation_to_the_agent(rig: Rig) -> None:
    ticket, _ = await _queued(rig)
    ana = await rig.agent()
    await rig.tickets.take(ticket, ana)
    await rig.tickets.take(ticket, ana)  # again changes nothing

    taken = await rig.ticket()
    assert (taken.status, taken.assignee_id) == (TicketStatus.OPEN, ana.id)
    assert (await rig.conversation()).responder == Responder.HUMAN
    assert await _history(rig, ticket) == [
        ("status", None, "new"),
        ("assignee", None, str(ana.id)),
        ("status", "new", "open"),
    ]


async def test_of_two_agents_taking_at_once_one_wins_and_the_other_is_told_who(rig: Rig) -> None:
    ticket, _ = await _queued(rig)
    agents = [await rig.agent("Ana"), await rig.agent("Ben")]
    results = await asyncio.gather(
        *(rig.tickets.take(ticket, agent) for agent in agents), return_exceptions=True
    )

    (conflict,) = [result for result in results if result is not None]
    winner = agents[results.index(None)]
    assert isinstance(conflict, Conflict)
    assert winner.name in str(conflict)


async def test_an_answer_reaches_the_requester_and_counts_as_first_response(rig: Rig) -> None:
    ticket, _ = await _queued(rig)
    ana = await rig.agent()
    await rig.tickets.reply(ticket, ana, "  Try again now.  ")

    assert (await rig.texts())[-1] == ("agent", "Try again now.")
    answered = await rig.ticket()
    assert answered.assignee_id == ana.id
    assert answered.first_response_at is not None


async def test_a_note_is_internal_and_changes_neither_status_nor_assignee(rig: Rig) -> None:
    ticket, _ = await _queued(rig)
    await rig.tickets.note(ticket, await rig.agent(), "looks like the proxy")

    *_, note = await rig.messages()
    assert note.is_internal
    assert (await rig.ticket()).status == TicketStatus.NEW


@pytest.mark.parametrize("words", ["", "  \n", "a\x00b", "\ud800"])
async def test_words_that_say_nothing_or_cannot_be_kept_are_refused(rig: Rig, words: str) -> None:
    ticket, _ = await _queued(rig)
    with pytest.raises(InvalidInput):
        await rig.tickets.reply(ticket, await rig.agent(), words)


async def test_solving_tells_the_requester_and_their_next_word_opens_it_again(rig: Rig) -> None:
    ticket, conversation = await _queued(rig)
    ana = await rig.agent()
    await rig.tickets.take(ticket, ana)
    await rig.tickets.set_status(ticket, TicketStatus.SOLVED, ana)
    speaker, words = (await rig.texts())[-1]
    assert speaker == "system"
    assert "solved" in words
    assert (await rig.conversation()).responder == Responder.CLOSED

    assert await rig.hear("it is back") == conversation
    reopened = await rig.ticket()
    assert (reopened.id, reopened.status, reopened.solved_at) == (ticket, "open", None)
    assert (await rig.conversation()).responder == Responder.HUMAN
    assert await rig.turns.plan(conversation) is None


async def test_a_word_of_the_requester_ends_waiting(rig: Rig) -> None:
    ticket, _ = await _queued(rig)
    ana = await rig.agent()
    await rig.tickets.take(ticket, ana)
    await rig.tickets.set_status(ticket, TicketStatus.PENDING, ana)
    await rig.hear("here is the serial number")
    assert (await rig.ticket()).status == TicketStatus.OPEN


async def test_a_closed_ticket_takes_no_more(rig: Rig) -> None:
    ticket, _ = await _queued(rig)
    ana = await rig.agent()
    await rig.tickets.set_status(ticket, TicketStatus.CLOSED, ana)
    for call in (
        rig.tickets.take(ticket, ana),
        rig.tickets.reply(ticket, ana, "x"),
        rig.tickets.set_status(ticket, TicketStatus.OPEN, ana),
        rig.tickets.assign(ticket, ana.id, ana),
        rig.tickets.return_to_bot(ticket, ana),
    ):
        with pytest.raises(IllegalTransition):
            await call


async def test_a_conversation_handed_back_begins_an_episode_that_knows_the_agents_words(
    rig: Rig,
) -> None:
    ticket, conversation = await _queued(rig)
    ana = await rig.agent()
    await rig.tickets.reply(ticket, ana, "Your laptop is on its way.")
    await rig.tickets.return_to_bot(ticket, ana)
    await rig.hear("thanks, and the VPN?")
    plan = await rig.turns.plan(conversation)

    assert plan is not None
    assert plan.request.sender == f"{conversation}:2"
    assert plan.request.text == "thanks, and the VPN?"
    assert "Your laptop is on its way." in (plan.request.summary or "")
    with pytest.raises(IllegalTransition):
        await rig.tickets.return_to_bot(ticket, ana)


async def test_a_second_hand_off_reopens_the_unclosed_ticket(rig: Rig) -> None:
    ticket, conversation = await _queued(rig)
    await rig.tickets.return_to_bot(ticket, await rig.agent())
    await rig.hear("human again")
    await rig.reply(conversation, Handoff(reason=HandoffReason.ANGRY))

    again = await rig.ticket()
    assert (again.id, again.status, again.reason) == (ticket, "open", "angry")
    assert again.assignee_id is None


async def test_assigning_and_releasing(rig: Rig) -> None:
    ticket, _ = await _queued(rig)
    ana, ben = await rig.agent("Ana"), await rig.agent("Ben")
    await rig.tickets.assign(ticket, ben.id, ana)
    assert (await rig.ticket()).assignee_id == ben.id
    await rig.tickets.assign(ticket, None, ana)
    assert (await rig.conversation()).responder == Responder.QUEUED
    with pytest.raises(NotFound):
        await rig.tickets.assign(ticket, AgentId(new_id()), ana)


async def test_an_unknown_ticket_is_not_found(rig: Rig) -> None:
    with pytest.raises(NotFound):
        await rig.tickets.take(TicketId(new_id()), await rig.agent())


async def test_a_ticket_returned_to_the_assistant_can_be_opened_again_by_an_agent(
    rig: Rig,
) -> None:
    ticket, conversation = await _queued(rig)
    ana = await rig.agent()
    await rig.tickets.take(ticket, ana)
    await rig.tickets.return_to_bot(ticket, ana)
    await rig.tickets.set_status(ticket, TicketStatus.OPEN, ana)
    await rig.hear("hello?")

    assert (await rig.conversation()).responder == Responder.HUMAN
    assert await rig.turns.plan(conversation) is None


async def test_closing_tells_the_requester_in_other_words_than_solving(rig: Rig) -> None:
    ticket, _ = await _queued(rig)
    await rig.tickets.set_status(ticket, TicketStatus.CLOSED, await rig.agent())
    assert "closed" in (await rig.texts())[-1][1]
