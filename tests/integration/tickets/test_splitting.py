"""A chat about two matters becomes two tickets: each heard and answered by itself, and put back."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from core.domain.actor import Agent
from core.domain.assistant import Close, Handoff, HandoffReason
from core.domain.channel import DeliveryState
from core.domain.conversation import Responder
from core.domain.desk_choices import RATE
from core.domain.errors import Conflict, InvalidInput, Moved, NotFound
from core.domain.events import ChoicePressed, MessagePosted, ReachabilityChanged, ThreadMoved
from core.domain.ids import (
    AccountId,
    ChoiceId,
    ConversationId,
    EventKey,
    MessageId,
    RemoteId,
    TeamId,
    ThreadKey,
    TicketId,
    new_id,
)
from core.domain.teams import Visibility
from core.domain.ticket import ClosedAs, TicketStatus
from core.ports.inbox import Refusal
from core.runtime.lanes.deliveries import DeliveriesLane
from core.services.conversations.letters import Letters
from core.services.conversations.rejoining import Rejoining
from core.services.conversations.splitting import Splitting
from core.services.links.merging import TicketMerging
from core.services.locks import locked
from core.storage.queries.conversations import count_held_by_assistant, held_by_assistant
from core.storage.queries.sight import sight_of
from core.storage.queries.transcripts import thread_since
from core.storage.tables import (
    AuditEntry,
    ChoiceRow,
    Conversation,
    Delivery,
    Message,
    Team,
    Ticket,
    TicketEvent,
)
from tests.support.desk import LOOP, WEB, Rig, posted, somebody_waits

Said = list[str]


class Parted:
    """A thread in which the printer was split off from the VPN."""

    def __init__(self, rig: Rig, ana: Agent, vpn: TicketId, account: AccountId) -> None:
        self.rig, self.ana, self.vpn, self.account = rig, ana, vpn, account
        self.splitting = Splitting(rig.sessions, rig.accounts, Letters({}), rig.clock)
        self.rejoining = Rejoining(rig.sessions, rig.accounts, rig.clock)
        self.printer: TicketId

    async def split(self, *words: str, tells: bool = True) -> TicketId:
        named = [MessageId((await self.message(one)).id) for one in words]
        self.printer = await self.splitting.split(self.vpn, named, self.ana, tells=tells)
        return self.printer

    async def message(self, words: str) -> Message:
        async with self.rig.sessions() as session:
            return (await session.scalars(select(Message).where(Message.text == words))).one()

    async def hear(self, words: str, **changes: object) -> None:
        said = replace(posted(words, account=self.account), **changes)  # type: ignore[arg-type]
        await self.rig.intake.accept(said)

    async def said_in(self, ticket: TicketId) -> Said:
        """What people said in a ticket's conversation, in order."""
        async with self.rig.sessions() as session:
            home = (await session.get_one(Ticket, ticket)).conversation_id
            rows = await session.execute(
                select(Message.text, Message.speaker)
                .where(Message.conversation_id == home)
                .order_by(Message.position, Message.seq)
            )
            return [words for words, speaker in rows if speaker != "system"]

    async def ticket(self, ticket: TicketId) -> Ticket:
        async with self.rig.sessions() as session:
            return await session.get_one(Ticket, ticket)

    async def conversation(self, ticket: TicketId) -> Conversation:
        async with self.rig.sessions() as session:
            home = (await session.get_one(Ticket, ticket)).conversation_id
            return await session.get_one(Conversation, home)

    async def deliver(self, ticket: TicketId) -> None:
        lane = DeliveriesLane(self.rig.outbox, self.rig.channels)
        await lane.advance(ConversationId((await self.conversation(ticket)).id))

    async def numbers(self) -> Sequence[int]:
        """The numbers of all messages of the thread."""
        async with self.rig.sessions() as session:
            return (await session.scalars(select(Message.seq).order_by(Message.id))).all()


async def _chat(rig: Rig, account: AccountId = LOOP) -> Parted:
    conversation = await rig.hear("no VPN", account=account)
    await rig.reply(conversation, Handoff(reason=HandoffReason.PROBLEM_REPORTED))
    ana = await rig.agent()
    parted = Parted(rig, ana, await rig.ticket_id(), account)
    await rig.tickets.take(parted.vpn, ana)
    await parted.hear("and the printer is jammed")
    await parted.hear("the VPN on my laptop, that is")
    return parted


async def _parted(rig: Rig, account: AccountId = LOOP) -> Parted:
    parted = await _chat(rig, account)
    await parted.split("and the printer is jammed")
    return parted


@pytest.mark.parametrize("account", [LOOP, WEB])
async def test_chosen_messages_become_a_ticket_with_a_history_of_its_own(
    rig: Rig, account: AccountId
) -> None:
    parted = await _parted(rig, account)
    assert await parted.said_in(parted.vpn) == ["no VPN", "the VPN on my laptop, that is"]
    assert await parted.said_in(parted.printer) == ["and the printer is jammed"]
    new = await parted.ticket(parted.printer)
    assert (new.subject, new.status) == ("and the printer is jammed", TicketStatus.OPEN)
    assert new.assignee_id == parted.ana.id
    async with rig.sessions() as session:
        said = await thread_since(session, account, ThreadKey("t1"), 0, 50)
        entry = await session.scalar(select(AuditEntry).where(AuditEntry.action == "ticket.split"))
    assert f"another matter of yours as ticket **#{new.number}**" in said[-1].text
    assert [one.text for one in said][-3] == "and the printer is jammed"  # the reader's order stays
    assert entry is not None


@pytest.mark.parametrize("account", [LOOP, WEB])
async def test_answers_of_both_reach_the_thread_in_which_numbers_only_grow(
    rig: Rig, account: AccountId
) -> None:
    parted = await _parted(rig, account)
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
    parted = await _parted(rig)
    await rig.tickets.reply(parted.vpn, parted.ana, "which client?")
    await rig.tickets.reply(parted.printer, parted.ana, "which printer?")
    for ticket in (parted.vpn, parted.printer):
        await parted.deliver(ticket)
    sent = [one for one in rig.platform.received if one.speaker == "agent"]
    assert [(one.thread, one.is_beside) for one in sent] == [("t1", False), ("t1", True)]


async def test_what_is_written_goes_where_was_spoken_last(rig: Rig) -> None:
    parted = await _parted(rig)
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
    parted = await _chat(rig)
    await parted.hear("the scanner too", remote_ids=(RemoteId("scan"),))
    await parted.split("and the printer is jammed", "the scanner too")
    await parted.hear("it blinks", answers=RemoteId("scan"))
    await parted.hear("red")  # they go on with what they replied to
    await parted.hear("of somebody else", answers=RemoteId("unknown"))
    said = await parted.said_in(parted.printer)
    assert said[-3:] == ["it blinks", "red", "of somebody else"]


async def test_what_is_written_when_one_is_closed_goes_to_the_other(rig: Rig) -> None:
    parted = await _parted(rig)
    await rig.tickets.reply(parted.vpn, parted.ana, "mended", then=TicketStatus.CLOSED)
    await parted.hear("and now?")
    assert (await parted.said_in(parted.printer))[-1] == "and now?"
    await rig.tickets.set_status(parted.printer, TicketStatus.SOLVED, parted.ana)
    await parted.hear("it is not")
    assert (await parted.said_in(parted.printer))[-1] == "it is not"
    assert (await parted.ticket(parted.printer)).status == TicketStatus.OPEN


async def test_when_all_is_closed_the_thread_begins_anew_and_counts_on(rig: Rig) -> None:
    parted = await _parted(rig)
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
    parted = await _parted(rig)
    await rig.tickets.reply(parted.printer, parted.ana, "which printer?")
    assert await _press(rig, await _button(parted, parted.vpn)) is None
    assert (await parted.said_in(parted.vpn))[-1] == "Urgent"


@pytest.mark.parametrize(("intent", "is_heard_in_vpn"), [("urgent", True), (RATE, False)])
@pytest.mark.parametrize("days", [1, 30])
async def test_an_old_button_takes_no_open_ticket_out_of_the_chat(
    rig: Rig, intent: str, is_heard_in_vpn: bool, days: int
) -> None:
    parted = await _parted(rig)
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
    parted = await _chat(rig)
    choice = await _button(parted, parted.vpn)
    assert await _press(rig, choice) is None
    await parted.split("Urgent", tells=False)
    assert await _press(rig, choice) == Refusal.ALREADY_CHOSEN


async def test_a_thread_that_moves_takes_both_along_and_so_does_one_that_is_blocked(
    rig: Rig,
) -> None:
    parted = await _parted(rig)
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


@pytest.mark.parametrize("account", [LOOP, WEB])
async def test_a_split_is_undone_with_what_was_said_since(rig: Rig, account: AccountId) -> None:
    parted = await _parted(rig, account)
    rig.clock.advance(hours=1)
    await rig.tickets.set_status(parted.vpn, TicketStatus.PENDING, parted.ana)
    await rig.tickets.reply(parted.printer, parted.ana, "which printer?")
    if account == LOOP:
        with pytest.raises(Conflict, match="being sent"):
            await parted.rejoining.rejoin(parted.printer, parted.ana)
        await parted.deliver(parted.printer)
    await parted.hear("floor 2")
    assert await parted.rejoining.rejoin(parted.printer, parted.ana) == parted.vpn
    whole = [
        "no VPN",
        "and the printer is jammed",
        "the VPN on my laptop, that is",
        "which printer?",
        "floor 2",
    ]
    assert await parted.said_in(parted.vpn) == whole
    assert await parted.said_in(parted.printer) == []
    gone = await parted.ticket(parted.printer)
    assert (gone.status, gone.closed_as) == (TicketStatus.CLOSED, ClosedAs.REJOINED)
    assert (await parted.ticket(parted.vpn)).status == TicketStatus.OPEN
    await parted.hear("and now?")
    assert await parted.said_in(parted.vpn) == [*whole, "and now?"]
    with pytest.raises(Exception, match="closed"):
        await parted.rejoining.rejoin(parted.printer, parted.ana)


async def test_a_split_is_undone_within_thirty_days(rig: Rig) -> None:
    parted = await _parted(rig)
    rig.clock.advance(days=31)
    with pytest.raises(Conflict, match="more than 30 days ago"):
        await parted.rejoining.rejoin(parted.printer, parted.ana)


async def test_what_cannot_be_split_off_is_refused_with_the_reason(rig: Rig) -> None:
    parted = await _chat(rig)
    everything = ("no VPN", "and the printer is jammed", "the VPN on my laptop, that is")
    with pytest.raises(InvalidInput, match="leave something"):
        await parted.split(*everything)
    with pytest.raises(InvalidInput, match="choose"):
        await parted.splitting.split(parted.vpn, [], parted.ana)
    with pytest.raises(NotFound):
        await parted.splitting.split(parted.vpn, [MessageId(parted.ana.id)], parted.ana)
    await rig.tickets.note(parted.vpn, parted.ana, "a note")
    with pytest.raises(InvalidInput, match="the requester said"):
        await parted.split("a note")
    await rig.tickets.set_status(parted.vpn, TicketStatus.CLOSED, parted.ana)
    with pytest.raises(Conflict, match="closed"):
        await parted.split("and the printer is jammed")


async def test_of_two_who_split_at_once_one_does(rig: Rig) -> None:
    parted = await _chat(rig)
    named = [MessageId((await parted.message("and the printer is jammed")).id)]
    done = await asyncio.gather(
        *(parted.splitting.split(parted.vpn, named, parted.ana) for _ in range(2)),
        return_exceptions=True,
    )
    refused = [one for one in done if isinstance(one, Exception)]
    assert [type(one) for one in refused] == [Conflict]
    assert "in another ticket" in str(refused[0])


async def test_both_halves_can_be_talked_in_at_once(rig: Rig) -> None:
    parted = await _parted(rig)
    await asyncio.gather(
        *(rig.tickets.reply(parted.vpn, parted.ana, f"vpn {n}") for n in range(5)),
        *(rig.tickets.reply(parted.printer, parted.ana, f"printer {n}") for n in range(5)),
        *(parted.hear(f"word {n}") for n in range(5)),
    )
    numbers = await parted.numbers()
    assert len(set(numbers)) == len(numbers)
    said = [*await parted.said_in(parted.vpn), *await parted.said_in(parted.printer)]
    assert sorted(one for one in said if one.startswith("word")) == [f"word {n}" for n in range(5)]


async def test_what_was_split_is_put_back_and_not_merged(rig: Rig) -> None:
    parted = await _parted(rig)
    merging = TicketMerging(rig.sessions, rig.accounts, rig.clock)
    with pytest.raises(Conflict, match="of one chat"):
        await merging.merge(parted.vpn, parted.printer, parted.ana)


async def test_a_part_can_be_split_again(rig: Rig) -> None:
    parted = await _chat(rig)
    await parted.hear("the scanner too")
    first = await parted.split("and the printer is jammed", "the scanner too")
    parted.vpn = first
    await parted.split("the scanner too", tells=False)
    await rig.tickets.reply(parted.printer, parted.ana, "which scanner?")
    await parted.hear("the flat one")
    assert await parted.said_in(parted.printer) == [
        "the scanner too",
        "which scanner?",
        "the flat one",
    ]
    numbers = await parted.numbers()
    assert len(set(numbers)) == len(numbers)


def _late(order: str, words: str) -> MessagePosted:
    return replace(posted(words), order=order)


async def test_what_comes_late_stands_where_it_was_written(rig: Rig) -> None:
    parted = await _chat(rig)
    await rig.intake.accept(_late("0005", "five"), _late("0007", "seven"))
    await parted.split("five")
    await rig.intake.accept(_late("0006", "six"))
    assert (await parted.said_in(parted.vpn))[-2:] == ["six", "seven"]


async def test_what_comes_late_after_a_split_was_undone_stands_where_it_was_written(
    rig: Rig,
) -> None:
    parted = await _chat(rig)
    await rig.intake.accept(_late("0004", "four"), _late("0005", "five"))
    await parted.split("five", tells=False)
    await rig.tickets.reply(parted.printer, parted.ana, "which one?")
    await parted.deliver(parted.printer)
    await rig.intake.accept(_late("0008", "eight"))
    await parted.rejoining.rejoin(parted.printer, parted.ana)
    await rig.intake.accept(_late("0007", "seven"))
    assert (await parted.said_in(parted.vpn))[-2:] == ["seven", "eight"]


async def test_a_new_ticket_follows_the_one_that_has_the_history(rig: Rig) -> None:
    parted = await _parted(rig)
    await parted.deliver(parted.printer)
    await parted.rejoining.rejoin(parted.printer, parted.ana)
    await rig.tickets.set_status(parted.vpn, TicketStatus.CLOSED, parted.ana)
    await parted.hear("no VPN again")
    home = await rig.conversation_id()
    await rig.reply(home, Handoff(reason=HandoffReason.PROBLEM_REPORTED))
    assert (await rig.ticket()).follows_id == parted.vpn


async def test_a_new_ticket_follows_none_about_another_matter_that_is_open(rig: Rig) -> None:
    parted = await _parted(rig)
    await rig.tickets.return_to_bot(parted.vpn, parted.ana)
    home = ConversationId((await parted.conversation(parted.vpn)).id)
    await rig.tickets.set_status(parted.vpn, TicketStatus.CLOSED, parted.ana)
    await parted.hear("no VPN again")
    await rig.reply(home, Handoff(reason=HandoffReason.PROBLEM_REPORTED))
    assert (await rig.ticket()).follows_id == parted.vpn


async def test_what_the_assistant_holds_beside_the_current_conversation_is_listed(
    rig: Rig,
) -> None:
    parted = await _parted(rig)
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
    parted = await _parted(rig)
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
    parted = await _parted(rig)
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


async def test_what_is_split_off_stays_in_its_team(rig: Rig) -> None:
    parted = await _chat(rig)
    closed = TeamId(new_id())
    async with rig.sessions.begin() as session:
        session.add(Team(id=closed, name="HR", visibility=Visibility.MEMBERS))
        await session.flush()
        row = await session.get_one(Ticket, parted.vpn)
        row.team_id, row.level = closed, 2
    new = await parted.ticket(await parted.split("and the printer is jammed"))
    assert (new.team_id, new.level) == (closed, 2)
    other = await rig.agent("Ben")
    async with rig.sessions() as session:
        sight = await sight_of(session, other.id)
        assert sight is not None
        assert (await session.scalars(select(Ticket.id).where(sight.holds()))).all() == []
        recorded = await session.scalar(
            select(TicketEvent.new).where(
                TicketEvent.ticket_id == new.id, TicketEvent.field == "team"
            )
        )
    assert recorded == str(closed)


async def test_a_ticket_whose_chat_has_gone_on_is_not_split(rig: Rig) -> None:
    parted = await _chat(rig)
    old = ConversationId((await parted.conversation(parted.vpn)).id)
    await rig.tickets.return_to_bot(parted.vpn, parted.ana)
    await parted.hear("thanks, bye")
    await rig.reply(old, Close(reason="goodbye"))
    rig.clock.advance(days=30)
    await parted.hear("something new")
    assert await rig.conversation_id() != old
    assert (await parted.ticket(parted.vpn)).status == TicketStatus.SOLVED
    with pytest.raises(Conflict, match="gone on"):
        await parted.split("and the printer is jammed")


async def test_what_is_corrected_on_the_platform_just_now_stays_where_it_is(rig: Rig) -> None:
    parted = await _chat(rig)
    await rig.tickets.reply(parted.vpn, parted.ana, "which prnter?")
    await parted.deliver(parted.vpn)
    reply = MessageId((await parted.message("which prnter?")).id)
    await rig.corrections.correct(reply, parted.ana, "which printer?")
    with pytest.raises(Conflict, match="being sent"):
        await parted.split("and the printer is jammed", "which printer?")
    await parted.deliver(parted.vpn)
    await parted.split("and the printer is jammed", "which printer?", tells=False)
    await rig.corrections.withdraw(reply, parted.ana)
    with pytest.raises(Conflict, match="being sent"):
        await parted.rejoining.rejoin(parted.printer, parted.ana)


async def test_a_correction_that_waits_for_a_split_is_sent_from_where_its_message_is(
    rig: Rig,
) -> None:
    parted = await _chat(rig)
    await rig.tickets.reply(parted.vpn, parted.ana, "which prnter?")
    await parted.deliver(parted.vpn)
    reply = await parted.message("which prnter?")
    home = ConversationId(reply.conversation_id)
    async with rig.sessions.begin() as session:
        await locked(session, home)
        splitting = asyncio.create_task(
            parted.split("and the printer is jammed", "which prnter?", tells=False)
        )
        await somebody_waits(rig.sessions, together=1)
        correcting = asyncio.create_task(
            rig.corrections.correct(MessageId(reply.id), parted.ana, "which printer?")
        )
        await somebody_waits(rig.sessions, together=2)
    await asyncio.gather(splitting, correcting)
    async with rig.sessions() as session:
        edit = (await session.scalars(select(Delivery).where(Delivery.action == "edit"))).one()
    assert edit.conversation_id == (await parted.conversation(parted.printer)).id
    assert edit.status == DeliveryState.WAITING
