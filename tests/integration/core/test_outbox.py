from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from channels.loopback import Loopback
from core.domain.assistant import Handoff, HandoffReason
from core.domain.channel import HeldBack, Outbound, Receipt, UncertainPolicy, Verdict
from core.domain.errors import (
    DeliveryError,
    Moved,
    Rejected,
    Throttled,
    ThrottleScope,
    Unavailable,
    Uncertain,
)
from core.domain.ids import MessageId, ThreadKey
from core.runtime.lanes.deliveries import DeliveriesLane
from core.services.delivery.backing_off import pause_after
from core.storage.engine import Sessions
from core.storage.tables import RemoteMessage
from tests.integration.core.sending import advance, fail_next, received, said, silent, states
from tests.support.desk import LOOP, Rig, posted


async def test_messages_are_sent_once_in_order_and_named(rig: Rig) -> None:
    conversation = await said(rig, "a", "b")
    await advance(rig, conversation)
    await advance(rig, conversation)

    assert received(rig) == ["You said: a", "You said: b"]
    assert await states(rig) == ["sent", "sent"]
    async with rig.sessions() as session:
        names = (await session.scalars(select(RemoteMessage.remote_id))).all()
    assert sum(name.startswith("out-") for name in names) == 2


async def test_a_message_begins_where_the_last_ends_and_none_after_the_last(rig: Rig) -> None:
    conversation = await said(rig, "a", "b")
    first = await rig.outbox.plan(conversation)
    assert first is not None
    assert not first.is_last
    second = await rig.outbox.settle_and_plan(first, await rig.loopback.deliver(first.message))
    assert second is not None
    assert second.is_last
    assert await states(rig) == ["sent", "sending"]
    receipt = await rig.loopback.deliver(second.message)
    assert await rig.outbox.settle_and_plan(second, receipt) is None
    assert received(rig) == ["You said: a", "You said: b"]
    assert await states(rig) == ["sent", "sent"]


async def test_what_left_is_sent_although_the_next_cannot_be_begun(rig: Rig) -> None:
    conversation = await said(rig, "a", "b")
    last = (await rig.messages())[-1]
    async with rig.sessions.begin() as session:
        for statement in _REFUSE_TO_BEGIN:
            await session.execute(text(statement.format(message=last.id)))
    for _ in range(2):
        with pytest.raises(DBAPIError, match="cannot be begun"):
            await advance(rig, conversation)
    assert received(rig) == ["You said: a"]
    assert await states(rig) == ["sent", "waiting"]


_REFUSE_TO_BEGIN = (
    """CREATE OR REPLACE FUNCTION refuse_to_begin() RETURNS trigger LANGUAGE plpgsql AS
       $$ BEGIN RAISE EXCEPTION 'this cannot be begun'; END $$""",
    """CREATE TRIGGER never_begun BEFORE UPDATE ON delivery FOR EACH ROW
       WHEN (NEW.message_id = '{message}' AND NEW.status = 'sending')
       EXECUTE FUNCTION refuse_to_begin()""",
)


async def test_a_rejected_message_fails_with_its_reason_and_the_lane_goes_on(rig: Rig) -> None:
    conversation = await said(rig, "a", "b")
    rig.platform.faults.append(Rejected("no such chat"))
    await advance(rig, conversation)

    assert await states(rig) == ["failed", "sent"]
    failed = next(m for m in await rig.messages() if m.delivery == "failed")
    assert failed.delivery_detail == "no such chat"


@pytest.mark.parametrize("fault", [Unavailable("down"), Throttled(3.0, ThrottleScope.THREAD)])
async def test_what_was_not_sent_waits_and_order_is_kept(rig: Rig, fault: DeliveryError) -> None:
    conversation = await said(rig, "a", "b")
    rig.platform.faults.append(fault)
    await advance(rig, conversation)
    assert received(rig) == []
    rig.clock.advance(seconds=10)
    await advance(rig, conversation)
    assert received(rig) == ["You said: a", "You said: b"]


async def test_what_cannot_be_sent_for_a_day_fails_and_shows(rig: Rig) -> None:
    conversation = await said(rig, "a")
    rig.platform.faults.append(Unavailable("down"))
    rig.clock.advance(hours=25)
    await advance(rig, conversation)
    assert await states(rig) == ["failed"]


async def test_what_a_platform_asks_to_wait_with_fails_after_three_days(rig: Rig) -> None:
    conversation = await said(rig, "a")
    rig.platform.faults += [Throttled(60.0), Throttled(60.0)]
    rig.clock.advance(hours=71)
    await advance(rig, conversation)
    assert await states(rig) == ["waiting"]
    rig.clock.advance(hours=2)
    await advance(rig, conversation)
    assert await states(rig) == ["failed"]


async def test_a_lost_answer_is_verified_and_not_sent_again(rig: Rig) -> None:
    conversation = await said(rig, "a")
    rig.platform.loses_answers = True
    rig.platform.faults.append(Uncertain("the connection broke"))
    await advance(rig, conversation)
    assert received(rig) == ["You said: a"]
    assert await states(rig) == ["sent"]


async def test_a_send_that_verification_does_not_find_is_sent_again(rig: Rig) -> None:
    conversation = await said(rig, "a")
    rig.platform.faults.append(Uncertain("the connection broke"))
    await advance(rig, conversation)
    rig.clock.advance(seconds=10)
    await advance(rig, conversation)
    assert received(rig) == ["You said: a"]


async def test_a_worker_that_died_while_sending_is_followed_by_a_verification(rig: Rig) -> None:
    conversation = await said(rig, "a")
    plan = await rig.outbox.plan(conversation)
    assert plan is not None
    await rig.loopback.deliver(plan.message)  # it left, and the worker died before it could settle
    await advance(rig, conversation)
    assert received(rig) == ["You said: a"]
    assert await states(rig) == ["sent"]


@pytest.mark.parametrize(
    ("policy", "state"), [(UncertainPolicy.PARK, "parked"), (UncertainPolicy.RESEND, "sending")]
)
async def test_doubt_that_cannot_be_settled_follows_the_accounts_policy(
    sessions: Sessions, tmp_path: Path, policy: UncertainPolicy, state: str
) -> None:
    rig = Rig(sessions, tmp_path, when_uncertain=policy)
    conversation = await said(rig, "a")
    plan = await rig.outbox.plan(conversation)
    assert plan is not None
    await rig.outbox.settle(plan, Uncertain("the connection broke"))
    assert await states(rig) == [state]


async def test_what_is_sent_again_by_policy_goes_out_after_a_pause(
    sessions: Sessions, tmp_path: Path
) -> None:
    rig = Rig(sessions, tmp_path, when_uncertain=UncertainPolicy.RESEND)
    conversation = await said(rig, "a")
    rig.platform.loses_answers = True
    fail_next(rig, Uncertain("the connection broke"))
    lane = DeliveriesLane(rig.outbox, {LOOP: silent(rig)})
    for _ in range(2):
        await lane.advance(conversation)
        assert await states(rig) == ["sending"]
    rig.clock.advance(seconds=10)
    await lane.advance(conversation)
    assert received(rig) == ["You said: a"] * 2
    assert await states(rig) == ["sent"]


@pytest.mark.parametrize(
    ("verdict", "state"),
    [(Verdict.RESEND, "waiting"), (Verdict.ARRIVED, "sent"), (Verdict.NEVER, "dropped")],
)
async def test_an_agent_settles_a_parked_message(rig: Rig, verdict: Verdict, state: str) -> None:
    conversation = await said(rig, "a")
    plan = await rig.outbox.plan(conversation)
    assert plan is not None
    await rig.outbox.settle(plan, Uncertain("?"))
    await rig.outbox.unpark(MessageId(plan.message.message), verdict)
    assert await states(rig) == [state]


async def test_the_assistants_late_word_is_not_sent_after_a_human_took_over(rig: Rig) -> None:
    conversation = await said(rig, "a")
    await rig.tickets.take_over(conversation, await rig.agent())
    await advance(rig, conversation)
    assert received(rig) == []
    assert await states(rig) == ["dropped"]
    assert (await rig.messages())[1].delivery_detail == HeldBack.TAKEN_OVER


def test_pauses_double_up_to_ten_minutes() -> None:
    assert 1.0 <= pause_after(1).total_seconds() <= 2.0
    assert 4.0 <= pause_after(3).total_seconds() <= 8.0
    assert pause_after(50).total_seconds() <= 600.0


async def test_an_account_that_is_gone_fails_its_messages_in_words(rig: Rig) -> None:
    conversation = await said(rig, "a")
    await DeliveriesLane(rig.outbox, {}).advance(conversation)
    (failed,) = [m for m in await rig.messages() if m.speaker == "bot"]
    assert failed.delivery == "failed"
    assert "not connected" in (failed.delivery_detail or "")


async def test_a_fault_of_the_channels_own_code_is_doubt_and_not_a_loop(rig: Rig) -> None:
    class Faulty(Loopback):
        find_delivery = None  # type: ignore[assignment]

        async def deliver(self, message: Outbound) -> Receipt:
            raise ZeroDivisionError

    conversation = await said(rig, "a")
    await DeliveriesLane(rig.outbox, {LOOP: Faulty(LOOP)}).advance(conversation)
    assert await states(rig) == ["parked"]


async def test_a_send_without_an_end_is_doubt_and_gives_its_place_to_others(rig: Rig) -> None:
    class Endless(Loopback):
        find_delivery = None  # type: ignore[assignment]

        async def deliver(self, message: Outbound) -> Receipt:
            await asyncio.Event().wait()
            return Receipt(remote_ids=())

    conversation = await said(rig, "a")
    lane = DeliveriesLane(rig.outbox, {LOOP: Endless(LOOP)}, longest_seconds=0.05)
    await lane.advance(conversation)
    assert await states(rig) == ["parked"]


async def test_a_thread_that_moved_is_followed_at_once(rig: Rig) -> None:
    conversation = await said(rig, "a")
    fail_next(rig, Moved(ThreadKey("t9")))
    await advance(rig, conversation)
    assert [message.thread for message in rig.platform.received] == ["t9"]
    assert (await rig.conversation("t9")).id == conversation


async def test_a_thread_that_moved_into_one_that_is_there_leaves_that_the_current(
    rig: Rig,
) -> None:
    conversation = await said(rig, "a")
    other = await rig.hear("b", thread="t9")
    fail_next(rig, Moved(ThreadKey("t9")))
    await advance(rig, conversation)
    assert [message.thread for message in rig.platform.received] == ["t9"]
    assert (await rig.conversation("t9")).id == other


async def test_a_thread_that_moves_for_ever_is_no_loop(rig: Rig) -> None:
    conversation = await said(rig, "a")
    fail_next(rig, *(Moved(ThreadKey(f"t{number}")) for number in range(10, 30)))
    await advance(rig, conversation)
    assert len(rig.platform.faults) > 10


async def test_a_message_goes_out_with_what_its_channel_needs_to_know(rig: Rig) -> None:
    rig.enable(quotes=True)
    said = replace(posted("my printer", key="in-1"), subject="Printer")
    await rig.intake.accept(said)
    conversation = await rig.conversation_id()
    await rig.reply(conversation, Handoff(reason=HandoffReason.ASKED_FOR_HUMAN))
    await advance(rig, conversation)
    await rig.tickets.reply(await rig.ticket_id(), await rig.agent(), "On my way")
    await advance(rig, conversation)

    notice, answer = rig.platform.received
    assert answer.speaker_name == "Ana"
    assert answer.requester == "somebody"
    assert answer.answers == "in-1"
    assert answer.thread_ids == ("in-1", f"out-{notice.message}-0")
    assert answer.subject == "Printer"
    assert answer.body.quoted == "my printer"
    assert notice.speaker_name is None
