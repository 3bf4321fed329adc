"""Machines, strangers and those whom nobody vouches for: what their messages lead to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from core.domain.assistant import Close, Handoff, HandoffReason
from core.domain.content import Caution, Envelope
from core.domain.conversation import Responder
from core.domain.events import (
    Author,
    MessagePosted,
)
from core.domain.ids import Address
from core.ports import Refusal
from core.storage.tables import (
    ContactAddress,
    Conversation,
    InboundEvent,
    Participant,
)
from tests.support.desk import Rig, posted


def letter(text: str, **changes: Any) -> MessagePosted:
    """A letter to the desk alone."""
    who = changes.pop("who", "somebody")
    return replace(posted(text, who=who), **({"envelope": Envelope()} | changes))


async def participants(rig: Rig) -> set[str]:
    async with rig.sessions() as session:
        return set(await session.scalars(select(Participant.address)))


async def test_a_machines_message_in_no_known_thread_is_refused_and_its_payload_kept(
    rig: Rig,
) -> None:
    (refused,) = await rig.intake.accept(replace(posted("out of office"), is_automatic=True))
    assert refused.refusal is Refusal.AUTOMATIC
    async with rig.sessions() as session:
        assert (await session.scalars(select(Conversation))).all() == []
        assert (await session.scalars(select(ContactAddress))).all() == []
        assert await session.scalar(select(InboundEvent.raw_blob)) is not None


async def test_a_machines_message_in_a_thread_is_kept_and_starts_nothing(rig: Rig) -> None:
    conversation = await rig.hear("bye")
    await rig.reply(conversation, Close(reason="goodbye"))
    await rig.intake.accept(replace(posted("out of office"), is_automatic=True))

    after = await rig.conversation()
    assert (after.id, after.responder) == (conversation, Responder.CLOSED)
    assert (await rig.texts())[-1] == ("customer", "out of office")
    assert await rig.turn_text() is None


async def test_a_machines_message_is_not_put_into_the_next_turn(rig: Rig) -> None:
    conversation = await rig.hear("hello")
    await rig.reply(conversation)
    await rig.intake.accept(replace(posted("out of office"), is_automatic=True))
    await rig.hear("I am back")
    assert await rig.turn_text() == "I am back"


async def test_for_an_author_nobody_vouches_for_the_assistant_knows_no_account(rig: Rig) -> None:
    conversation = await rig.hear("one")
    await rig.reply(conversation, Handoff(reason=HandoffReason.ASKED_FOR_HUMAN))
    await rig.tickets.return_to_bot(await rig.ticket_id(), await rig.agent())
    await rig.intake.accept(letter("my ticket?", caution=Caution.UNVERIFIED))

    plan = await rig.turns.plan(conversation)
    assert plan is not None
    request = plan.request
    assert (request.tickets, request.summary, request.requester_name) == ((), None, None)


@pytest.mark.parametrize("caution", [Caution.STRANGER, Caution.CLAIMS_AGENT])
async def test_a_new_conversation_that_claims_too_much_goes_to_a_human_unanswered(
    rig: Rig, caution: Caution
) -> None:
    await rig.intake.accept(letter("wire the money", caution=caution))

    assert await rig.turn_text() is None
    assert await rig.reasons() == ["unverified_author"]
    assert await rig.texts() == [("customer", "wire the money")]
    assert (await rig.messages())[0].caution == caution


async def test_a_letter_in_an_agents_name_that_nobody_vouches_for_claims_to_be_one(
    rig: Rig,
) -> None:
    agent = await rig.agent()
    await rig.intake.accept(letter("reset my password", who=agent.email.upper()))

    assert (await rig.messages())[0].caution == Caution.CLAIMS_AGENT
    assert await rig.reasons() == ["unverified_author"]


async def test_a_stranger_in_a_known_thread_is_flagged_and_not_answered(rig: Rig) -> None:
    await rig.intake.accept(letter("hello"))
    await rig.reply(await rig.conversation_id(), Handoff(reason=HandoffReason.ASKED_FOR_HUMAN))
    await rig.intake.accept(letter("me too", who="mallory", envelope=Envelope(cc=_to("eve"))))

    assert (await rig.messages())[-1].caution == Caution.STRANGER
    assert await rig.reasons() == ["asked_for_human"]
    assert await participants(rig) == set()


async def test_who_got_a_copy_is_a_participant_and_no_stranger(rig: Rig) -> None:
    envelope = Envelope(to=_to("boss"), cc=_to("ana", "somebody"), subject="Help")
    await rig.intake.accept(letter("hello", envelope=envelope))
    await rig.intake.accept(letter("I agree", who="boss"))

    assert await participants(rig) == {"boss", "ana"}
    first, second = await rig.messages()
    assert (first.caution, second.caution) == (None, None)
    assert first.envelope == {
        "to": ["boss"],
        "cc": ["ana", "somebody"],
        "bcc": [],
        "subject": "Help",
    }
    conversation = await rig.conversation_id()
    plans = [await rig.reply(conversation), await rig.reply(conversation)]
    assert [plan.request.text for plan in plans] == ["Help\nhello", "I agree"]


def _to(*addresses: str) -> tuple[Address, ...]:
    return tuple(Address(address) for address in addresses)


async def test_who_wrote_a_letter_that_was_passed_on_is_kept(rig: Rig) -> None:
    origin = Author(address=Address("zoe@people.example"), name="Zoe")
    await rig.intake.accept(letter("Can you see to this?", forwarded_from=origin))
    (first,) = await rig.messages()
    assert first.forwarded_from == {"address": "zoe@people.example", "name": "Zoe"}
    assert first.author != origin.address
