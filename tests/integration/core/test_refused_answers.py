"""An answer of the assistant that never arrives is seen by a person."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from core.domain.assistant import Close, Handoff, HandoffReason, Say
from core.domain.channel import Verdict
from core.domain.conversation import Responder
from core.domain.errors import BadCredentials, Rejected, Throttled, Unavailable
from core.domain.events import DeliveryReported, ReachabilityChanged
from core.domain.ids import Address, EventKey, RemoteId
from core.domain.ticket import TicketStatus
from core.runtime.lanes.deliveries import DeliveriesLane
from core.storage.tables import ContactAddress
from tests.integration.core.sending import advance, fail_next, park_next, received, said, states
from tests.support.desk import LOOP, Rig, posted, reply_to


def bounce_of(name: str) -> DeliveryReported:
    about = posted("")
    return DeliveryReported(
        account=LOOP,
        key=EventKey(f"report:{name}"),
        thread=about.thread,
        author=about.author,
        at=about.at,
        delivered=False,
        detail="5.1.1 no such mailbox",
        remote_id=RemoteId(name),
        recipient=Address("somebody"),
        is_permanent=True,
    )


def blocked() -> ReachabilityChanged:
    about = posted("")
    return ReachabilityChanged(
        account=LOOP,
        key=EventKey("blocked"),
        thread=about.thread,
        author=about.author,
        at=about.at,
        reachable=False,
        detail="blocked the bot",
    )


async def words_of_the_desk(rig: Rig) -> list[str]:
    return [message.text for message in await rig.messages() if message.speaker == "system"]


async def test_a_refused_answer_opens_one_ticket_and_its_requester_is_told(rig: Rig) -> None:
    conversation = await said(rig, "a", "b")
    fail_next(rig, Rejected("too long"), Rejected("too long"))
    await advance(rig, conversation)
    assert await states(rig) == ["failed", "failed"]
    assert await rig.reasons() == ["not_delivered"]
    ticket = await rig.ticket()
    assert ticket.status == TicketStatus.NEW
    assert (await rig.conversation()).responder == Responder.QUEUED
    (notice,) = received(rig)
    assert f"**#{ticket.number}**" in notice
    assert "could not be delivered" in notice


async def test_an_answer_said_while_its_account_is_disconnected_opens_a_ticket(rig: Rig) -> None:
    conversation = await rig.hear("a")
    plan = await rig.turns.plan(conversation)
    assert plan is not None
    del rig.accounts[LOOP]
    assert await rig.turns.settle(plan, reply_to(plan, Say(text="Like this.")))
    await DeliveriesLane(rig.outbox, {}).advance(conversation)
    assert await states(rig) == ["failed"]
    assert "not connected" in str((await rig.messages())[1].delivery_detail)
    assert await rig.reasons() == ["not_delivered"]
    assert await words_of_the_desk(rig) == []


async def test_an_agents_answer_with_which_they_solved_a_disconnected_ticket_opens_it(
    rig: Rig,
) -> None:
    conversation = await rig.hear("a")
    await rig.reply(conversation, Handoff(reason=HandoffReason.ASKED_FOR_HUMAN))
    del rig.accounts[LOOP]
    agent = await rig.agent()
    await rig.tickets.reply(await rig.ticket_id(), agent, "Solved!", then=TicketStatus.SOLVED)
    await DeliveriesLane(rig.outbox, {}).advance(conversation)
    assert (await rig.ticket()).status == TicketStatus.OPEN


async def test_an_answer_with_which_the_assistant_closed_opens_a_ticket_when_refused(
    rig: Rig,
) -> None:
    conversation = await rig.hear("a")
    await rig.reply(conversation, Say(text="Like this. Goodbye!"), Close(reason="goodbye"))
    fail_next(rig, Rejected("too long"))
    await advance(rig, conversation)
    assert await rig.reasons() == ["not_delivered"]
    there = await rig.conversation()
    assert (there.responder, there.closed_at) == (Responder.QUEUED, None)


async def test_an_answer_with_which_the_assistant_closed_opens_a_ticket_when_it_comes_back(
    rig: Rig,
) -> None:
    conversation = await rig.hear("a")
    await rig.reply(conversation, Say(text="Like this. Goodbye!"), Close(reason="goodbye"))
    await advance(rig, conversation)
    await rig.intake.accept(bounce_of(f"out-{rig.platform.received[-1].message}-0"))
    assert await rig.reasons() == ["not_delivered"]
    assert (await rig.conversation()).responder == Responder.QUEUED


async def test_an_old_answer_that_comes_back_after_a_human_closed_its_ticket_opens_none(
    rig: Rig,
) -> None:
    conversation = await said(rig, "a")
    await advance(rig, conversation)
    name = f"out-{rig.platform.received[-1].message}-0"
    await rig.hear("b")
    await rig.reply(conversation, Handoff(reason=HandoffReason.ASKED_FOR_HUMAN))
    for status in (TicketStatus.SOLVED, TicketStatus.CLOSED):
        await rig.tickets.set_status(await rig.ticket_id(), status, await rig.agent(status))
    await rig.intake.accept(bounce_of(name))
    assert await rig.reasons() == ["asked_for_human"]
    assert (await rig.ticket()).status == TicketStatus.CLOSED


@pytest.mark.parametrize(
    ("error", "days"),
    [
        (Unavailable("down"), 1),
        (BadCredentials("revoked", "make another token"), 1),
        (Throttled(60.0), 3),
    ],
)
async def test_an_answer_that_nobody_took_in_time_opens_a_ticket(
    rig: Rig, error: Exception, days: int
) -> None:
    conversation = await said(rig, "a")
    assert isinstance(error, Unavailable | BadCredentials | Throttled)
    fail_next(rig, error)
    rig.clock.advance(days=days, hours=1)
    await advance(rig, conversation)
    assert await states(rig) == ["failed"]
    assert await rig.reasons() == ["not_delivered"]


async def test_an_answer_that_comes_back_opens_a_ticket_and_nothing_more_is_sent(
    rig: Rig,
) -> None:
    conversation = await said(rig, "a")
    await advance(rig, conversation)
    name = f"out-{rig.platform.received[-1].message}-0"
    await rig.intake.accept(bounce_of(name))
    await rig.intake.accept(replace(bounce_of(name), key=EventKey("report:again")))
    assert await states(rig) == ["failed"]
    assert await rig.reasons() == ["not_delivered"]
    assert (await rig.conversation()).responder == Responder.QUEUED
    assert await words_of_the_desk(rig) == []


async def test_an_answer_that_is_still_on_its_way_has_not_failed(rig: Rig) -> None:
    conversation = await said(rig, "a")
    await advance(rig, conversation)
    name = f"out-{rig.platform.received[-1].message}-0"
    delay = replace(bounce_of(name), detail="4.4.7 queued", is_permanent=False, is_delayed=True)
    await rig.intake.accept(delay)
    assert await states(rig) == ["sent"]
    assert await rig.reasons() == []
    shown = {"somebody": {"outcome": "delayed", "detail": "4.4.7 queued"}}
    assert (await rig.messages())[1].reported == shown
    async with rig.sessions() as session:
        assert (await session.scalars(select(ContactAddress.bounce))).all() == [None]
    await rig.intake.accept(replace(bounce_of(name), key=EventKey("report:later")))
    assert await states(rig) == ["failed"]
    assert (await rig.messages())[1].reported["somebody"]["outcome"] == "hard"


async def test_an_answer_to_somebody_who_blocked_the_account_opens_a_ticket_unannounced(
    rig: Rig,
) -> None:
    await said(rig, "a")
    await rig.intake.accept(blocked())
    assert await states(rig) == ["failed"]
    assert await rig.reasons() == ["not_delivered"]
    assert await words_of_the_desk(rig) == []


async def test_an_answer_refused_after_the_account_was_blocked_is_not_announced(rig: Rig) -> None:
    await rig.hear("a")
    await rig.intake.accept(blocked())
    conversation = await rig.conversation_id()
    await rig.reply(conversation)
    fail_next(rig, Rejected("blocked the bot"))
    await advance(rig, conversation)
    assert await rig.reasons() == ["not_delivered"]
    assert await words_of_the_desk(rig) == []


async def test_who_writes_after_a_refused_answer_writes_in_its_ticket(rig: Rig) -> None:
    conversation = await said(rig, "a")
    fail_next(rig, Rejected("too long"))
    await advance(rig, conversation)
    await rig.hear("are you there?")
    assert await rig.turns.plan(conversation) is None
    assert await rig.reasons() == ["not_delivered"]


async def test_what_is_sent_again_has_a_day_of_its_own(rig: Rig) -> None:
    conversation = await said(rig, "a")
    parked = await park_next(rig, conversation)
    await advance(rig, conversation)
    rig.clock.advance(hours=30)
    await rig.outbox.unpark(parked, Verdict.RESEND)
    fail_next(rig, Unavailable("down"))
    await advance(rig, conversation)
    assert await states(rig) == ["waiting"]
    rig.clock.advance(hours=23)
    fail_next(rig, Unavailable("down"))
    await advance(rig, conversation)
    assert await states(rig) == ["waiting"]
    rig.clock.advance(hours=2)
    fail_next(rig, Unavailable("down"))
    await advance(rig, conversation)
    assert await states(rig) == ["failed"]


async def test_what_is_sent_again_and_taken_later_arrives(rig: Rig) -> None:
    conversation = await said(rig, "a")
    parked = await park_next(rig, conversation)
    await advance(rig, conversation)
    rig.clock.advance(hours=30)
    await rig.outbox.unpark(parked, Verdict.RESEND)
    fail_next(rig, Unavailable("down"))
    await advance(rig, conversation)
    rig.clock.advance(minutes=1)
    await advance(rig, conversation)
    assert await states(rig) == ["sent"]
    assert "You said: a" in received(rig)
