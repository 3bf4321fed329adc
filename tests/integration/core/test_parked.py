"""What may have been sent is parked, and somebody is told who can decide."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from core.domain.assistant import Handoff, HandoffReason, Say
from core.domain.channel import Verdict
from core.domain.conversation import Responder
from core.domain.errors import Conflict, Uncertain
from core.domain.ticket import TicketStatus
from core.storage.tables import TicketEvent
from tests.integration.core.sending import advance, park_next, received, said, say_as_desk, states
from tests.support.desk import Rig


async def test_a_parked_answer_opens_one_ticket_and_its_requester_is_told(rig: Rig) -> None:
    conversation = await said(rig, "a", "b")
    await park_next(rig, conversation)
    await park_next(rig, conversation)
    assert await states(rig) == ["parked", "parked"]
    assert await rig.reasons() == ["in_doubt"]
    ticket = await rig.ticket()
    assert ticket.status == TicketStatus.NEW
    assert (await rig.conversation()).responder == Responder.QUEUED
    await advance(rig, conversation)
    (notice,) = received(rig)
    assert f"**#{ticket.number}**" in notice
    assert "may not have reached you" in notice


async def test_an_agent_who_took_the_conversation_has_a_parked_answer_sent_again(rig: Rig) -> None:
    conversation = await said(rig, "a")
    parked = await park_next(rig, conversation)
    await rig.tickets.take(await rig.ticket_id(), await rig.agent())
    await rig.outbox.unpark(parked, Verdict.RESEND)
    await advance(rig, conversation)
    assert await states(rig) == ["sent"]
    assert "You said: a" in received(rig)


async def test_what_an_agent_counts_as_arrived_is_not_sent_again(rig: Rig) -> None:
    conversation = await said(rig, "a")
    parked = await park_next(rig, conversation)
    await rig.outbox.unpark(parked, Verdict.ARRIVED)
    await advance(rig, conversation)
    assert await states(rig) == ["sent"]
    assert "You said: a" not in received(rig)


async def test_what_was_taken_back_meanwhile_is_not_sent_again(rig: Rig) -> None:
    conversation = await rig.hear("help")
    await rig.reply(conversation, Handoff(reason=HandoffReason.ASKED_FOR_HUMAN))
    await advance(rig, conversation)
    agent = await rig.agent()
    answer = await rig.tickets.reply(await rig.ticket_id(), agent, "oops")
    plan = await rig.outbox.plan(conversation)
    assert plan is not None
    await rig.corrections.withdraw(answer, agent)
    await rig.outbox.settle(plan, Uncertain("the connection broke"))
    with pytest.raises(Conflict, match="taken back"):
        await rig.outbox.unpark(answer, Verdict.RESEND)
    assert (await rig.messages())[-1].delivery == "parked"
    await rig.outbox.unpark(answer, Verdict.NEVER)
    assert (await rig.messages())[-1].delivery == "dropped"


@pytest.mark.parametrize("then", [TicketStatus.PENDING, TicketStatus.SOLVED])
async def test_an_agents_parked_answer_opens_its_ticket_again(rig: Rig, then: TicketStatus) -> None:
    conversation = await rig.hear("hello")
    await rig.reply(conversation, Handoff(reason=HandoffReason.ASKED_FOR_HUMAN))
    await advance(rig, conversation)
    await rig.tickets.reply(await rig.ticket_id(), await rig.agent(), "Solved!", then=then)
    await park_next(rig, conversation)
    ticket = await rig.ticket()
    assert (ticket.status, ticket.reason) == ("open", "asked_for_human")
    async with rig.sessions() as session:
        why = (
            await session.execute(
                select(TicketEvent.new, TicketEvent.reason).where(TicketEvent.actor == "platform")
            )
        ).all()
    assert [tuple(one) for one in why] == [("open", "in_doubt")]


async def test_the_desks_own_words_open_nothing_and_stay_parked(rig: Rig) -> None:
    conversation = await said(rig, "a")
    await advance(rig, conversation)
    await say_as_desk(rig, conversation, "How did we help you?")
    await park_next(rig, conversation)
    assert await rig.reasons() == []
    assert (await rig.messages())[-1].delivery == "parked"


async def test_a_survey_that_is_parked_leaves_its_ticket_solved(rig: Rig) -> None:
    conversation = await rig.hear("hello")
    await rig.reply(conversation, Handoff(reason=HandoffReason.ASKED_FOR_HUMAN))
    agent = await rig.agent()
    await rig.tickets.reply(await rig.ticket_id(), agent, "Solved!", then=TicketStatus.SOLVED)
    await advance(rig, conversation)
    await say_as_desk(rig, conversation, "How did we help you?")
    await park_next(rig, conversation)
    assert (await rig.ticket()).status == TicketStatus.SOLVED
    assert (await rig.messages())[-1].delivery == "parked"


async def test_an_answer_parked_after_a_solved_ticket_was_handed_back_opens_it(rig: Rig) -> None:
    conversation = await rig.hear("hello")
    await rig.reply(conversation, Handoff(reason=HandoffReason.ASKED_FOR_HUMAN))
    await rig.tickets.return_to_bot(await rig.ticket_id(), await rig.agent())
    await rig.hear("and now?")
    await rig.reply(conversation, Say(text="Like this."))
    await advance(rig, conversation)
    await rig.hear("and then?")
    await rig.reply(conversation, Say(text="Like that."))
    await park_next(rig, conversation)
    ticket = await rig.ticket()
    assert (ticket.status, ticket.reason) == ("open", "in_doubt")
    assert (await rig.conversation()).responder == Responder.QUEUED
