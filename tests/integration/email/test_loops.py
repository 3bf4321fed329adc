"""A program that answers every mail, without a header that says so, meets the assistant."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from channels.simulator.email import MailPlatform, Person
from core.domain.assistant import Handoff, HandoffReason, OfferedChoice, Say, Step
from core.domain.content import Intent
from core.domain.conversation import Responder
from core.domain.ids import ConversationId
from core.runtime.machine.polling import until
from core.storage.tables import Conversation
from tests.support.mail_desk import MailDesk

ROBOT = "robot@other.example"


async def _talk(desk: MailDesk, people: MailPlatform) -> None:
    """Let both sides talk until neither has anything to say."""
    quiet_rounds = 0
    while quiet_rounds < 3:
        before = len(people.received) + people.handed_in
        await desk.work()

        async def robot_is_done() -> bool:
            return not people.is_answering

        assert await until(robot_is_done, every=0.01, seconds=10)
        quiet_rounds = quiet_rounds + 1 if len(people.received) + people.handed_in == before else 0


@pytest.mark.parametrize("threads", [True, False])
@pytest.mark.parametrize(
    "steps",
    [
        (Say(text="I am not sure."),),
        (Say(text="One moment."), Handoff(reason=HandoffReason.UNSURE_TWICE)),
    ],
    ids=["answers", "hands off"],
)
async def test_two_machines_fall_silent_after_five_mails(
    desk: MailDesk, people: MailPlatform, steps: tuple[Step, ...], threads: bool
) -> None:
    desk.steps = steps
    people.responders[ROBOT] = "Thank you for your mail. We will come back to you."
    people.responders_thread = threads
    await people.hand_in(people.compose(Person(address=ROBOT), "Thank you for your mail."))
    await _talk(desk, people)
    mails = len(people.received) + people.handed_in
    assert 2 <= mails <= 5
    assert await desk.heard() == people.handed_in
    async with desk.sessions() as session:
        latest = (
            await session.scalars(select(Conversation).order_by(Conversation.id.desc()).limit(1))
        ).one()
    assert latest.responder == Responder.QUEUED


async def test_a_reply_finds_its_conversation_without_any_header_but_ours(
    desk: MailDesk, people: MailPlatform
) -> None:
    ana = Person(address="ana@people.example", name="Ana")
    await people.hand_in(people.compose(ana, "Where is the printer?"))
    await desk.work()
    (answer,) = people.received
    ours = str(answer.mail["Message-ID"])
    await people.hand_in(people.compose(ana, "Thanks!", subject="other words", answers=[ours]))
    async with desk.sessions() as session:
        assert await session.scalar(select(func.count()).select_from(Conversation)) == 1
    assert await desk.heard() == 2


@pytest.mark.parametrize("reply", ["2", " 2.", "reset IT"])
async def test_a_reply_with_a_number_or_its_words_is_that_choice(
    desk: MailDesk, people: MailPlatform, reply: str
) -> None:
    ana = Person(address="ana@people.example", name="Ana")
    choices = tuple(
        OfferedChoice(label=label, intent=Intent(name="choose", entities={"what": label}))
        for label in ("Call us", "Reset it")
    )
    desk.steps = (Say(text="Which one?", choices=choices),)
    await people.hand_in(people.compose(ana, "It is broken."))
    await desk.work()
    (answer,) = people.received
    assert "2. Reset it" in answer.text
    ours = str(answer.mail["Message-ID"])
    await people.hand_in(people.compose(ana, reply, answers=[ours]))
    async with desk.sessions() as session:
        (conversation,) = (await session.scalars(select(Conversation.id))).all()
    turn = await desk.turns.plan(ConversationId(conversation))
    assert turn is not None
    assert turn.request.intent == Intent(name="choose", entities={"what": "Reset it"})
