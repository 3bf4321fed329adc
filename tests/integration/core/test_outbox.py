from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from channels.loopback import Loopback
from core.domain.channel import Outbound, Receipt, UncertainPolicy
from core.domain.errors import (
    DeliveryError,
    Rejected,
    Throttled,
    ThrottleScope,
    Unavailable,
    Uncertain,
)
from core.domain.ids import ConversationId, MessageId
from core.runtime.lanes.deliveries import DeliveriesLane
from core.services.outbox import pause_after
from core.storage.engine import Sessions
from core.storage.tables import Account, RemoteMessage
from tests.support.desk import LOOP, Rig


async def _said(rig: Rig, *words: str) -> ConversationId:
    for word in words:
        conversation = await rig.hear(word)
        await rig.reply(conversation)
    return conversation


async def _advance(rig: Rig, conversation: ConversationId) -> None:
    await DeliveriesLane(rig.outbox, {LOOP: rig.loopback}).advance(conversation)


def _received(rig: Rig) -> list[str]:
    return [message.body.text for message in rig.platform.received]


async def _states(rig: Rig) -> list[str]:
    return [message.delivery for message in await rig.messages() if message.speaker == "bot"]


async def test_messages_are_sent_once_in_order_and_named(rig: Rig) -> None:
    conversation = await _said(rig, "a", "b")
    await _advance(rig, conversation)
    await _advance(rig, conversation)

    assert _received(rig) == ["You said: a", "You said: b"]
    assert await _states(rig) == ["sent", "sent"]
    async with rig.sessions() as session:
        names = (await session.scalars(select(RemoteMessage.remote_id))).all()
    assert sum(name.startswith("out-") for name in names) == 2


async def test_a_rejected_message_fails_with_its_reason_and_the_lane_goes_on(rig: Rig) -> None:
    conversation = await _said(rig, "a", "b")
    rig.platform.faults.append(Rejected("no such chat"))
    await _advance(rig, conversation)

    assert await _states(rig) == ["failed", "sent"]
    failed = next(m for m in await rig.messages() if m.delivery == "failed")
    assert failed.delivery_detail == "no such chat"


@pytest.mark.parametrize("fault", [Unavailable("down"), Throttled(3.0, ThrottleScope.THREAD)])
async def test_what_was_not_sent_waits_and_order_is_kept(rig: Rig, fault: DeliveryError) -> None:
    conversation = await _said(rig, "a", "b")
    rig.platform.faults.append(fault)
    await _advance(rig, conversation)
    assert _received(rig) == []
    rig.clock.advance(seconds=10)
    await _advance(rig, conversation)
    assert _received(rig) == ["You said: a", "You said: b"]


async def test_what_cannot_be_sent_for_a_day_fails_and_shows(rig: Rig) -> None:
    conversation = await _said(rig, "a")
    rig.platform.faults.append(Unavailable("down"))
    rig.clock.advance(hours=25)
    await _advance(rig, conversation)
    assert await _states(rig) == ["failed"]


async def test_a_throttled_account_pauses_for_all_its_conversations(rig: Rig) -> None:
    async with rig.sessions.begin() as session:
        session.add(Account(id=LOOP, channel="loopback"))
    conversation = await _said(rig, "a")
    rig.platform.faults.append(Throttled(60.0))
    await _advance(rig, conversation)
    other = await rig.hear("b", thread="t2")
    await rig.reply(other)
    await _advance(rig, other)
    assert _received(rig) == []
    rig.clock.advance(seconds=61)
    await _advance(rig, conversation)
    await _advance(rig, other)
    assert len(_received(rig)) == 2


async def test_a_lost_answer_is_verified_and_not_sent_again(rig: Rig) -> None:
    conversation = await _said(rig, "a")
    rig.platform.loses_answers = True
    rig.platform.faults.append(Uncertain("the connection broke"))
    await _advance(rig, conversation)
    assert _received(rig) == ["You said: a"]
    assert await _states(rig) == ["sent"]


async def test_a_send_that_verification_does_not_find_is_sent_again(rig: Rig) -> None:
    conversation = await _said(rig, "a")
    rig.platform.faults.append(Uncertain("the connection broke"))
    await _advance(rig, conversation)
    rig.clock.advance(seconds=10)
    await _advance(rig, conversation)
    assert _received(rig) == ["You said: a"]


async def test_a_worker_that_died_while_sending_is_followed_by_a_verification(rig: Rig) -> None:
    conversation = await _said(rig, "a")
    plan = await rig.outbox.plan(conversation)
    assert plan is not None
    await rig.loopback.deliver(plan.message)  # it left, and the worker died before it could settle
    await _advance(rig, conversation)
    assert _received(rig) == ["You said: a"]
    assert await _states(rig) == ["sent"]


@pytest.mark.parametrize(
    ("policy", "state"), [(UncertainPolicy.PARK, "parked"), (UncertainPolicy.RESEND, "waiting")]
)
async def test_doubt_that_cannot_be_settled_follows_the_accounts_policy(
    sessions: Sessions, tmp_path: Path, policy: UncertainPolicy, state: str
) -> None:
    rig = Rig(sessions, tmp_path, when_uncertain=policy)
    conversation = await _said(rig, "a")
    plan = await rig.outbox.plan(conversation)
    assert plan is not None
    await rig.outbox.settle(plan, Uncertain("the connection broke"))
    assert await _states(rig) == [state]


@pytest.mark.parametrize(("resend", "state"), [(True, "waiting"), (False, "sent")])
async def test_an_agent_settles_a_parked_message(rig: Rig, resend: bool, state: str) -> None:
    conversation = await _said(rig, "a")
    plan = await rig.outbox.plan(conversation)
    assert plan is not None
    await rig.outbox.settle(plan, Uncertain("?"))
    await rig.outbox.unpark(MessageId(plan.message.message), resend=resend)
    assert await _states(rig) == [state]


async def test_the_assistants_late_word_is_not_sent_after_a_human_took_over(rig: Rig) -> None:
    conversation = await _said(rig, "a")
    await rig.tickets.take_over(conversation, await rig.agent())
    await _advance(rig, conversation)
    assert _received(rig) == []
    assert await _states(rig) == ["dropped"]


def test_pauses_double_up_to_ten_minutes() -> None:
    assert 1.0 <= pause_after(1).total_seconds() <= 2.0
    assert 4.0 <= pause_after(3).total_seconds() <= 8.0
    assert pause_after(50).total_seconds() <= 600.0


async def test_an_account_that_is_gone_fails_its_messages_in_words(rig: Rig) -> None:
    conversation = await _said(rig, "a")
    await DeliveriesLane(rig.outbox, {}).advance(conversation)
    (failed,) = [m for m in await rig.messages() if m.speaker == "bot"]
    assert failed.delivery == "failed"
    assert "not connected" in (failed.delivery_detail or "")


async def test_a_fault_of_the_channels_own_code_is_doubt_and_not_a_loop(rig: Rig) -> None:
    class Faulty(Loopback):
        find_delivery = None  # type: ignore[assignment]

        async def deliver(self, message: Outbound) -> Receipt:
            raise ZeroDivisionError

    conversation = await _said(rig, "a")
    await DeliveriesLane(rig.outbox, {LOOP: Faulty(LOOP)}).advance(conversation)
    assert await _states(rig) == ["parked"]
