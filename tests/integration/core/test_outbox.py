from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from channels.loopback import Loopback
from core.domain.actor import Agent, Role
from core.domain.assistant import Handoff, HandoffReason
from core.domain.channel import Outbound, Receipt, UncertainPolicy
from core.domain.errors import (
    BadCredentials,
    Conflict,
    DeliveryError,
    Forbidden,
    Moved,
    Rejected,
    Throttled,
    ThrottleScope,
    Unavailable,
    Uncertain,
)
from core.domain.ids import ConversationId, MessageId, ThreadKey
from core.runtime.lanes.deliveries import DeliveriesLane
from core.services.outbox import pause_after
from core.storage.engine import Sessions
from core.storage.tables import Account, MessageRevision, RemoteMessage
from tests.support.desk import LOOP, Rig, posted


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


async def test_a_message_begins_where_the_last_ends_and_none_after_the_last(rig: Rig) -> None:
    conversation = await _said(rig, "a", "b")
    first = await rig.outbox.plan(conversation)
    assert first is not None
    assert not first.is_last
    second = await rig.outbox.settle_and_plan(first, await rig.loopback.deliver(first.message))
    assert second is not None
    assert second.is_last
    assert await _states(rig) == ["sent", "sending"]
    receipt = await rig.loopback.deliver(second.message)
    assert await rig.outbox.settle_and_plan(second, receipt) is None
    assert _received(rig) == ["You said: a", "You said: b"]
    assert await _states(rig) == ["sent", "sent"]


async def test_what_left_is_sent_although_the_next_cannot_be_begun(rig: Rig) -> None:
    conversation = await _said(rig, "a", "b")
    last = (await rig.messages())[-1]
    async with rig.sessions.begin() as session:
        for statement in _REFUSE_TO_BEGIN:
            await session.execute(text(statement.format(message=last.id)))
    for _ in range(2):
        with pytest.raises(DBAPIError, match="cannot be begun"):
            await _advance(rig, conversation)
    assert _received(rig) == ["You said: a"]
    assert await _states(rig) == ["sent", "waiting"]


_REFUSE_TO_BEGIN = (
    """CREATE OR REPLACE FUNCTION refuse_to_begin() RETURNS trigger LANGUAGE plpgsql AS
       $$ BEGIN RAISE EXCEPTION 'this cannot be begun'; END $$""",
    """CREATE TRIGGER never_begun BEFORE UPDATE ON delivery FOR EACH ROW
       WHEN (NEW.message_id = '{message}' AND NEW.status = 'sending')
       EXECUTE FUNCTION refuse_to_begin()""",
)


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


async def test_a_send_without_an_end_is_doubt_and_gives_its_place_to_others(rig: Rig) -> None:
    class Endless(Loopback):
        find_delivery = None  # type: ignore[assignment]

        async def deliver(self, message: Outbound) -> Receipt:
            await asyncio.Event().wait()
            return Receipt(remote_ids=())

    conversation = await _said(rig, "a")
    lane = DeliveriesLane(rig.outbox, {LOOP: Endless(LOOP)}, longest_seconds=0.05)
    await lane.advance(conversation)
    assert await _states(rig) == ["parked"]


def _next(rig: Rig, *faults: DeliveryError) -> None:
    rig.platform.faults.extend(faults)


async def _account(rig: Rig) -> Account:
    async with rig.sessions() as session:
        return await session.get_one(Account, LOOP)


async def _health(rig: Rig) -> tuple[str, str]:
    account = await _account(rig)
    return account.health, account.health_remedy


async def _connected(rig: Rig) -> None:
    async with rig.sessions.begin() as session:
        session.add(Account(id=LOOP, channel="loopback"))


async def test_bad_credentials_hold_the_account_up_until_they_are_accepted(rig: Rig) -> None:
    await _connected(rig)
    conversation = await _said(rig, "a", "b")
    _next(rig, BadCredentials("the token was revoked", "enter a new token"))
    await _advance(rig, conversation)
    assert await _health(rig) == ("bad_credentials", "enter a new token")
    assert await _states(rig) == ["waiting", "waiting"]
    await _advance(rig, conversation)
    assert len(rig.platform.faults) == 0  # paused: nothing was tried
    _next(rig, BadCredentials("the token was revoked", "enter a new token"))
    rig.clock.advance(seconds=61)
    await _advance(rig, conversation)
    assert await _states(rig) == ["waiting", "waiting"]
    rig.clock.advance(seconds=61)
    await _advance(rig, conversation)
    assert _received(rig) == ["You said: a", "You said: b"]
    assert await _health(rig) == ("connected", "")
    assert (await _account(rig)).paused_until is None


async def test_a_platform_that_is_away_says_nothing_of_credentials(rig: Rig) -> None:
    await _connected(rig)
    conversation = await _said(rig, "a")
    _next(rig, BadCredentials("the token was revoked", "enter a new token"), Unavailable("away"))
    await _advance(rig, conversation)
    rig.clock.advance(seconds=61)
    await _advance(rig, conversation)
    assert (await _health(rig))[0] == "bad_credentials"
    rig.clock.advance(seconds=61)
    await _advance(rig, conversation)
    assert await _states(rig) == ["sent"]
    assert await _health(rig) == ("connected", "")


async def test_bad_credentials_that_nobody_mends_fail_the_message_after_a_day(rig: Rig) -> None:
    await _connected(rig)
    conversation = await _said(rig, "a")
    _next(rig, BadCredentials("the token was revoked", "enter a new token"))
    rig.clock.advance(hours=25)
    await _advance(rig, conversation)
    assert await _states(rig) == ["failed"]


async def test_after_a_pause_one_message_is_tried_before_the_others(rig: Rig) -> None:
    await _connected(rig)
    first = await _said(rig, "a")
    other = await rig.hear("b", thread="t2")
    await rig.reply(other)
    _next(rig, Throttled(60.0))
    await _advance(rig, first)
    rig.clock.advance(seconds=61)
    probe = await rig.outbox.plan(first)
    assert probe is not None
    assert probe.is_probe
    assert await rig.outbox.plan(other) is None
    await rig.outbox.settle(probe, Rejected("no such chat"))  # the account itself works
    assert await rig.outbox.plan(other) is not None


async def test_a_probe_that_is_throttled_again_waits_only_as_long_as_it_is_told(rig: Rig) -> None:
    await _connected(rig)
    conversation = await _said(rig, "a")
    for pause_seconds in (30, 2):
        _next(rig, Throttled(pause_seconds))
        await _advance(rig, conversation)
        rig.clock.advance(seconds=pause_seconds + 1)
    await _advance(rig, conversation)
    assert await _states(rig) == ["sent"]


async def test_a_probe_whose_worker_died_is_followed_by_another(rig: Rig) -> None:
    await _connected(rig)
    first = await _said(rig, "a")
    other = await rig.hear("b", thread="t2")
    await rig.reply(other)
    _next(rig, Throttled(60.0))
    await _advance(rig, first)
    rig.clock.advance(seconds=61)
    assert await rig.outbox.plan(first) is not None
    rig.clock.advance(seconds=61)
    assert await rig.outbox.plan(other) is not None


async def test_a_thread_that_moved_is_followed_at_once(rig: Rig) -> None:
    conversation = await _said(rig, "a")
    _next(rig, Moved(ThreadKey("t9")))
    await _advance(rig, conversation)
    assert [message.thread for message in rig.platform.received] == ["t9"]
    assert (await rig.conversation("t9")).id == conversation


async def test_a_thread_that_moved_into_one_that_is_there_leaves_that_the_current(
    rig: Rig,
) -> None:
    conversation = await _said(rig, "a")
    other = await rig.hear("b", thread="t9")
    _next(rig, Moved(ThreadKey("t9")))
    await _advance(rig, conversation)
    assert [message.thread for message in rig.platform.received] == ["t9"]
    assert (await rig.conversation("t9")).id == other


async def test_a_thread_that_moves_for_ever_is_no_loop(rig: Rig) -> None:
    conversation = await _said(rig, "a")
    _next(rig, *(Moved(ThreadKey(f"t{number}")) for number in range(10, 30)))
    await _advance(rig, conversation)
    assert len(rig.platform.faults) > 10


async def test_a_message_goes_out_with_what_its_channel_needs_to_know(rig: Rig) -> None:
    rig.enable(quotes=True)
    said = replace(posted("my printer", key="in-1"), subject="Printer")
    await rig.intake.accept(said)
    conversation = await rig.conversation_id()
    await rig.reply(conversation, Handoff(reason=HandoffReason.ASKED_FOR_HUMAN))
    await _advance(rig, conversation)
    await rig.tickets.reply(await rig.ticket_id(), await rig.agent(), "On my way")
    await _advance(rig, conversation)

    notice, answer = rig.platform.received
    assert answer.speaker_name == "Ana"
    assert answer.requester == "somebody"
    assert answer.answers == "in-1"
    assert answer.thread_ids == ("in-1", f"out-{notice.message}-0")
    assert answer.subject == "Printer"
    assert answer.body.quoted == "my printer"
    assert notice.speaker_name is None


async def _answered(rig: Rig, words: str = "On my way") -> tuple[ConversationId, MessageId, Agent]:
    """An agent's answer, waiting to be sent."""
    conversation = await rig.hear("help")
    await rig.reply(conversation, Handoff(reason=HandoffReason.ASKED_FOR_HUMAN))
    await _advance(rig, conversation)
    agent = await rig.agent()
    message = await rig.tickets.reply(await rig.ticket_id(), agent, words)
    rig.platform.received.clear()
    return conversation, message, agent


async def test_a_correction_before_the_message_left_goes_out_with_it(rig: Rig) -> None:
    conversation, message, agent = await _answered(rig, "On my wya")
    await rig.corrections.correct(message, agent, "On my way")
    await _advance(rig, conversation)
    assert _received(rig) == ["On my way"]
    assert rig.platform.edited == []


async def test_a_correction_of_a_message_that_left_is_made_on_the_platform(rig: Rig) -> None:
    conversation, message, agent = await _answered(rig, "On my wya")
    await _advance(rig, conversation)
    await rig.corrections.correct(message, agent, "On my way")
    await rig.corrections.correct(message, agent, "On my way!")
    _next(rig, Uncertain("the connection broke"))
    await _advance(rig, conversation)
    rig.clock.advance(seconds=10)
    await _advance(rig, conversation)

    assert [edit.body.text for edit in rig.platform.edited] == ["On my way!"]
    *_, row = await rig.messages()
    assert (row.text, row.delivery, row.edited_at is not None) == ("On my way!", "sent", True)
    async with rig.sessions() as session:
        said = await session.scalars(select(MessageRevision.text).order_by(MessageRevision.id))
        assert said.all() == ["On my wya", "On my way"]


async def test_a_correction_that_the_platform_refuses_is_shown_on_the_message(rig: Rig) -> None:
    conversation, message, agent = await _answered(rig)
    await _advance(rig, conversation)
    await rig.corrections.correct(message, agent, "Later")
    _next(rig, Rejected("too old to be changed"))
    await _advance(rig, conversation)
    *_, row = await rig.messages()
    assert (row.delivery, row.delivery_detail) == ("sent", "too old to be changed")


async def test_a_message_withdrawn_before_it_left_never_leaves(rig: Rig) -> None:
    conversation, message, agent = await _answered(rig)
    await rig.corrections.withdraw(message, agent)
    await _advance(rig, conversation)
    assert _received(rig) == []
    *_, row = await rig.messages()
    assert (row.delivery, row.removed_at is not None) == ("dropped", True)


async def test_a_message_withdrawn_after_it_left_is_taken_back(rig: Rig) -> None:
    conversation, message, agent = await _answered(rig)
    await _advance(rig, conversation)
    await rig.corrections.correct(message, agent, "Later")
    await rig.corrections.withdraw(message, agent)
    await _advance(rig, conversation)
    assert rig.platform.edited == []
    assert rig.platform.removed == [f"out-{message}-0"]
    with pytest.raises(Conflict):
        await rig.corrections.correct(message, agent, "No, sooner")


async def test_a_channel_that_cannot_change_messages_says_so(rig: Rig) -> None:
    rig.enable(edits=False, removes=False)
    conversation, message, agent = await _answered(rig)
    await _advance(rig, conversation)
    with pytest.raises(Conflict, match="cannot change"):
        await rig.corrections.correct(message, agent, "Later")
    with pytest.raises(Conflict, match="cannot take back"):
        await rig.corrections.withdraw(message, agent)


async def test_agents_change_their_own_words_only(rig: Rig) -> None:
    _, message, _ = await _answered(rig)
    with pytest.raises(Forbidden):
        await rig.corrections.withdraw(message, await rig.agent("Bea"))
    customer, *_ = await rig.messages()
    with pytest.raises(Forbidden):
        await rig.corrections.correct(
            MessageId(customer.id), await rig.agent("Root", Role.ADMIN), "No"
        )
