"""Two matters in one chat: each is heard and answered by itself, whatever comes late or moves."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select

from core.domain.assistant import Handoff, HandoffReason
from core.domain.conversation import Responder
from core.domain.desk_choices import RATE
from core.domain.errors import Moved
from core.domain.events import ChoicePressed, ReachabilityChanged, ThreadMoved
from core.domain.ids import (
    AccountId,
    ChoiceId,
    ConversationId,
    EventKey,
    RemoteId,
    ThreadKey,
    TicketId,
    new_id,
)
from core.domain.ticket import TicketStatus
from core.ports.inbox import Refusal
from core.storage.queries.conversations.conversations import (
    count_held_by_assistant,
    held_by_assistant,
)
from core.storage.queries.conversations.transcripts import thread_since
from core.storage.tables import (
    ChoiceRow,
    Message,
)
from tests.integration.tickets.parted import Parted, a_chat, a_parted_chat, late
from tests.support.desk import LOOP, WEB, Rig, posted


@pytest.mark.parametrize("account", [LOOP, WEB])
async def test_answers_of_both_reach_the_thread_in_which_numbers_only_grow(
    rig: Rig, account: AccountId
) -> None:
    parted = await a_parted_chat(rig, account)
    async with rig.sessions() as session:
        read = (await thread_since(session, account, ThreadKey("t1"), 0, 50))[-1].seq
    await rig.tickets.reply(parted.vpn, parted.ana, "which client?")
    await rig.tickets.reply(parted.printer, parted.ana, "which printer?")
    await rig.tickets.note(parted.vpn, parted.ana, "call them")
    await rig.tickets.reply(parted.vpn, parted.ana, "and which Windows?")
    async with rig.sessions() as session:
        said = await thread_since(session, account, ThreadKey("t1"), read, 50)
    assert [one.text for one in said] == ["which client?", "which printer?", "and which Windows?"]
    numbers = await parted.numbers()
    assert len(set(numbers)) == len(numbers)


async def test_both_are_sent_to_the_same_place_and_the_one_beside_says_so(rig: Rig) -> None:
    parted = await a_parted_chat(rig)
    await rig.tickets.reply(parted.vpn, parted.ana, "which client?")
    await rig.tickets.reply(parted.printer, parted.ana, "which printer?")
    for ticket in (parted.vpn, parted.printer):
        await parted.deliver(ticket)
    sent = [one for one in rig.platform.received if one.speaker == "agent"]
    assert [(one.thread, one.is_beside) for one in sent] == [("t1", False), ("t1", True)]


async def test_what_is_written_goes_where_was_spoken_last(rig: Rig) -> None:
    parted = await a_parted_chat(rig)
    await parted.hear("still no VPN")  # nobody has answered in the new ticket
    await rig.tickets.reply(parted.printer, parted.ana, "which printer?")
    await parted.hear("the one on floor 2")
    await parted.hear("by the lift")
    await rig.tickets.note(parted.vpn, parted.ana, "a note is no answer")
    await parted.hear("the grey one")
    await rig.tickets.reply(parted.vpn, parted.ana, "restart it")
    await parted.hear("done, it connects")
    assert await parted.said_in(parted.printer) == [
        "and the printer is jammed",
        "which printer?",
        "the one on floor 2",
        "by the lift",
        "the grey one",
    ]
    assert (await parted.said_in(parted.vpn))[-2:] == ["restart it", "done, it connects"]


async def test_a_reply_to_a_message_goes_to_the_ticket_that_has_it(rig: Rig) -> None:
    parted = await a_chat(rig)
    await parted.hear("the scanner too", remote_ids=(RemoteId("scan"),))
    await parted.split("and the printer is jammed", "the scanner too")
    await parted.hear("it blinks", answers=RemoteId("scan"))
    await parted.hear("red")  # they go on with what they replied to
    await parted.hear("of somebody else", answers=RemoteId("unknown"))
    said = await parted.said_in(parted.printer)
    assert said[-3:] == ["it blinks", "red", "of somebody else"]


async def test_what_is_written_when_one_is_closed_goes_to_the_other(rig: Rig) -> None:
    parted = await a_parted_chat(rig)
    await rig.tickets.reply(parted.vpn, parted.ana, "mended", then=TicketStatus.CLOSED)
    await parted.hear("and now?")
    assert (await parted.said_in(parted.printer))[-1] == "and now?"
    await rig.tickets.set_status(parted.printer, TicketStatus.SOLVED, parted.ana)
    await parted.hear("it is not")
    assert (await parted.said_in(parted.printer))[-1] == "it is not"
    assert (await parted.ticket(parted.printer)).status == TicketStatus.OPEN


async def test_when_all_is_closed_the_thread_begins_anew_and_counts_on(rig: Rig) -> None:
    parted = await a_parted_chat(rig)
    for ticket in (parted.vpn, parted.printer):
        await rig.tickets.set_status(ticket, TicketStatus.CLOSED, parted.ana)
    rig.clock.advance(days=30)
    await parted.hear("another matter")
    fresh = await rig.conversation()
    assert fresh.responder == Responder.BOT
    assert fresh.last_seq == max(await parted.numbers())
    await parted.hear("are you there?")
    numbers = await parted.numbers()
    assert len(set(numbers)) == len(numbers)
    assert not (await parted.conversation(parted.printer)).is_beside


async def _button(parted: Parted, ticket: TicketId, intent: str = "urgent") -> ChoiceId:
    """Put a button under what the desk said last in a ticket."""
    choice = ChoiceId(new_id())
    home = (await parted.conversation(ticket)).id
    async with parted.rig.sessions.begin() as session:
        notice = await session.scalar(
            select(Message.id)
            .where(Message.conversation_id == home, Message.speaker == "system")
            .order_by(Message.seq.desc())
            .limit(1)
        )
        row = ChoiceRow(
            id=choice, message_id=notice, conversation_id=home, label="Urgent", intent=intent
        )
        if intent == RATE:
            row.entities = {"survey": str(new_id()), "score": "1"}
        session.add(row)
    return choice


async def _press(rig: Rig, choice: ChoiceId) -> Refusal | None:
    (answer,) = await rig.intake.accept(
        ChoicePressed(
            account=LOOP,
            key=EventKey(f"press-{new_id()}"),
            thread=ThreadKey("t1"),
            author=posted("x").author,
            at=rig.clock(),
            choice=choice,
        )
    )
    return answer.refusal


async def test_a_button_counts_in_the_ticket_under_whose_words_it_stands(rig: Rig) -> None:
    parted = await a_parted_chat(rig)
    await rig.tickets.reply(parted.printer, parted.ana, "which printer?")
    assert await _press(rig, await _button(parted, parted.vpn)) is None
    assert (await parted.said_in(parted.vpn))[-1] == "Urgent"


@pytest.mark.parametrize(("intent", "is_heard_in_vpn"), [("urgent", True), (RATE, False)])
@pytest.mark.parametrize("days", [1, 30])
async def test_an_old_button_takes_no_open_ticket_out_of_the_chat(
    rig: Rig, intent: str, is_heard_in_vpn: bool, days: int
) -> None:
    parted = await a_parted_chat(rig)
    choice = await _button(parted, parted.printer, intent)
    await rig.tickets.set_status(parted.printer, TicketStatus.CLOSED, parted.ana)
    rig.clock.advance(days=days)
    assert await _press(rig, choice) is None
    heard_in = parted.vpn if is_heard_in_vpn else parted.printer
    assert (await parted.said_in(heard_in))[-1] == "Urgent"
    assert (await parted.conversation(parted.printer)).responder == Responder.CLOSED
    await parted.hear("is it mended?")
    assert (await parted.said_in(parted.vpn))[-1] == "is it mended?"


async def test_a_button_is_pressed_once_also_where_its_press_was_split_off(rig: Rig) -> None:
    parted = await a_chat(rig)
    choice = await _button(parted, parted.vpn)
    assert await _press(rig, choice) is None
    await parted.split("Urgent", tells=False)
    assert await _press(rig, choice) == Refusal.ALREADY_CHOSEN


async def test_a_thread_that_moves_takes_both_along_and_so_does_one_that_is_blocked(
    rig: Rig,
) -> None:
    parted = await a_parted_chat(rig)
    common = {"account": LOOP, "author": posted("x").author, "at": rig.clock()}
    await rig.intake.accept(
        ThreadMoved(
            key=EventKey("moved"),
            thread=ThreadKey("t1"),
            new_thread=ThreadKey("t2"),
            **common,  # type: ignore[arg-type]
        ),
        ReachabilityChanged(
            key=EventKey("blocked"),
            thread=ThreadKey("t2"),
            reachable=False,
            **common,  # type: ignore[arg-type]
        ),
    )
    for ticket in (parted.vpn, parted.printer):
        there = await parted.conversation(ticket)
        assert there.thread == "t2"
        assert there.unreachable_since is not None


async def test_both_halves_can_be_talked_in_at_once(rig: Rig) -> None:
    parted = await a_parted_chat(rig)
    await asyncio.gather(
        *(rig.tickets.reply(parted.vpn, parted.ana, f"vpn {n}") for n in range(5)),
        *(rig.tickets.reply(parted.printer, parted.ana, f"printer {n}") for n in range(5)),
        *(parted.hear(f"word {n}") for n in range(5)),
    )
    numbers = await parted.numbers()
    assert len(set(numbers)) == len(numbers)
    said = [*await parted.said_in(parted.vpn), *await parted.said_in(parted.printer)]
    assert sorted(one for one in said if one.startswith("word")) == [f"word {n}" for n in range(5)]


async def test_what_comes_late_stands_where_it_was_written(rig: Rig) -> None:
    parted = await a_chat(rig)
    await rig.intake.accept(late("0005", "five"), late("0007", "seven"))
    await parted.split("five")
    await rig.intake.accept(late("0006", "six"))
    assert (await parted.said_in(parted.vpn))[-2:] == ["six", "seven"]


async def test_a_new_ticket_follows_the_one_that_has_the_history(rig: Rig) -> None:
    parted = await a_parted_chat(rig)
    await parted.deliver(parted.printer)
    await parted.rejoining.rejoin(parted.printer, parted.ana)
    await rig.tickets.set_status(parted.vpn, TicketStatus.CLOSED, parted.ana)
    await parted.hear("no VPN again")
    home = await rig.conversation_id()
    await rig.reply(home, Handoff(reason=HandoffReason.PROBLEM_REPORTED))
    assert (await rig.ticket()).follows_id == parted.vpn


async def test_a_new_ticket_follows_none_about_another_matter_that_is_open(rig: Rig) -> None:
    parted = await a_parted_chat(rig)
    await rig.tickets.return_to_bot(parted.vpn, parted.ana)
    home = ConversationId((await parted.conversation(parted.vpn)).id)
    await rig.tickets.set_status(parted.vpn, TicketStatus.CLOSED, parted.ana)
    await parted.hear("no VPN again")
    await rig.reply(home, Handoff(reason=HandoffReason.PROBLEM_REPORTED))
    assert (await rig.ticket()).follows_id == parted.vpn


async def test_what_the_assistant_holds_beside_the_current_conversation_is_listed(
    rig: Rig,
) -> None:
    parted = await a_parted_chat(rig)
    since = rig.clock() - timedelta(hours=1)
    await rig.tickets.return_to_bot(parted.printer, parted.ana)
    async with rig.sessions() as session:
        held = await held_by_assistant(session, since)
        assert await count_held_by_assistant(session, since) == 1
    assert [one.id for one in held] == [(await parted.conversation(parted.printer)).id]


@pytest.mark.parametrize("finds_out", ["vpn", "printer"])
@pytest.mark.parametrize("is_taken", [False, True])
async def test_whichever_finds_out_that_the_thread_moved_takes_the_other_along(
    rig: Rig, finds_out: str, is_taken: bool
) -> None:
    parted = await a_parted_chat(rig)
    for ticket in (parted.vpn, parted.printer):
        await parted.deliver(ticket)
    if is_taken:
        await rig.hear("hello", thread="t9")
    rig.platform.faults.append(Moved(ThreadKey("t9")))
    ticket = parted.vpn if finds_out == "vpn" else parted.printer
    await rig.tickets.reply(ticket, parted.ana, "mended")
    await parted.deliver(ticket)
    places = [await parted.conversation(one) for one in (parted.vpn, parted.printer)]
    assert [one.thread for one in places] == ["t9", "t9"]
    assert [one.is_current for one in places] == [not is_taken, False]
    assert places[1].is_beside


@pytest.mark.parametrize("is_taken", [False, True])
async def test_two_letters_on_their_way_when_the_thread_moves_leave_it_as_one_would(
    rig: Rig, is_taken: bool
) -> None:
    parted = await a_parted_chat(rig)
    plans = []
    for ticket in (parted.vpn, parted.printer):
        await parted.deliver(ticket)
        await rig.tickets.reply(ticket, parted.ana, "mended")
        home = ConversationId((await parted.conversation(ticket)).id)
        plan = await rig.outbox.plan(home)
        assert plan is not None
        plans.append(plan)
    if is_taken:
        await rig.hear("hello", thread="t9")
    for plan in plans:
        await rig.outbox.settle(plan, Moved(ThreadKey("t9")))
    places = [await parted.conversation(one) for one in (parted.vpn, parted.printer)]
    assert [(one.thread, one.is_current) for one in places] == [
        ("t9", not is_taken),
        ("t9", False),
    ]
