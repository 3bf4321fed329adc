"""What may have left is asked about until the platform says, however long it is away for that."""

from __future__ import annotations

import pytest

from core.domain.channel import HeldBack
from core.domain.errors import (
    BadCredentials,
    DeliveryError,
    Rejected,
    Throttled,
    Unavailable,
    Uncertain,
)
from core.domain.ids import ConversationId
from core.storage.tables import Account
from tests.integration.core.sending import advance, fail_next, received, said, states
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
