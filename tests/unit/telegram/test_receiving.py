"""What the channel takes in from a Bot API server, and what it says of itself."""

from __future__ import annotations

from channels.simulator.telegram import Person, TelegramPlatform
from channels.telegram.channel import PollingTelegram, WebhookTelegram
from core.domain.account import AccountState
from core.domain.events import (
    ChoicePressed,
    MessagePosted,
    ReachabilityChanged,
    ReactionChanged,
    ThreadMoved,
)
from tests.unit.telegram.memory import ACCOUNT, MemoryDesk
from tests.unit.telegram.outgoing import NO, YES
from tests.unit.telegram.rig import PACE, PNG, eventually, receiving, settings, to


async def test_another_bot_on_the_same_account_begins_with_its_first_update(
    desk: MemoryDesk,
) -> None:
    stored = 0
    for bot, people in ((700_100_300, ("Ana", "Bo")), (700_100_200, ("Cem",))):
        async with TelegramPlatform(bot=bot) as telegram:
            for name in people:
                person = telegram.person(name)
                person.chat.last_number = stored  # messages that the desk does not know
                await person.write("hello")
            channel = PollingTelegram(ACCOUNT, settings(telegram), desk.context(), pace=PACE)
            stored += len(people)
            async with receiving(channel, desk):
                await desk.until(stored)
            await channel.close()


class TestReceiving:
    async def test_it_connects_and_offers_its_menu_in_each_language(
        self, telegram: TelegramPlatform, channel: PollingTelegram, desk: MemoryDesk
    ) -> None:
        async with receiving(channel, desk):
            await desk.until_told(AccountState.CONNECTED)
        assert [one.state for one in desk.told] == [
            AccountState.CONNECTING,
            AccountState.CONNECTED,
        ]
        assert set(telegram.methods.menus) == {"", "es"}
        assert telegram.methods.menus["es"][1]["description"] == "Hablar con una persona"

    async def test_a_pressed_button_stops_spinning(
        self,
        telegram: TelegramPlatform,
        channel: PollingTelegram,
        desk: MemoryDesk,
        ana: Person,
    ) -> None:
        await channel.deliver(to(ana, choices=(YES, NO)))
        async with receiving(channel, desk):
            callback = await ana.press(telegram.posted[-1], "No")
            await desk.until(1)
            await eventually(lambda: callback in telegram.methods.answered)
        (event,) = desk.events
        assert isinstance(event, ChoicePressed)
        assert event.choice == NO.id

    async def test_an_album_in_a_group_is_taken_whole_though_one_part_names_the_bot(
        self,
        telegram: TelegramPlatform,
        channel: PollingTelegram,
        desk: MemoryDesk,
        ana: Person,
    ) -> None:
        group = telegram.group("Office")
        for caption in ("", "@desk_bot what is this?", ""):
            await ana.send_file(PNG, kind="photo", album="a1", caption=caption, group=group)
        await ana.write("and what is for lunch?", group=group)
        async with receiving(channel, desk):
            await desk.until(3)
            await eventually(lambda: len(telegram.acknowledged) == 4)
        assert [event.album for event in desk.events if isinstance(event, MessagePosted)] == (
            ["a1"] * 3
        )

    async def test_the_rest_of_an_album_is_taken_by_a_process_that_did_not_see_its_beginning(
        self,
        telegram: TelegramPlatform,
        channel: PollingTelegram,
        desk: MemoryDesk,
        ana: Person,
    ) -> None:
        group = telegram.group("Office")
        captions = ("@desk_bot what is this?", "", "")
        first, *rest = [
            ana.compose_file(PNG, kind="photo", album="a1", caption=caption, group=group)
            for caption in captions
        ]
        await telegram.updates.tell("message", first)
        async with receiving(channel, desk):
            await desk.until(1)
        for part in rest:
            await telegram.updates.tell("message", part)
        other = ana.compose_file(PNG, kind="photo", album="a2", group=group)
        await telegram.updates.tell("message", other)
        restarted = PollingTelegram(ACCOUNT, settings(telegram), desk.context(), pace=PACE)
        async with receiving(restarted, desk):
            await desk.until(3)
            await eventually(lambda: len(telegram.acknowledged) == 4)
        assert [event.album for event in desk.events if isinstance(event, MessagePosted)] == (
            ["a1"] * 3
        )
        await restarted.close()

    async def test_reactions_and_edits_in_groups_count_where_the_message_was_for_the_bot(
        self,
        telegram: TelegramPlatform,
        channel: PollingTelegram,
        desk: MemoryDesk,
        ana: Person,
    ) -> None:
        group = telegram.group("Office", is_forum=True)
        async with receiving(channel, desk):
            await desk.until_told(AccountState.CONNECTED)  # from when on reactions are asked for
            ours = await ana.write("@desk_bot help", group=group, topic=7)
            others = await ana.write("lunch?", group=group, topic=7)
            for message in (ours, others):
                await ana.react(group.id, message["message_id"], "👍")
                await ana.edit(message, "never mind")
            await eventually(lambda: len(telegram.acknowledged) == 6)
        assert [type(event).__name__ for event in desk.events] == [
            "MessagePosted",
            "ReactionChanged",
            "MessageEdited",
        ]
        assert {event.thread for event in desk.events} == {f"{group.id}/7"}
        assert isinstance(desk.events[1], ReactionChanged)

    async def test_blocking_and_migration_are_told(
        self,
        telegram: TelegramPlatform,
        channel: PollingTelegram,
        desk: MemoryDesk,
        ana: Person,
    ) -> None:
        group = telegram.group("Office", is_supergroup=False)
        async with receiving(channel, desk):
            await ana.block()
            await ana.unblock()
            await group.become_supergroup(ana)
            await desk.until(3)
            await eventually(lambda: len(telegram.acknowledged) == 4)
        reachable = [e.reachable for e in desk.events if isinstance(e, ReachabilityChanged)]
        assert reachable == [False, True]
        (moved,) = [event for event in desk.events if isinstance(event, ThreadMoved)]
        assert moved.new_thread == str(group.id)

    async def test_another_poller_is_named_with_a_remedy(
        self, telegram: TelegramPlatform, channel: PollingTelegram, desk: MemoryDesk
    ) -> None:
        other = PollingTelegram(ACCOUNT, settings(telegram), desk.context(), pace=PACE)
        async with receiving(channel, desk), receiving(other, desk):
            health = await desk.until_told(AccountState.DEGRADED)
        assert "another program" in health.reason
        assert "/revoke" in health.remedy
        await other.close()

    async def test_a_refused_token_is_told_and_tried_again_seldom(
        self, telegram: TelegramPlatform, channel: PollingTelegram, desk: MemoryDesk
    ) -> None:
        good = telegram.token
        telegram.revoke_token()
        async with receiving(channel, desk):
            health = await desk.until_told(AccountState.BAD_CREDENTIALS)
            telegram.token = good
            await desk.until_told(AccountState.CONNECTED)
        assert "@BotFather" in health.remedy

    async def test_a_webhook_that_cannot_be_reached_is_told(
        self, telegram: TelegramPlatform, desk: MemoryDesk, ana: Person
    ) -> None:
        channel = WebhookTelegram(
            ACCOUNT,
            settings(telegram, mode="webhook"),
            desk.context("http://127.0.0.1:9"),
            pace=PACE,
        )
        async with receiving(channel, desk):
            await desk.until_told(AccountState.CONNECTED)
            await ana.write("hello")
            health = await desk.until_told(AccountState.DEGRADED)
        await channel.close()
        assert "Connection failed" in health.reason

    async def test_an_address_that_telegram_does_not_call_is_told(
        self, telegram: TelegramPlatform, desk: MemoryDesk
    ) -> None:
        channel = WebhookTelegram(
            ACCOUNT, settings(telegram, mode="webhook"), desk.context("desk.local"), pace=PACE
        )
        async with receiving(channel, desk):
            health = await desk.until_told(AccountState.DEGRADED)
        await channel.close()
        assert "https" in health.reason
        assert "DESK_PUBLIC_URL" in health.remedy
