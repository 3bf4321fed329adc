"""A program that answers every mail, without a header that says so, meets the assistant."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from channels.email.channel import EmailChannel
from channels.email.settings import EmailSettings
from channels.simulator.email import MailPlatform, Person
from core.adapters.blobs import ObjectBlobs
from core.domain.assistant import Handoff, HandoffReason, OfferedChoice, Say, Step, TurnReply
from core.domain.content import Intent
from core.domain.conversation import Responder
from core.domain.errors import DeliveryError
from core.domain.ids import AccountId, ConversationId
from core.runtime.machine.polling import until
from core.services.arrivals import ArrivalRules
from core.services.intake import Intake
from core.services.outbox import Outbox
from core.services.turns import TurnRules, Turns
from core.storage.engine import Sessions
from core.storage.tables import Conversation, Message
from tests.unit.email.transport.memory import MemoryBlobs, context

ACCOUNT = AccountId("support")
DESK = "help@desk.example"
ROBOT = "robot@other.example"


class MailDesk:
    """The desk's services around one mail account; `work` is what its worker does."""

    def __init__(self, sessions: Sessions, folder: Path, channel: EmailChannel) -> None:
        accounts = {ACCOUNT: channel.capabilities}
        rules = ArrivalRules(reopen_window=timedelta(hours=72), default_language="en")
        turn_rules = TurnRules(
            deadline=timedelta(seconds=20),
            turn_cap=40,
            base_url="http://desk.example",
            default_language="en",
        )
        self.sessions = sessions
        self.channel = channel
        self.intake = Intake(sessions, ObjectBlobs.at(folder.as_uri()), accounts, rules)
        self.turns = Turns(sessions, accounts, turn_rules)
        self.outbox = Outbox(sessions, accounts)
        self.steps: tuple[Step, ...] = (Say(text="I am not sure. Could you say it otherwise?"),)

    async def work(self) -> None:
        """Answer what waits for an answer, and send what waits to be sent."""
        async with self.sessions() as session:
            conversations = (await session.scalars(select(Conversation.id))).all()
        for name in conversations:
            conversation = ConversationId(name)
            while (turn := await self.turns.plan(conversation)) is not None:
                reply = TurnReply(
                    turn=turn.turn, steps=self.steps, intent=None, confidence=None, model=None
                )
                await self.turns.settle(turn, reply)
            while (sending := await self.outbox.plan(conversation)) is not None:
                try:
                    await self.outbox.settle(sending, await self.channel.deliver(sending.message))
                except DeliveryError as error:
                    await self.outbox.settle(sending, error)

    async def heard(self) -> int:
        async with self.sessions() as session:
            count = select(func.count()).select_from(Message)
            return await session.scalar(count.where(Message.speaker == "customer")) or 0


@pytest.fixture
async def people() -> AsyncIterator[MailPlatform]:
    async with MailPlatform.running(DESK) as platform:
        yield platform


@pytest.fixture
async def desk(sessions: Sessions, tmp_path: Path, people: MailPlatform) -> AsyncIterator[MailDesk]:
    settings = EmailSettings(
        address=DESK,
        lmtp_host="127.0.0.1",
        lmtp_port=0,
        smtp_host="127.0.0.1",
        smtp_port=people.smtp_port,
        smtp_security="none",
    )
    channel = EmailChannel(ACCOUNT, settings, context(MemoryBlobs()))
    desk = MailDesk(sessions, tmp_path, channel)
    receiving = asyncio.create_task(channel.receive(desk.intake))

    async def listens() -> bool:
        return channel.lmtp_port is not None

    assert await until(listens, every=0.01, seconds=10)
    people.lmtp_port = channel.lmtp_port or 0
    yield desk
    receiving.cancel()
    with suppress(asyncio.CancelledError):
        await receiving
    await channel.close()


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
