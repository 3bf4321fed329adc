"""Agents are written to in Slack what they did not see, once, and told where that fails."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import time

import pytest
from sqlalchemy import select, update

from channels.simulator.faults import Fault
from channels.simulator.slack import Person, SlackPlatform
from channels.slack.channel import Slack, open_slack
from channels.slack.settings import SlackSettings
from core.domain.actor import Agent
from core.domain.assistant import Handoff, HandoffReason
from core.domain.ids import AccountId, ConversationId
from core.domain.notification import Wish
from core.ports import Channel, TellsColleagues
from core.runtime.chat_notices import NOT_CONNECTED, ChatMessages
from core.services.notifications.in_chat import ChatNotices
from core.services.notifications.reading import Notices, Wishes
from core.services.notifications.telling import NoticesOfTickets
from core.services.reactions import Reactions
from core.storage.tables import AgentRow, Notification, Setback
from tests.support.desk import Rig
from tests.support.slack import channel_context, plain_text

ACME = AccountId("acme")


@dataclass
class Floor:
    """A desk whose agent Bo is a member of a simulated workspace."""

    rig: Rig
    slack: SlackPlatform
    channel: Slack
    channels: dict[AccountId, Channel]
    bo: Agent
    ana: Agent
    person: Person
    notices: ChatNotices
    messages: ChatMessages
    conversation: ConversationId

    async def connect(self) -> None:
        found = await self.channel.find_colleague(self.bo.email)
        assert found is not None
        await self.notices.connect(self.bo.id, ACME, found)

    async def assign_to_bo(self) -> None:
        await self.rig.tickets.assign(await self.rig.ticket_id(), self.bo.id, self.ana)
        await self.react()

    async def react(self) -> None:
        reactions = Reactions(
            self.rig.sessions, self.rig.accounts, [NoticesOfTickets()], self.rig.clock
        )
        await reactions.advance(self.conversation)

    async def later(self, **time_passed: int) -> None:
        self.rig.clock.advance(**time_passed)
        await self.messages.write_due()

    def written(self) -> list[str]:
        return [plain_text(message) for message in self.slack.sent(self.person.direct)]

    async def problem(self) -> str | None:
        place = await self.notices.place_of(self.bo.id)
        assert place is not None
        return place.problem


@pytest.fixture
async def floor(rig: Rig) -> AsyncIterator[Floor]:
    async with SlackPlatform() as slack:
        settings = SlackSettings.model_validate(
            {"bot_token": slack.bot_token, "app_token": slack.app_token, "api_url": slack.url}
        )
        channel = open_slack(ACME, settings, channel_context())
        channels: dict[AccountId, Channel] = {ACME: channel}
        notices = ChatNotices(rig.sessions, rig.clock)
        conversation = await rig.hear("help me")
        await rig.reply(conversation, Handoff(reason=HandoffReason.ASKED_FOR_HUMAN))
        floor = Floor(
            rig=rig,
            slack=slack,
            channel=channel,
            channels=channels,
            bo=await rig.agent("Bo"),
            ana=await rig.agent("Ana"),
            person=slack.person("Bo in Slack", email="Bo@desk.test"),
            notices=notices,
            messages=ChatMessages(notices, channels, "http://desk.test"),
            conversation=conversation,
        )
        await floor.react()
        yield floor
        await channel.close()


async def test_what_was_not_seen_is_written_once_as_one_message(floor: Floor) -> None:
    assert isinstance(floor.channel, TellsColleagues)
    await floor.connect()
    await floor.assign_to_bo()
    await floor.rig.hear("are you there?")
    await floor.react()
    await floor.later(seconds=10)
    assert floor.written() == []
    await floor.later(seconds=15)
    await floor.later(minutes=10)
    (message,) = floor.written()
    number = (await floor.rig.ticket()).number
    assert "was assigned to you" in message
    assert message.index("was assigned to you") < message.index("the requester wrote")
    assert f"http://desk.test/console/tickets/{number}" in message
    assert await floor.problem() is None


async def test_nothing_is_written_that_was_read_is_not_wanted_or_to_whom_is_not_connected(
    floor: Floor,
) -> None:
    await floor.assign_to_bo()
    await floor.connect()
    await floor.later(minutes=1)
    wishes = Notices(floor.rig.sessions, floor.rig.clock)
    await floor.rig.hear("one")
    await floor.react()
    await wishes.read_all(floor.bo.id)
    await floor.later(minutes=1)
    await wishes.wish(floor.bo.id, Wishes(chat=Wish.URGENT))
    await floor.rig.hear("two")
    await floor.react()
    await floor.later(minutes=1)
    await wishes.wish(floor.bo.id, Wishes(chat=Wish.UNREAD))
    await wishes.read_all(floor.bo.id)
    await floor.rig.hear("three")
    await floor.react()
    await floor.notices.disconnect(floor.bo.id)
    await floor.later(minutes=1)
    assert floor.written() == []


async def test_quiet_hours_put_it_off(floor: Floor) -> None:
    await floor.connect()
    now = floor.rig.clock()
    quiet = Wishes(
        chat=Wish.UNREAD, quiet_from=time(now.hour), quiet_until=time((now.hour + 2) % 24)
    )
    await Notices(floor.rig.sessions, floor.rig.clock).wish(floor.bo.id, quiet)
    await floor.assign_to_bo()
    await floor.later(minutes=5)
    assert floor.written() == []
    await floor.later(hours=2)
    assert len(floor.written()) == 1


@pytest.mark.parametrize("fault", [Fault.THROTTLED, Fault.CUT_BEFORE, Fault.CUT_AFTER])
async def test_a_message_that_fails_is_tried_again_and_arrives_once(
    floor: Floor, fault: Fault
) -> None:
    await floor.connect()
    await floor.assign_to_bo()
    floor.slack.faults.plan(fault)
    await floor.later(minutes=1)
    assert await floor.problem()
    for _ in range(3):
        await floor.later(minutes=6)
    assert len(floor.written()) == 1
    assert await floor.problem() is None


async def test_what_comes_due_while_another_is_in_doubt_is_written_too(floor: Floor) -> None:
    await floor.connect()
    await floor.assign_to_bo()
    floor.slack.faults.plan(Fault.CUT_AFTER)
    await floor.later(minutes=1)  # it has arrived, which the desk does not know
    await floor.rig.hear("and one more thing")
    await floor.react()
    await floor.later(minutes=2)
    await floor.later(minutes=2)
    first, second = floor.written()
    assert "was assigned to you" in first
    assert "the requester wrote" not in first
    assert "the requester wrote" in second
    assert "was assigned to you" not in second


async def test_what_slack_refuses_is_said_and_not_tried_again(floor: Floor) -> None:
    await floor.connect()
    await floor.assign_to_bo()
    del floor.slack.workspace.people[floor.person.id]
    await floor.later(minutes=1)
    assert "channel" in (await floor.problem() or "")
    calls = len(floor.slack.workspace.messages)
    await floor.later(minutes=30)
    assert len(floor.slack.workspace.messages) == calls


async def test_an_account_that_is_gone_is_waited_for_a_day(floor: Floor) -> None:
    await floor.connect()
    await floor.assign_to_bo()
    del floor.channels[ACME]
    await floor.later(minutes=1)
    assert await floor.problem() == NOT_CONNECTED
    await floor.later(hours=23)
    floor.channels[ACME] = floor.channel
    await floor.later(minutes=2)
    assert len(floor.written()) == 1
    await floor.rig.hear("and now?")
    await floor.react()
    del floor.channels[ACME]
    await floor.later(minutes=1)
    await floor.later(hours=25)
    floor.channels[ACME] = floor.channel
    await floor.later(hours=1)
    assert len(floor.written()) == 1


async def test_only_somebody_whose_address_slack_has_confirmed_is_found(floor: Floor) -> None:
    found = await floor.channel.find_colleague("BO@desk.test")
    assert found is not None
    assert (found.address, found.name) == (floor.person.id, "Bo in Slack")
    assert await floor.channel.find_colleague("nobody@desk.test") is None


async def test_notices_of_disabled_agents_go_nowhere(floor: Floor) -> None:
    await floor.connect()
    await floor.assign_to_bo()
    async with floor.rig.sessions.begin() as session:
        (await session.get_one(AgentRow, floor.bo.id)).disabled_at = floor.rig.clock()
    await floor.later(minutes=1)
    assert floor.written() == []
    assert await floor.notices.due() == []


async def test_a_message_that_cannot_be_put_together_holds_up_no_other(floor: Floor) -> None:
    await floor.connect()
    cy = await floor.rig.agent("Cy")
    floor.slack.person("Cy in Slack", email="cy@desk.test")
    found = await floor.channel.find_colleague(cy.email)
    assert found is not None
    await floor.notices.connect(cy.id, ACME, found)
    await floor.rig.tickets.assign(await floor.rig.ticket_id(), cy.id, floor.ana)
    await floor.react()
    await floor.assign_to_bo()
    of_cy = update(Notification).where(Notification.agent_id == cy.id)
    async with floor.rig.sessions.begin() as session:
        await session.execute(of_cy.values(notice="of a later release"))
    await floor.later(minutes=1)
    assert len(floor.written()) == 1
    async with floor.rig.sessions() as session:
        assert [row.item for row in await session.scalars(select(Setback))] == [cy.id]
