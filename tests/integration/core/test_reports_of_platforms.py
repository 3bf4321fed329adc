"""What platforms report of what was sent: it came back, somebody blocked the account."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from core.domain.assistant import Handoff, HandoffReason
from core.domain.conversation import Responder
from core.domain.events import (
    DeliveryReported,
    ReachabilityChanged,
)
from core.domain.ids import Address, ConversationId, EventKey, RemoteId
from core.domain.ticket import TicketStatus
from core.runtime.lanes.deliveries import DeliveriesLane
from core.storage.tables import (
    ContactAddress,
    Participant,
)
from tests.support.desk import LOOP, Rig, posted


def report(**changes: Any) -> DeliveryReported:
    said = posted("")
    values: dict[str, Any] = {
        "account": LOOP,
        "key": EventKey(f"report:{len(changes)}:{changes}"),
        "thread": said.thread,
        "author": said.author,
        "at": said.at,
        "delivered": False,
        "detail": "no such mailbox",
    }
    return DeliveryReported(**(values | changes))


async def _sent_to_somebody(rig: Rig) -> RemoteId:
    conversation = await rig.hear("hello")
    await rig.reply(conversation, Handoff(reason=HandoffReason.ASKED_FOR_HUMAN))
    await rig.tickets.reply(
        await rig.ticket_id(), await rig.agent(), "Solved!", then=TicketStatus.SOLVED
    )
    await DeliveriesLane(rig.outbox, {LOOP: rig.loopback}).advance(conversation)
    answer = next(m for m in rig.platform.received if m.body.text == "Solved!")
    return RemoteId(f"out-{answer.message}-0")


@pytest.mark.parametrize(("permanent", "bounce"), [(True, "hard"), (False, "soft")])
async def test_an_answer_that_comes_back_reopens_its_ticket_and_marks_the_address(
    rig: Rig, permanent: bool, bounce: str
) -> None:
    name = await _sent_to_somebody(rig)
    await rig.intake.accept(
        report(remote_id=name, recipient=Address("somebody"), is_permanent=permanent)
    )

    answer = next(m for m in await rig.messages() if m.text == "Solved!")
    assert (answer.delivery, answer.delivery_detail) == ("failed", "no such mailbox")
    assert (await rig.ticket()).status == TicketStatus.OPEN
    assert (await rig.conversation()).responder == Responder.HUMAN
    async with rig.sessions() as session:
        address = (await session.scalars(select(ContactAddress))).one()
    assert (address.bounce, address.bounced_at is not None) == (bounce, True)


async def test_a_report_says_nothing_of_people_whom_the_message_did_not_go_to(rig: Rig) -> None:
    await rig.intake.accept(posted("hello", thread="another", who="victim"))
    name = await _sent_to_somebody(rig)
    await rig.intake.accept(
        report(remote_id=name, recipient=Address("victim"), is_permanent=True),
        report(remote_id=name, recipient=Address("ceo"), is_permanent=True),
    )
    async with rig.sessions() as session:
        bounces = (await session.scalars(select(ContactAddress.bounce))).all()
    assert bounces == [None, None]
    answer = next(m for m in await rig.messages() if m.text == "Solved!")
    assert answer.reported == {}
    # It may have been forwarded: that it did not arrive is told, with what is said of where.
    assert (answer.delivery, answer.delivery_detail) == ("failed", "ceo: no such mailbox")


@pytest.mark.parametrize(
    ("written", "reported"),
    [
        ("ana@bücher.example", "ana@xn--bcher-kva.example"),
        ("ana@xn--bcher-kva.example", "Ana@BÜCHER.example"),
    ],
)
async def test_a_report_in_the_ascii_form_of_an_address_is_about_that_address(
    rig: Rig, written: str, reported: str
) -> None:
    await rig.intake.accept(posted("hello", who=written))
    conversation = (await rig.conversation()).id
    await rig.reply(ConversationId(conversation), Handoff(reason=HandoffReason.ASKED_FOR_HUMAN))
    await rig.tickets.reply(
        await rig.ticket_id(), await rig.agent(), "Solved!", then=TicketStatus.SOLVED
    )
    await DeliveriesLane(rig.outbox, {LOOP: rig.loopback}).advance(ConversationId(conversation))
    answer = next(m for m in rig.platform.received if m.body.text == "Solved!")
    name = RemoteId(f"out-{answer.message}-0")
    await rig.intake.accept(report(remote_id=name, recipient=Address(reported), is_permanent=True))
    async with rig.sessions() as session:
        (address,) = await session.scalars(select(ContactAddress))
    assert (address.address, address.bounce) == (written, "hard")
    message = next(m for m in await rig.messages() if m.text == "Solved!")
    assert list(message.reported) == [written]
    assert message.delivery_detail == "no such mailbox"


async def test_a_report_on_what_the_desk_says_is_about_the_requester_alone(rig: Rig) -> None:
    await rig.intake.accept(posted("hello", thread="another", who="copied"))
    conversation = await rig.hear("hello")
    async with rig.sessions.begin() as session:
        at = datetime.now(UTC)
        session.add(Participant(conversation_id=conversation, address="copied", joined_at=at))
    await rig.reply(conversation)
    await DeliveriesLane(rig.outbox, {LOOP: rig.loopback}).advance(conversation)
    name = RemoteId(f"out-{rig.platform.received[-1].message}-0")
    await rig.intake.accept(report(remote_id=name, recipient=Address("copied"), is_permanent=True))
    async with rig.sessions() as session:
        bounces = (await session.scalars(select(ContactAddress.bounce))).all()
    assert bounces == [None, None]


async def test_a_report_that_names_nobody_is_about_the_only_one_who_was_to_get_it(
    rig: Rig,
) -> None:
    name = await _sent_to_somebody(rig)
    await rig.intake.accept(report(remote_id=name, is_permanent=True))
    async with rig.sessions() as session:
        address = (await session.scalars(select(ContactAddress))).one()
    assert address.bounce == "hard"


async def test_that_one_recipient_has_it_does_not_mend_that_another_has_not(rig: Rig) -> None:
    name = await _sent_to_somebody(rig)
    await rig.intake.accept(report(remote_id=name, recipient=Address("somebody")))
    await rig.intake.accept(report(remote_id=name, recipient=Address("boss"), delivered=True))
    answer = next(m for m in await rig.messages() if m.text == "Solved!")
    assert answer.delivery == "failed"


def reachability(*, reachable: bool, minute: int = 0) -> ReachabilityChanged:
    said = posted("")
    return ReachabilityChanged(
        account=LOOP,
        key=EventKey(f"reach:{reachable}:{minute}"),
        thread=said.thread,
        author=said.author,
        at=said.at + timedelta(minutes=minute),
        reachable=reachable,
        detail="blocked the bot",
    )


async def test_what_waits_for_somebody_who_blocked_the_account_fails_with_the_reason(
    rig: Rig,
) -> None:
    conversation = await rig.hear("hello")
    await rig.reply(conversation)
    await rig.intake.accept(reachability(reachable=False))

    *_, answer = await rig.messages()
    assert (answer.delivery, answer.delivery_detail) == ("failed", "blocked the bot")
    assert (await rig.conversation()).unreachable_since is not None
    assert await rig.outbox.plan(conversation) is None
    await rig.intake.accept(reachability(reachable=True))
    assert (await rig.conversation()).unreachable_since is None


async def test_who_writes_can_be_reached_again(rig: Rig) -> None:
    await rig.hear("hello")
    await rig.intake.accept(reachability(reachable=False))
    await rig.hear("hello again")
    assert (await rig.conversation()).unreachable_since is None


async def test_a_late_word_that_somebody_blocked_the_account_changes_nothing(rig: Rig) -> None:
    conversation = await rig.hear("hello")
    await rig.reply(conversation)
    await rig.intake.accept(reachability(reachable=True, minute=2))
    await rig.intake.accept(reachability(reachable=False, minute=1))
    assert (await rig.conversation()).unreachable_since is None
    assert await rig.outbox.plan(conversation) is not None


async def test_what_was_written_before_somebody_blocked_the_account_does_not_undo_it(
    rig: Rig,
) -> None:
    await rig.hear("hello")
    await rig.intake.accept(reachability(reachable=False, minute=2))
    await rig.intake.accept(posted("on its way for long"))
    assert (await rig.conversation()).unreachable_since is not None
    after = posted("can you hear me?")
    await rig.intake.accept(replace(after, at=after.at + timedelta(minutes=3)))
    assert (await rig.conversation()).unreachable_since is None
