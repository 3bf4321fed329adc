from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from core.domain.assistant import Handoff, HandoffReason, Say
from core.domain.channel import HeldBack, Receipt
from core.domain.conversation import Responder, Speaker
from core.domain.errors import Unavailable
from core.domain.ids import ConversationId, RemoteId, new_id
from core.domain.ticket import TicketStatus
from core.services.audit import done_by_program
from core.services.delivery.budget import next_moment
from core.services.ledger import Ledger
from core.services.locks import locked
from core.storage.tables import Conversation, Ticket
from tests.support.desk import Rig

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


async def _answered(rig: Rig, number: int) -> ConversationId:
    conversation = await rig.hear("Thanks for your mail!", thread=f"t{number}")
    await rig.reply(conversation, Say(text="You are welcome."))
    return conversation


async def _leaves(rig: Rig) -> list[str]:
    """Send what is due; return the texts of what left for the person now, in order."""
    async with rig.sessions() as session:
        names = list(await session.scalars(select(Conversation.id)))
    left = []
    for name in names:
        while (plan := await rig.outbox.plan(ConversationId(name))) is not None:
            left.append(plan.message.body.text)
            await rig.outbox.settle(plan, Receipt(remote_ids=(RemoteId(str(new_id())),)))
    return left


async def _says(rig: Rig, conversation: ConversationId, *texts: str) -> None:
    """Let the desk itself say `texts`."""
    async with rig.sessions.begin() as session:
        ledger, row = Ledger(rig.accounts, rig.clock()), await locked(session, conversation)
        for words in texts:
            ledger.say(row, Speaker.SYSTEM, words)
        await ledger.write(session)


async def _dropped(rig: Rig, thread: str = "t3") -> list[str]:
    return [one.text for one in await rig.messages(thread) if one.delivery == "dropped"]


async def _third_letter(rig: Rig) -> ConversationId:
    """Let the person write once more after all answers; a ticket begins."""
    rig.enable(answers_per_hour=2)
    await _answered(rig, 1)
    await _answered(rig, 2)
    conversation = await rig.hear("My screen is broken", thread="t3")
    assert await rig.turns.plan(conversation) is None
    return conversation


async def test_a_person_gets_so_many_answers_then_a_human_and_later_the_ticket_s_number(
    rig: Rig,
) -> None:
    await _third_letter(rig)
    assert (await rig.conversation("t3")).responder == Responder.QUEUED
    assert (await rig.ticket("t3")).reason == HandoffReason.ANSWER_LIMIT
    assert await _leaves(rig) == ["You are welcome."] * 2
    rig.clock.advance(minutes=59)
    assert await _leaves(rig) == []
    rig.clock.advance(minutes=2)
    (notice,) = await _leaves(rig)
    assert "#1001" in notice


async def test_who_goes_on_writing_gets_one_number_a_day_so_that_no_loop_goes_on(rig: Rig) -> None:
    await _third_letter(rig)
    fourth = await rig.hear("My screen is broken", thread="t4")
    assert await rig.turns.plan(fourth) is None
    assert (await rig.ticket("t4")).reason == HandoffReason.ANSWER_LIMIT
    await _leaves(rig)
    rig.clock.advance(hours=12)
    assert len(await _leaves(rig)) == 1
    rig.clock.advance(hours=12)
    assert await _leaves(rig) == []


async def test_what_waited_leaves_one_by_one_with_growing_pauses_and_for_a_day_at_most(
    rig: Rig,
) -> None:
    rig.enable(answers_per_hour=2)
    conversation = await rig.hear("Thanks for your mail!")
    await _says(rig, conversation, *(str(number) for number in range(30)))
    left = {}
    for hour in range(27):
        if found := await _leaves(rig):
            left[hour] = found
        rig.clock.advance(hours=1, seconds=1)
    assert left == {0: ["0", "1"], 1: ["2"], 3: ["3"], 7: ["4"], 15: ["5"], 24: ["6"]}
    assert await _dropped(rig, "t1") == [str(number) for number in range(7, 30)]


async def test_a_notice_that_waits_holds_up_no_agent_and_is_not_sent_after_their_answer(
    rig: Rig,
) -> None:
    await _third_letter(rig)
    await _leaves(rig)
    await rig.tickets.reply(await rig.ticket_id("t3"), await rig.agent(), "I bring you another.")
    assert await _leaves(rig) == ["I bring you another."]
    rig.clock.advance(hours=2)
    assert await _leaves(rig) == []
    (notice,) = await _dropped(rig)
    assert "#1001" in notice


async def test_a_notice_that_waits_is_not_sent_about_what_was_solved_meanwhile(rig: Rig) -> None:
    await _third_letter(rig)
    await _leaves(rig)
    await rig.tickets.set_status(await rig.ticket_id("t3"), TicketStatus.SOLVED, await rig.agent())
    (end,) = await _leaves(rig)
    assert "is solved" in end
    rig.clock.advance(hours=2)
    assert await _leaves(rig) == []
    held = next(one for one in await rig.messages("t3") if "Your ticket is **#1001**" in one.text)
    assert (held.delivery, held.delivery_detail) == ("dropped", HeldBack.OVERTAKEN)


async def test_a_notice_of_another_hand_off_is_not_sent_after_an_answer_either(rig: Rig) -> None:
    conversation = await _third_letter(rig)
    ticket, agent = await rig.ticket_id("t3"), await rig.agent()
    await rig.tickets.reply(ticket, agent, "I bring you another.")
    await rig.tickets.return_to_bot(ticket, agent)
    await _says(rig, conversation, "one")
    await _leaves(rig)
    await rig.hear("It is broken again", thread="t3")
    rig.clock.advance(minutes=1)
    assert await rig.turns.plan(conversation) is None
    assert await _leaves(rig) == []
    before = len(await _dropped(rig))
    await rig.tickets.reply(ticket, agent, "Again?")
    assert await _leaves(rig) == ["Again?"]
    assert len(await _dropped(rig)) == before + 1


async def test_what_follows_from_what_an_agent_does_is_said_at_once_and_what_waited_before_it(
    rig: Rig,
) -> None:
    conversation = await _third_letter(rig)
    await _says(rig, conversation, "Your request is approved.")
    assert await _leaves(rig) == ["You are welcome."] * 2
    await rig.tickets.set_status(await rig.ticket_id("t3"), TicketStatus.SOLVED, await rig.agent())
    first, second = await _leaves(rig)
    assert (first, "is solved" in second) == ("Your request is approved.", True)


async def test_what_programs_do_with_an_agents_token_to_each_letter_ends_no_count(rig: Rig) -> None:
    conversation = await _third_letter(rig)
    agent = await rig.agent()
    async with rig.sessions.begin() as session:
        await locked(session, conversation)
        ledger = Ledger(rig.accounts, rig.clock())
        ticket = await session.get_one(Ticket, await rig.ticket_id("t3"))
        ledger.record(ticket, "tags", None, "printer", actor=agent.actor)
        await ledger.write(session)
    another = await rig.hear("Thanks for your mail!", thread="t4")
    assert await rig.turns.plan(another) is None


async def test_what_programs_answer_and_which_status_they_set_ends_no_count(rig: Rig) -> None:
    await _third_letter(rig)
    agent, ticket = await rig.agent(), await rig.ticket_id("t3")
    with done_by_program():
        await rig.tickets.reply(ticket, agent, "I bring you another.")
        await rig.tickets.set_status(ticket, TicketStatus.PENDING, agent)
    another = await rig.hear("Thanks for your mail!", thread="t4")
    assert await rig.turns.plan(another) is None
    assert (await rig.ticket("t4")).reason == HandoffReason.ANSWER_LIMIT


async def test_what_an_agent_said_ends_the_count(rig: Rig) -> None:
    await _third_letter(rig)
    await rig.tickets.reply(await rig.ticket_id("t3"), await rig.agent(), "I bring you another.")
    await _answered(rig, 4)


async def test_after_a_pause_there_is_an_answer_again(rig: Rig) -> None:
    rig.enable(answers_per_hour=2)
    await _answered(rig, 1)
    await _answered(rig, 2)
    rig.clock.advance(hours=1)
    await _answered(rig, 3)
    conversation = await rig.hear("Thanks for your mail!", thread="t4")
    rig.clock.advance(minutes=90)
    assert await rig.turns.plan(conversation) is None


async def test_where_nothing_limits_answers_there_is_no_budget(rig: Rig) -> None:
    for number in range(5):
        await _answered(rig, number)


async def test_the_notice_of_a_hand_off_is_part_of_the_answer_where_letters_are_the_custom(
    rig: Rig,
) -> None:
    rig.enable(answers_per_hour=2, joins_turn=True)
    conversation = await rig.hear("I want a human")
    await rig.reply(
        conversation, Say(text="Of course."), Handoff(reason=HandoffReason.ASKED_FOR_HUMAN)
    )
    said = [(who, text) for who, text in await rig.texts() if who != "customer"]
    assert len(said) == 1
    assert said[0][0] == "bot"
    assert said[0][1].startswith("Of course.\n\nI have passed this conversation to our team.")


@pytest.mark.parametrize(
    ("hours_ago", "allowed"),
    [
        ([], True),
        ([0], True),
        ([0, 0], False),
        ([5, 0.9], False),
        ([5, 1], True),
        ([5, 4, 1.5], False),
        ([5, 4, 2], True),
        ([9, 8, 7, 3], False),
        ([9, 8, 7, 4], True),
        ([1] * 60, False),
        ([24] * 60, True),
    ],
)
def test_pauses_double(hours_ago: list[float], allowed: bool) -> None:
    times = [NOON - timedelta(hours=hours) for hours in hours_ago]
    assert (next_moment(times, 2, NOON) == NOON) is allowed


async def _tried_and_held(rig: Rig) -> None:
    """Let the desk's word be tried and then held, with an answer of the assistant behind it."""
    rig.enable(answers_per_hour=5)
    await _answered(rig, 1)
    await _leaves(rig)
    conversation = await rig.hear("Hello?", thread="t2")
    await _says(rig, conversation, "Your ticket is waiting.")
    plan = await rig.outbox.plan(conversation)
    assert plan is not None
    await rig.outbox.settle(plan, Unavailable("the server was away"))
    await rig.reply(conversation, Say(text="The answer."))
    rig.enable(answers_per_hour=1)
    rig.clock.advance(minutes=1)


async def test_what_was_tried_once_and_is_held_since_holds_up_nothing_behind_it(rig: Rig) -> None:
    await _tried_and_held(rig)
    assert await _leaves(rig) == ["The answer."]
    assert await _leaves(rig) == []


async def test_what_was_held_before_others_came_lets_them_pass_too(rig: Rig) -> None:
    await _tried_and_held(rig)
    await _leaves(rig)
    rig.enable(answers_per_hour=5)
    await rig.reply(await rig.hear("And now?", thread="t2"), Say(text="Another."))
    rig.enable(answers_per_hour=1)
    assert await _leaves(rig) == ["Another."]


async def test_what_is_held_since_it_was_tried_shows_no_error_and_leaves_when_it_may(
    rig: Rig,
) -> None:
    await _tried_and_held(rig)
    await _leaves(rig)
    held = next(one for one in await rig.messages("t2") if one.speaker == "system")
    assert (held.delivery, held.delivery_detail) == ("waiting", None)
    rig.clock.advance(hours=1, minutes=1)
    assert await _leaves(rig) == ["Your ticket is waiting."]


async def test_what_an_attempt_failed_for_still_goes_before_what_follows(rig: Rig) -> None:
    rig.enable(answers_per_hour=5)
    conversation = await rig.hear("Hello?")
    await _says(rig, conversation, "First.")
    plan = await rig.outbox.plan(conversation)
    assert plan is not None
    await rig.outbox.settle(plan, Unavailable("the server was away"))
    await rig.reply(conversation, Say(text="Second."))
    assert await _leaves(rig) == []
    rig.clock.advance(minutes=1)
    assert await _leaves(rig) == ["First.", "Second."]
