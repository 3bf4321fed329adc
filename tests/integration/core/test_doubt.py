"""What may have left is asked about until the platform says, however long it is away for that."""

from __future__ import annotations

from pathlib import Path

import pytest

from channels.loopback.ids import sent_id
from core.domain.assistant import Handoff, HandoffReason
from core.domain.channel import HeldBack, UncertainPolicy, Verdict
from core.domain.errors import (
    BadCredentials,
    DeliveryError,
    Rejected,
    Throttled,
    Unavailable,
    Uncertain,
)
from core.domain.ids import ConversationId, MessageId
from core.runtime.lanes.deliveries import DeliveriesLane
from core.storage.engine import Sessions
from core.storage.tables import Account
from tests.integration.core.sending import (
    advance,
    fail_next,
    received,
    said,
    say_as_desk,
    silent,
    states,
)
from tests.support.desk import LOOP, Rig

CANNOT_SAY = [
    Unavailable("away"),
    Throttled(30.0),
    BadCredentials("revoked", "make another token"),
    Uncertain("the connection broke"),
]


async def left_by_a_dead_worker(rig: Rig, *, arrived: bool) -> ConversationId:
    """Return a conversation whose answer left, or not, with a worker that could not settle it."""
    async with rig.sessions.begin() as session:
        session.add(Account(id=LOOP, channel="loopback"))
    conversation = await said(rig, "a")
    plan = await rig.outbox.plan(conversation)
    assert plan is not None
    if arrived:
        await rig.loopback.deliver(plan.message)
    return conversation


@pytest.mark.parametrize("fault", CANNOT_SAY)
@pytest.mark.parametrize("arrived", [True, False])
async def test_what_a_dead_worker_left_is_not_sent_again_before_the_platform_says(
    rig: Rig, fault: DeliveryError, arrived: bool
) -> None:
    conversation = await left_by_a_dead_worker(rig, arrived=arrived)
    rig.platform.look_faults.append(fault)
    await advance(rig, conversation)
    assert await states(rig) == ["sending"]
    assert len(received(rig)) == arrived
    rig.clock.advance(seconds=61)
    await advance(rig, conversation)
    assert received(rig) == ["You said: a"]
    assert await states(rig) == ["sent"]
    assert await rig.reasons() == []


async def test_a_platform_that_is_away_after_the_connection_broke_is_asked_later(
    rig: Rig,
) -> None:
    conversation = await said(rig, "a", "b")
    rig.platform.loses_answers = True
    fail_next(rig, Uncertain("the connection broke"))
    rig.platform.look_faults.append(Unavailable("away"))
    await advance(rig, conversation)
    assert await states(rig) == ["sending", "waiting"]  # in order
    rig.clock.advance(seconds=10)
    await advance(rig, conversation)
    assert received(rig) == ["You said: a", "You said: b"]
    assert await states(rig) == ["sent", "sent"]


async def test_a_platform_that_does_not_say_for_a_day_leaves_it_to_a_person(rig: Rig) -> None:
    conversation = await left_by_a_dead_worker(rig, arrived=True)
    rig.clock.advance(hours=25)
    rig.platform.look_faults.append(Unavailable("away"))
    await advance(rig, conversation)
    assert await states(rig) == ["parked"]
    assert await rig.reasons() == ["in_doubt"]


async def test_a_platform_that_refuses_to_say_leaves_it_to_a_person(rig: Rig) -> None:
    conversation = await left_by_a_dead_worker(rig, arrived=True)
    rig.platform.look_faults.extend([Rejected("no such chat")] * 2)
    await advance(rig, conversation)
    assert await states(rig) == ["parked"]
    assert await rig.reasons() == ["in_doubt"]


async def test_an_account_that_must_wait_to_ask_holds_up_its_other_conversations(
    rig: Rig,
) -> None:
    conversation = await left_by_a_dead_worker(rig, arrived=True)
    rig.platform.look_faults.append(Throttled(60.0))
    await advance(rig, conversation)
    other = await rig.hear("b", thread="t2")
    await rig.reply(other)
    await advance(rig, other)
    assert received(rig) == ["You said: a"]
    rig.clock.advance(seconds=61)
    await advance(rig, conversation)
    await advance(rig, other)
    assert received(rig) == ["You said: a", "You said: b"]


@pytest.mark.parametrize(("arrived", "state"), [(True, "sent"), (False, "dropped")])
async def test_what_a_human_overtook_is_only_found_out_about(
    rig: Rig, arrived: bool, state: str
) -> None:
    conversation = await left_by_a_dead_worker(rig, arrived=arrived)
    await rig.tickets.take_over(conversation, await rig.agent())
    await advance(rig, conversation)
    assert await states(rig) == [state]
    assert len(received(rig)) == arrived
    held_back = None if arrived else HeldBack.TAKEN_OVER
    assert (await rig.messages())[1].delivery_detail == held_back


@pytest.fixture
def letters(sessions: Sessions, tmp_path: Path) -> Rig:
    """A desk whose channel cannot be asked, and sends again what may have left, as mail is."""
    return Rig(sessions, tmp_path, when_uncertain=UncertainPolicy.RESEND)


@pytest.mark.parametrize("faults", [[], [Uncertain("?")], [Uncertain("?"), Unavailable("away")]])
async def test_a_letter_that_a_human_overtook_while_it_may_have_left_is_not_called_held_back(
    letters: Rig, faults: list[DeliveryError]
) -> None:
    conversation = await left_by_a_dead_worker(letters, arrived=True)
    lane = DeliveriesLane(letters.outbox, {LOOP: silent(letters)})
    for fault in faults:
        fail_next(letters, fault)
        await lane.advance(conversation)
        letters.clock.advance(seconds=61)
    await letters.tickets.take_over(conversation, await letters.agent())
    await lane.advance(conversation)
    assert received(letters) == ["You said: a"]
    assert await states(letters) == ["parked"]


@pytest.mark.parametrize("last", [Uncertain("the connection broke"), Unavailable("away")])
async def test_a_letter_in_doubt_for_a_day_is_left_to_a_person_who_sees_why(
    letters: Rig, last: DeliveryError
) -> None:
    conversation = await said(letters, "a")
    lane = DeliveriesLane(letters.outbox, {LOOP: silent(letters)})
    fail_next(letters, Uncertain("the connection broke"))
    await lane.advance(conversation)
    letters.clock.advance(hours=25)
    fail_next(letters, last)
    await lane.advance(conversation)
    assert await states(letters) == ["parked"]
    assert await letters.reasons() == ["in_doubt"]
    letter = (await letters.messages())[1]
    assert letter.delivery_detail == str(last)
    await letters.outbox.unpark(MessageId(letter.id), Verdict.RESEND)
    await lane.advance(conversation)
    assert await states(letters) == ["sent"]


async def test_a_letter_overtaken_while_it_is_sent_is_left_to_a_person(letters: Rig) -> None:
    conversation = await said(letters, "a")
    plan = await letters.outbox.plan(conversation)
    assert plan is not None
    await letters.tickets.take_over(conversation, await letters.agent())
    await letters.outbox.settle(plan, Uncertain("the connection broke"))
    assert await states(letters) == ["parked"]


@pytest.mark.parametrize("arrived", [True, False])
async def test_what_an_agent_took_back_is_not_sent_when_it_had_not_arrived(
    rig: Rig, arrived: bool
) -> None:
    conversation = await rig.hear("help")
    await rig.reply(conversation, Handoff(reason=HandoffReason.ASKED_FOR_HUMAN))
    await advance(rig, conversation)
    agent = await rig.agent()
    answer = await rig.tickets.reply(await rig.ticket_id(), agent, "oops")
    plan = await rig.outbox.plan(conversation)
    assert plan is not None
    if arrived:
        await rig.loopback.deliver(plan.message)
    await rig.corrections.withdraw(answer, agent)
    await advance(rig, conversation)
    assert received(rig)[1:] == ["oops"] * arrived
    assert rig.platform.removed == [sent_id(answer)] * arrived
    last = (await rig.messages())[-1]
    assert (last.delivery, last.delivery_detail) == ("sent" if arrived else "dropped", None)


async def test_a_notice_that_may_have_left_is_asked_about_whatever_its_person_has_had(
    rig: Rig,
) -> None:
    rig.enable(answers_per_hour=1)
    conversation = await said(rig, "a")
    await advance(rig, conversation)
    await say_as_desk(rig, conversation, "one")
    rig.enable(answers_per_hour=None)
    plan = await rig.outbox.plan(conversation)
    assert plan is not None
    await rig.loopback.deliver(plan.message)
    rig.enable(answers_per_hour=1)
    await advance(rig, conversation)
    assert received(rig) == ["You said: a", "one"]
    assert (await rig.messages())[-1].delivery == "sent"


async def test_an_agent_has_sent_again_what_the_platform_refuses_to_tell_about(rig: Rig) -> None:
    conversation = await left_by_a_dead_worker(rig, arrived=False)
    rig.platform.look_faults.extend([Rejected("no such scope")] * 3)
    await advance(rig, conversation)
    (parked,) = [m for m in await rig.messages() if m.delivery == "parked"]
    await rig.outbox.unpark(MessageId(parked.id), Verdict.RESEND)
    await advance(rig, conversation)
    assert await states(rig) == ["sent"]
    assert received(rig).count("You said: a") == 1


async def test_what_an_agent_has_sent_again_is_in_doubt_while_the_platform_does_not_say(
    rig: Rig,
) -> None:
    conversation = await left_by_a_dead_worker(rig, arrived=True)
    rig.clock.advance(hours=25)
    rig.platform.look_faults.append(Unavailable("away"))
    await advance(rig, conversation)
    (parked,) = [m for m in await rig.messages() if m.delivery == "parked"]
    await rig.outbox.unpark(MessageId(parked.id), Verdict.RESEND)
    rig.platform.look_faults.append(Unavailable("away"))
    await advance(rig, conversation)
    assert await states(rig) == ["sending"]
    rig.clock.advance(seconds=61)
    await advance(rig, conversation)
    assert await states(rig) == ["sent"]
    assert received(rig).count("You said: a") == 1
