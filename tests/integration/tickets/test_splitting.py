"""What is split off is a ticket of its own, and is put back; what cannot be split is refused."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import select

from core.domain.assistant import Close
from core.domain.channel import DeliveryState
from core.domain.errors import Conflict, InvalidInput, NotFound
from core.domain.ids import (
    AccountId,
    ConversationId,
    MessageId,
    TeamId,
    ThreadKey,
    new_id,
)
from core.domain.teams import Visibility
from core.domain.ticket import ClosedAs, TicketStatus
from core.services.links.merging import TicketMerging
from core.services.locks import locked
from core.storage.queries.access.sight import sight_of
from core.storage.queries.conversations.transcripts import thread_since
from core.storage.tables import (
    AuditEntry,
    Delivery,
    Team,
    Ticket,
    TicketEvent,
)
from tests.integration.tickets.parted import a_chat, a_parted_chat, late
from tests.support.desk import LOOP, WEB, Rig, somebody_waits


@pytest.mark.parametrize("account", [LOOP, WEB])
async def test_chosen_messages_become_a_ticket_with_a_history_of_its_own(
    rig: Rig, account: AccountId
) -> None:
    parted = await a_parted_chat(rig, account)
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
async def test_a_split_is_undone_with_what_was_said_since(rig: Rig, account: AccountId) -> None:
    parted = await a_parted_chat(rig, account)
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
    parted = await a_parted_chat(rig)
    rig.clock.advance(days=31)
    with pytest.raises(Conflict, match="more than 30 days ago"):
        await parted.rejoining.rejoin(parted.printer, parted.ana)


async def test_what_cannot_be_split_off_is_refused_with_the_reason(rig: Rig) -> None:
    parted = await a_chat(rig)
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
    parted = await a_chat(rig)
    named = [MessageId((await parted.message("and the printer is jammed")).id)]
    done = await asyncio.gather(
        *(parted.splitting.split(parted.vpn, named, parted.ana) for _ in range(2)),
        return_exceptions=True,
    )
    refused = [one for one in done if isinstance(one, Exception)]
    assert [type(one) for one in refused] == [Conflict]
    assert "in another ticket" in str(refused[0])


async def test_what_was_split_is_put_back_and_not_merged(rig: Rig) -> None:
    parted = await a_parted_chat(rig)
    merging = TicketMerging(rig.sessions, rig.accounts, rig.clock)
    with pytest.raises(Conflict, match="of one chat"):
        await merging.merge(parted.vpn, parted.printer, parted.ana)


async def test_a_part_can_be_split_again(rig: Rig) -> None:
    parted = await a_chat(rig)
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


async def test_what_comes_late_after_a_split_was_undone_stands_where_it_was_written(
    rig: Rig,
) -> None:
    parted = await a_chat(rig)
    await rig.intake.accept(late("0004", "four"), late("0005", "five"))
    await parted.split("five", tells=False)
    await rig.tickets.reply(parted.printer, parted.ana, "which one?")
    await parted.deliver(parted.printer)
    await rig.intake.accept(late("0008", "eight"))
    await parted.rejoining.rejoin(parted.printer, parted.ana)
    await rig.intake.accept(late("0007", "seven"))
    assert (await parted.said_in(parted.vpn))[-2:] == ["seven", "eight"]


async def test_what_is_split_off_stays_in_its_team(rig: Rig) -> None:
    parted = await a_chat(rig)
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
        sight = await sight_of(session, other)
        assert sight is not None
        assert (await session.scalars(select(Ticket.id).where(sight.holds()))).all() == []
        recorded = await session.scalar(
            select(TicketEvent.new).where(
                TicketEvent.ticket_id == new.id, TicketEvent.field == "team"
            )
        )
    assert recorded == str(closed)


async def test_a_ticket_whose_chat_has_gone_on_is_not_split(rig: Rig) -> None:
    parted = await a_chat(rig)
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
    parted = await a_chat(rig)
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
    parted = await a_chat(rig)
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
