"""A message that broke off between its parts is gone on with by whoever comes to it, or left so."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from sqlalchemy import select

from channels.simulator.faults import Fault
from channels.simulator.slack import Person, SlackPlatform
from channels.slack.channel import Slack, open_slack
from channels.slack.settings import SlackSettings
from core.domain.assistant import Handoff, HandoffReason, Say
from core.domain.channel import HeldBack, Verdict
from core.domain.errors import SentInPart
from core.domain.ids import AccountId, ConversationId, MessageId
from core.ports import capabilities_of
from core.runtime.lanes.deliveries import DeliveriesLane
from core.storage.tables import Account, RemoteMessage
from tests.integration.core.sending import advance, fail_next, said, states
from tests.support.desk import Rig
from tests.support.slack import channel_context, plain_text

ACME = AccountId("acme")
WORDS = ["word"] * 3_000  # two posts


class Desk:
    """A desk's conversation with Ana on Slack, which each process has a channel of its own to."""

    def __init__(self, rig: Rig, slack: SlackPlatform, processes: AsyncExitStack) -> None:
        self.rig = rig
        self.slack = slack
        self.ana: Person = slack.person("Ana Gil", email="ana@example.com")
        self._processes = processes

    def process(self) -> DeliveriesLane:
        """Return the lane of a process that knows nothing of what others have sent."""
        settings = SlackSettings.model_validate(
            {
                "bot_token": self.slack.bot_token,
                "app_token": self.slack.app_token,
                "api_url": self.slack.url,
            }
        )
        channel: Slack = open_slack(ACME, settings, channel_context(self.rig.blobs))
        self._processes.push_async_callback(channel.close)
        self.rig.accounts[ACME] = capabilities_of(channel)
        return DeliveriesLane(self.rig.outbox, {ACME: channel})

    async def asked(self) -> ConversationId:
        """Let Ana write."""
        return await self.rig.hear("help", thread=self.ana.direct, account=ACME)

    async def broken_off(self, fault: Fault = Fault.CUT_BEFORE) -> ConversationId:
        """Have an answer of two posts end with `fault` after the first, in a process that ends."""
        process = self.process()
        conversation = await self.asked()
        await self.rig.reply(conversation, Say(text=" ".join(WORDS)))
        self.slack.faults.plan(Fault.SLOW, fault, method="chat.postMessage")
        await process.advance(conversation)
        assert len(self.slack.sent()) == 1
        return conversation

    async def go_on(self, conversation: ConversationId) -> None:
        """Have another process do later what is left."""
        self.rig.clock.advance(seconds=61)
        await self.process().advance(conversation)

    def words(self) -> list[str]:
        """Return the words that Ana sees of the desk's."""
        return " ".join(plain_text(post) for post in self.slack.sent()).split()

    async def answer(self) -> tuple[str, str | None]:
        """Return what became of the desk's last message."""
        last = (await self.rig.messages(self.ana.direct))[-1]
        return last.delivery, last.delivery_detail

    async def names(self) -> int:
        """Return how many posts of the desk's it has the names of."""
        async with self.rig.sessions() as session:
            names = await session.scalars(select(RemoteMessage.remote_id))
            return sum("/" in name for name in names)


@pytest.fixture
async def desk(rig: Rig) -> AsyncIterator[Desk]:
    async with SlackPlatform() as slack, AsyncExitStack() as processes:
        async with rig.sessions.begin() as session:
            session.add(Account(id=ACME, channel="slack"))
        yield Desk(rig, slack, processes)


@pytest.mark.parametrize(
    "fault", [Fault.CUT_BEFORE, Fault.CUT_AFTER, Fault.BROKEN, Fault.THROTTLED]
)
async def test_another_process_sends_the_rest_and_nothing_twice(desk: Desk, fault: Fault) -> None:
    process = desk.process()
    conversation = await desk.asked()
    await desk.rig.reply(conversation, Say(text=" ".join(WORDS)))
    desk.slack.faults.plan(Fault.SLOW, fault, method="chat.postMessage")
    await process.advance(conversation)
    await desk.go_on(conversation)
    assert desk.words() == WORDS
    assert await desk.answer() == ("sent", None)
    assert await desk.names() == len(desk.slack.sent()) == 2


async def test_until_the_rest_is_sent_the_message_stays_in_doubt(desk: Desk) -> None:
    await desk.broken_off()
    assert (await desk.answer())[0] == "sending"


@pytest.mark.parametrize("fault", [Fault.CUT_BEFORE, Fault.THROTTLED])
async def test_of_an_answer_that_a_human_overtook_half_way_the_half_that_is_there_is_known(
    desk: Desk, fault: Fault
) -> None:
    conversation = await desk.broken_off(fault)
    await desk.rig.tickets.take_over(conversation, await desk.rig.agent())
    await desk.go_on(conversation)
    assert len(desk.slack.sent()) == 1
    assert await desk.answer() == ("sent", HeldBack.REST)
    assert await desk.names() == 1


async def test_what_is_taken_back_half_way_is_deleted_and_not_gone_on_with(desk: Desk) -> None:
    process = desk.process()
    conversation = await desk.asked()
    await desk.rig.reply(conversation, Handoff(reason=HandoffReason.ASKED_FOR_HUMAN))
    await process.advance(conversation)
    before = desk.words()
    agent = await desk.rig.agent()
    ticket = await desk.rig.ticket_id(desk.ana.direct)
    answer = await desk.rig.tickets.reply(ticket, agent, " ".join(WORDS))
    desk.slack.faults.plan(Fault.SLOW, Fault.CUT_BEFORE, method="chat.postMessage")
    await process.advance(conversation)
    assert len(desk.words()) > len(before)
    await desk.rig.corrections.withdraw(answer, agent)
    await desk.go_on(conversation)
    assert desk.words() == before


async def test_a_parked_message_that_is_sent_again_goes_on_from_what_is_there(desk: Desk) -> None:
    conversation = await desk.broken_off()
    desk.rig.clock.advance(hours=25)
    desk.slack.faults.plan(Fault.BROKEN, method="conversations.history")
    await desk.process().advance(conversation)
    (parked,) = [m for m in await desk.rig.messages(desk.ana.direct) if m.delivery == "parked"]
    assert parked.text == " ".join(WORDS)
    await desk.rig.outbox.unpark(MessageId(parked.id), Verdict.RESEND)
    await desk.process().advance(conversation)
    assert desk.words().count("word") == len(WORDS)
    assert {m.delivery for m in await desk.rig.messages(desk.ana.direct)} == {"not_sent", "sent"}


async def test_an_answer_whose_rest_is_refused_is_left_to_a_person_who_knows_how_much_is_there(
    rig: Rig,
) -> None:
    conversation = await said(rig, "a")
    fail_next(rig, SentInPart("1 of 2 parts were sent, then: the file is gone"))
    await advance(rig, conversation)
    assert await states(rig) == ["parked"]
    assert await rig.reasons() == ["in_doubt"]
    assert (await rig.messages())[1].delivery_detail == (
        "1 of 2 parts were sent, then: the file is gone"
    )


async def test_a_correction_whose_rest_is_refused_is_not_made_again(rig: Rig) -> None:
    conversation = await rig.hear("help")
    await rig.reply(conversation, Handoff(reason=HandoffReason.ASKED_FOR_HUMAN))
    agent = await rig.agent()
    answer = await rig.tickets.reply(await rig.ticket_id(), agent, "On my wya")
    await advance(rig, conversation)
    await rig.corrections.correct(answer, agent, "On my way")
    fail_next(rig, SentInPart("1 of 2 parts were sent, then: no"))
    await advance(rig, conversation)
    rig.clock.advance(hours=1)
    await advance(rig, conversation)
    assert rig.platform.edited == []
    assert (await rig.messages())[-1].delivery == "sent"
