"""Steps of tests that send: something is said, its lane advances, the platform has it."""

from __future__ import annotations

from channels.loopback import Loopback
from core.domain.conversation import Speaker
from core.domain.errors import DeliveryError, Uncertain
from core.domain.ids import ConversationId, MessageId
from core.runtime.lanes.deliveries import DeliveriesLane
from core.services.ledger import Ledger
from core.services.locks import locked
from tests.support.desk import LOOP, Rig


async def said(rig: Rig, *words: str) -> ConversationId:
    """Say `words` as a requester, each with an answer that waits to be sent."""
    for word in words:
        conversation = await rig.hear(word)
        await rig.reply(conversation)
    return conversation


def silent(rig: Rig) -> Loopback:
    """Return a channel to the platform that cannot be asked whether a message arrived."""

    class Silent(Loopback):
        find_delivery = None  # type: ignore[assignment]

    return Silent(LOOP, rig.platform, rig.loopback.capabilities.when_uncertain)


async def advance(rig: Rig, conversation: ConversationId) -> None:
    """Send what waits in a conversation."""
    await DeliveriesLane(rig.outbox, {LOOP: rig.loopback}).advance(conversation)


def received(rig: Rig) -> list[str]:
    """Return what the platform has got."""
    return [message.body.text for message in rig.platform.received]


async def states(rig: Rig) -> list[str]:
    """Return what became of each of the assistant's messages."""
    return [message.delivery for message in await rig.messages() if message.speaker == "bot"]


def fail_next(rig: Rig, *faults: DeliveryError) -> None:
    """Have the next calls of the platform fail."""
    rig.platform.faults.extend(faults)


async def park_next(rig: Rig, conversation: ConversationId) -> MessageId:
    """Begin the next delivery of a conversation and let nobody know what became of it."""
    plan = await rig.outbox.plan(conversation)
    assert plan is not None
    await rig.outbox.settle(plan, Uncertain("the connection broke"))
    return MessageId(plan.message.message)


async def say_as_desk(rig: Rig, conversation: ConversationId, words: str) -> None:
    """Let the desk itself say `words`."""
    async with rig.sessions.begin() as session:
        ledger = Ledger(rig.accounts, rig.clock())
        ledger.say(await locked(session, conversation), Speaker.SYSTEM, words)
        await ledger.write(session)
