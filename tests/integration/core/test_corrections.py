"""Agents correct and withdraw what they said, before it has left and after."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from core.domain.actor import Agent, Role
from core.domain.assistant import Handoff, HandoffReason
from core.domain.errors import (
    BadCredentials,
    Conflict,
    DeliveryError,
    Forbidden,
    Moved,
    Rejected,
    Throttled,
    Unavailable,
    Uncertain,
)
from core.domain.ids import ConversationId, MessageId, ThreadKey
from core.storage.tables import MessageRevision
from tests.integration.core.sending import advance, fail_next, received
from tests.support.desk import Rig


async def _answered(rig: Rig, words: str = "On my way") -> tuple[ConversationId, MessageId, Agent]:
    """An agent's answer, waiting to be sent."""
    conversation = await rig.hear("help")
    await rig.reply(conversation, Handoff(reason=HandoffReason.ASKED_FOR_HUMAN))
    await advance(rig, conversation)
    agent = await rig.agent()
    message = await rig.tickets.reply(await rig.ticket_id(), agent, words)
    rig.platform.received.clear()
    return conversation, message, agent


async def test_a_correction_before_the_message_left_goes_out_with_it(rig: Rig) -> None:
    conversation, message, agent = await _answered(rig, "On my wya")
    await rig.corrections.correct(message, agent, "On my way")
    await advance(rig, conversation)
    assert received(rig) == ["On my way"]
    assert rig.platform.edited == []


async def test_a_correction_of_a_message_that_left_is_made_on_the_platform(rig: Rig) -> None:
    conversation, message, agent = await _answered(rig, "On my wya")
    await advance(rig, conversation)
    await rig.corrections.correct(message, agent, "On my way")
    await rig.corrections.correct(message, agent, "On my way!")
    fail_next(rig, Uncertain("the connection broke"))
    await advance(rig, conversation)
    rig.clock.advance(seconds=10)
    await advance(rig, conversation)

    assert [edit.body.text for edit in rig.platform.edited] == ["On my way!"]
    *_, row = await rig.messages()
    assert (row.text, row.delivery, row.edited_at is not None) == ("On my way!", "sent", True)
    async with rig.sessions() as session:
        said = await session.scalars(select(MessageRevision.text).order_by(MessageRevision.id))
        assert said.all() == ["On my wya", "On my way"]


async def test_a_correction_that_the_platform_refuses_is_shown_on_the_message(rig: Rig) -> None:
    conversation, message, agent = await _answered(rig)
    await advance(rig, conversation)
    await rig.corrections.correct(message, agent, "Later")
    fail_next(rig, Rejected("too old to be changed"))
    await advance(rig, conversation)
    *_, row = await rig.messages()
    assert (row.delivery, row.delivery_detail) == ("sent", "too old to be changed")


async def test_a_message_withdrawn_before_it_left_never_leaves(rig: Rig) -> None:
    conversation, message, agent = await _answered(rig)
    await rig.corrections.withdraw(message, agent)
    await advance(rig, conversation)
    assert received(rig) == []
    *_, row = await rig.messages()
    assert (row.delivery, row.removed_at is not None) == ("dropped", True)


async def test_a_message_withdrawn_after_it_left_is_taken_back(rig: Rig) -> None:
    conversation, message, agent = await _answered(rig)
    await advance(rig, conversation)
    await rig.corrections.correct(message, agent, "Later")
    await rig.corrections.withdraw(message, agent)
    await advance(rig, conversation)
    assert rig.platform.edited == []
    assert rig.platform.removed == [f"out-{message}-0"]
    with pytest.raises(Conflict):
        await rig.corrections.correct(message, agent, "No, sooner")


async def test_a_channel_that_cannot_change_messages_says_so(rig: Rig) -> None:
    rig.enable(edits=False, removes=False)
    conversation, message, agent = await _answered(rig)
    await advance(rig, conversation)
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


async def test_a_correction_whose_end_is_not_known_is_made_again_as_one_that_may_have_left(
    rig: Rig,
) -> None:
    conversation, answer, agent = await _answered(rig)
    await advance(rig, conversation)
    await rig.corrections.correct(answer, agent, "On my way!")
    fail_next(rig, Uncertain("the connection broke"))
    await advance(rig, conversation)
    rig.clock.advance(seconds=10)
    await advance(rig, conversation)
    (edit,) = rig.platform.edited
    assert edit.may_have_left
    assert (await rig.messages())[-1].delivery == "sent"


async def test_a_correction_that_a_dead_worker_began_is_made_again_as_one_that_may_have_left(
    rig: Rig,
) -> None:
    conversation, answer, agent = await _answered(rig)
    await advance(rig, conversation)
    await rig.corrections.correct(answer, agent, "On my way!")
    assert await rig.outbox.plan(conversation) is not None
    await advance(rig, conversation)
    assert [edit.may_have_left for edit in rig.platform.edited] == [True]


@pytest.mark.parametrize(
    "fault",
    [
        Unavailable("away"),
        Throttled(20.0),
        BadCredentials("revoked", "make another token"),
        Moved(ThreadKey("t2")),
    ],
    ids=lambda fault: type(fault).__name__,
)
async def test_a_correction_that_may_have_left_stays_in_doubt_while_attempts_fail(
    rig: Rig, fault: DeliveryError
) -> None:
    conversation, answer, agent = await _answered(rig)
    await advance(rig, conversation)
    await rig.corrections.correct(answer, agent, "On my way!")
    assert await rig.outbox.plan(conversation) is not None  # of a worker that dies now
    fail_next(rig, fault)
    await advance(rig, conversation)
    rig.clock.advance(seconds=61)
    await advance(rig, conversation)
    assert [edit.may_have_left for edit in rig.platform.edited] == [True]
