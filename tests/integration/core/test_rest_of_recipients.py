"""Of several recipients of a letter, one who takes nothing for now is tried again alone."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from channels.email.channel import EmailChannel
from channels.simulator.email import MailPlatform
from channels.simulator.faults import Fault
from core.domain.assistant import Handoff, HandoffReason
from core.domain.channel import UncertainPolicy
from core.domain.content import Envelope
from core.domain.conversation import Responder, Speaker
from core.domain.events import DeliveryReported
from core.domain.ids import Address, ConversationId, EventKey, RemoteId
from core.domain.ticket import TicketStatus
from core.runtime.lanes.deliveries import DeliveriesLane
from core.services.conversations.rejoining import is_on_its_way
from core.services.ledger import Ledger
from core.services.links.merging import TicketMerging
from core.services.locks import locked
from core.storage.queries.lanes import forgotten_lanes
from core.storage.wakeups import LaneKind
from tests.support.desk import LOOP, Rig, posted
from tests.unit.email.transport.builders import ANA, DESK, settings
from tests.unit.email.transport.memory import context

BOB = Address("bob@slow.example")
GREYLISTED = "450 4.2.0 Greylisted"
GONE = "550 5.1.1 No such user"


@pytest.fixture
async def people() -> AsyncIterator[MailPlatform]:
    async with MailPlatform.running(DESK) as platform:
        yield platform


@pytest.fixture
async def lane(rig: Rig, people: MailPlatform) -> AsyncIterator[DeliveriesLane]:
    values = {"smtp_host": "127.0.0.1", "smtp_port": people.smtp_port, "smtp_security": "none"}
    channel = EmailChannel(LOOP, settings(**values), context())
    rig.accounts[LOOP] = channel.capabilities
    yield DeliveriesLane(rig.outbox, {LOOP: channel})
    await channel.close()


async def _write(
    rig: Rig, home: ConversationId, words: str, to: tuple[Address, ...] = (Address(ANA),)
) -> None:
    async with rig.sessions.begin() as session:
        ledger = Ledger(rig.accounts, rig.clock())
        envelope = Envelope(to=to, cc=() if BOB in to else (BOB,))
        conversation = await locked(session, home)
        ledger.say(conversation, Speaker.AGENT, words, envelope=envelope)
        await ledger.write(session)


async def _shown(rig: Rig) -> list[tuple[str, dict[str, tuple[str, str]]]]:
    """Return the state of what agents wrote, and the outcomes for single recipients."""
    return [
        (one.delivery, {a: (r["outcome"], r["detail"]) for a, r in one.reported.items()})
        for one in await rig.messages()
        if one.speaker == "agent"
    ]


async def test_who_is_put_off_gets_it_later_and_holds_up_neither_others_nor_what_comes_next(
    rig: Rig, people: MailPlatform, lane: DeliveriesLane
) -> None:
    home = await rig.hear("no VPN")
    people.server.refused[BOB] = GREYLISTED
    await _write(rig, home, "one")
    await lane.advance(home)
    await lane.advance(home)  # it is not tried again at once
    assert await _shown(rig) == [("sent", {BOB: ("waiting", GREYLISTED)})]
    async with rig.sessions() as session:
        assert await is_on_its_way(session, await rig.messages())  # a split waits for it
    people.server.refused.clear()
    await _write(rig, home, "two")
    await lane.advance(home)
    rig.clock.advance(minutes=1)
    await lane.advance(home)
    taken = [(mail.text, mail.recipients) for mail in people.received]
    assert taken == [("one", (ANA,)), ("two", (ANA, BOB)), ("one", (BOB,))]
    assert await _shown(rig) == [("sent", {}), ("sent", {})]


async def test_the_sweep_finds_what_is_left_for_the_rest(
    rig: Rig, people: MailPlatform, lane: DeliveriesLane
) -> None:
    home = await rig.hear("no VPN")
    people.server.refused[BOB] = GREYLISTED
    await _write(rig, home, "one")
    await lane.advance(home)
    async with rig.sessions.begin() as session:
        await session.execute(text("DELETE FROM procrastinate_jobs"))
    rig.clock.advance(minutes=1)
    async with rig.sessions() as session:
        found = await forgotten_lanes(session, [LaneKind.DELIVERIES], rig.clock())
    assert [one.conversation for one in found] == [home]


async def test_who_takes_nothing_for_a_day_or_is_refused_then_is_told(
    rig: Rig, people: MailPlatform, lane: DeliveriesLane
) -> None:
    home = await rig.hear("no VPN")
    people.server.refused[BOB] = GREYLISTED
    await _write(rig, home, "one")
    await lane.advance(home)
    for hours in (1, 12, 12):
        rig.clock.advance(hours=hours)
        await lane.advance(home)
    assert await _shown(rig) == [("sent", {BOB: ("refused", GREYLISTED)})]
    await _write(rig, home, "two")
    await lane.advance(home)
    people.server.refused[BOB] = GONE
    rig.clock.advance(minutes=1)
    await lane.advance(home)
    assert (await _shown(rig))[1] == ("sent", {BOB: ("refused", GONE)})
    rig.clock.advance(hours=1)
    await lane.advance(home)
    assert [mail.text for mail in people.received] == ["one", "two"]


async def _solved(rig: Rig) -> ConversationId:
    home = await rig.hear("no VPN")
    await rig.reply(home, Handoff(reason=HandoffReason.ASKED_FOR_HUMAN))
    await rig.tickets.reply(
        await rig.ticket_id(), await rig.agent(), "Done.", then=TicketStatus.SOLVED
    )
    async with rig.sessions.begin() as session:
        await session.execute(text("DELETE FROM delivery"))  # what this is not about
    return home


@pytest.mark.parametrize("then", [GONE, GREYLISTED])
async def test_a_message_that_somebody_of_to_never_takes_fails_and_opens_its_ticket_once(
    rig: Rig, people: MailPlatform, lane: DeliveriesLane, then: str
) -> None:
    home = await _solved(rig)
    people.server.refused[BOB] = GREYLISTED
    await _write(rig, home, "one", to=(BOB, Address(ANA)))
    await lane.advance(home)
    assert (await rig.ticket()).status == TicketStatus.SOLVED
    people.server.refused[BOB] = then
    rig.clock.advance(hours=25)
    await lane.advance(home)
    *_, message = await rig.messages()
    assert (message.delivery, message.delivery_detail) == ("failed", then)
    assert (await _shown(rig))[-1] == ("failed", {BOB: ("refused", then)})
    assert (await rig.ticket()).status == TicketStatus.OPEN
    assert (await rig.conversation()).responder == Responder.HUMAN
    assert [mail.recipients for mail in people.received] == [(ANA,)]


async def test_an_answer_that_is_refused_at_once_opens_its_ticket_too(
    rig: Rig, people: MailPlatform, lane: DeliveriesLane
) -> None:
    home = await _solved(rig)
    people.server.refused[BOB] = GONE
    await _write(rig, home, "one", to=(BOB, Address(ANA)))
    await lane.advance(home)
    assert (await _shown(rig))[-1][0] == "failed"
    assert (await rig.ticket()).status == TicketStatus.OPEN


async def test_a_question_about_a_solved_ticket_that_is_refused_leaves_it_solved(
    rig: Rig, people: MailPlatform, lane: DeliveriesLane
) -> None:
    home = await _solved(rig)
    rig.clock.advance(minutes=1)
    people.server.refused["somebody@people.example"] = GONE
    async with rig.sessions.begin() as session:
        ledger, conversation = Ledger(rig.accounts, rig.clock()), await locked(session, home)
        ledger.say(conversation, Speaker.SYSTEM, "How did we help you?")
        await ledger.write(session)
    await lane.advance(home)
    assert (await rig.messages())[-1].delivery == "failed"
    assert (await rig.ticket()).status == TicketStatus.SOLVED


async def test_that_a_ticket_is_solved_may_be_refused_and_leaves_it_solved(
    rig: Rig, people: MailPlatform, lane: DeliveriesLane
) -> None:
    home = await rig.hear("no VPN")
    await rig.reply(home, Handoff(reason=HandoffReason.ASKED_FOR_HUMAN))
    await lane.advance(home)
    people.server.refused["somebody@people.example"] = GONE
    await rig.tickets.set_status(await rig.ticket_id(), TicketStatus.SOLVED, await rig.agent())
    await lane.advance(home)
    notice = (await rig.messages())[-1]
    assert ("is solved" in notice.text, notice.delivery) == (True, "failed")
    assert (await rig.ticket()).status == TicketStatus.SOLVED


async def test_a_domain_in_another_script_is_the_same_when_it_is_given_up(
    rig: Rig, people: MailPlatform, lane: DeliveriesLane
) -> None:
    home, eve = await _solved(rig), Address("eve@bücher.example")
    people.server.refused["eve@xn--bcher-kva.example"] = GREYLISTED
    await _write(rig, home, "one", to=(eve, Address(ANA)))
    await lane.advance(home)
    assert (await _shown(rig))[-1] == ("sent", {eve: ("waiting", GREYLISTED)})
    people.server.refused["eve@xn--bcher-kva.example"] = GONE
    rig.clock.advance(minutes=1)
    await lane.advance(home)
    assert (await _shown(rig))[-1] == ("failed", {eve: ("refused", GONE)})
    assert (await rig.ticket()).status == TicketStatus.OPEN


async def test_where_tickets_were_merged_the_one_that_goes_on_is_opened(
    rig: Rig, people: MailPlatform, lane: DeliveriesLane
) -> None:
    ana = await rig.agent()
    for thread in ("t1", "kept"):
        await rig.hear("no VPN", thread=thread)
        home = await rig.conversation_id(thread)
        await rig.reply(home, Handoff(reason=HandoffReason.ASKED_FOR_HUMAN))
    kept, home = await rig.ticket_id("kept"), await rig.conversation_id()
    merging = TicketMerging(rig.sessions, rig.accounts, rig.clock)
    await merging.merge(kept, await rig.ticket_id(), ana, tells=False)
    await rig.tickets.reply(kept, ana, "Done.", then=TicketStatus.SOLVED)
    async with rig.sessions.begin() as session:
        await session.execute(text("DELETE FROM delivery"))
    people.server.refused[BOB] = GREYLISTED
    await _write(rig, home, "one", to=(BOB, Address(ANA)))
    await lane.advance(home)
    assert (await rig.ticket("kept")).status == TicketStatus.SOLVED
    people.server.refused[BOB] = GONE
    rig.clock.advance(minutes=1)
    await lane.advance(home)
    assert (await _shown(rig))[-1] == ("failed", {BOB: ("refused", GONE)})
    assert (await rig.ticket("kept")).status == TicketStatus.OPEN


@pytest.mark.parametrize("is_taken", [True, False])
async def test_what_comes_of_the_rest_leaves_the_reason_of_a_letter_that_came_back(
    rig: Rig, people: MailPlatform, lane: DeliveriesLane, is_taken: bool
) -> None:
    home = await rig.hear("no VPN")
    people.server.refused[BOB] = GREYLISTED
    await _write(rig, home, "one")
    await lane.advance(home)
    await rig.intake.accept(_report(people, Address(ANA), delivered=False))
    people.server.refused = {} if is_taken else {BOB: GONE}
    rig.clock.advance(minutes=1)
    await lane.advance(home)
    *_, message = await rig.messages()
    assert (message.delivery, message.delivery_detail) == ("failed", "no such mailbox")
    rest = {} if is_taken else {BOB: ("refused", GONE)}
    assert (await _shown(rig))[-1][1] == {ANA: ("hard", "no such mailbox")} | rest


async def test_that_one_has_it_does_not_hide_that_another_waits(
    rig: Rig, people: MailPlatform, lane: DeliveriesLane
) -> None:
    home = await rig.hear("no VPN")
    people.server.refused[BOB] = GREYLISTED
    await _write(rig, home, "one")
    await lane.advance(home)
    await rig.intake.accept(_report(people, Address(ANA), delivered=True))
    state, heard = (await _shown(rig))[-1]
    assert (state, heard[BOB]) == ("sent", ("waiting", GREYLISTED))


async def test_who_waits_for_what_was_taken_back_waits_no_more(
    rig: Rig, people: MailPlatform, lane: DeliveriesLane
) -> None:
    home = await rig.hear("no VPN")
    people.server.refused[BOB] = GREYLISTED
    await _write(rig, home, "one")
    await lane.advance(home)
    async with rig.sessions.begin() as session:
        await session.execute(text("UPDATE message SET removed_at = now() WHERE text = 'one'"))
    people.server.refused.clear()
    rig.clock.advance(minutes=1)
    await lane.advance(home)
    assert (await _shown(rig))[-1] == ("sent", {})
    assert len(people.received) == 1


async def test_a_rest_that_may_have_left_is_sent_again_or_given_up_as_the_channel_has_it(
    rig: Rig, people: MailPlatform, lane: DeliveriesLane
) -> None:
    home = await rig.hear("no VPN")
    people.server.refused[BOB] = GREYLISTED
    await _write(rig, home, "one")
    await lane.advance(home)
    people.server.refused.clear()
    rig.clock.advance(minutes=1)
    people.faults.plan(Fault.CUT_AFTER)
    await lane.advance(home)
    assert (await _shown(rig))[-1] == ("sent", {BOB: ("waiting", GREYLISTED)})
    rig.enable(when_uncertain=UncertainPolicy.PARK)
    rig.clock.advance(minutes=1)
    people.faults.plan(Fault.CUT_AFTER)
    await lane.advance(home)
    ((_, heard),) = await _shown(rig)
    assert heard[BOB][0] == "refused"
    assert "broke" in heard[BOB][1]


def _report(people: MailPlatform, recipient: Address, *, delivered: bool) -> DeliveryReported:
    said = posted("")
    return DeliveryReported(
        account=LOOP,
        key=EventKey(f"report of {recipient}"),
        thread=said.thread,
        author=said.author,
        at=said.at,
        remote_id=RemoteId(people.received[0].mail["Message-ID"].strip("<>")),
        recipient=recipient,
        delivered=delivered,
        is_permanent=not delivered,
        detail="" if delivered else "no such mailbox",
    )
