"""The channel against a Bot API server: what it sends, fetches, takes in, and says of itself."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr

from channels.simulator.faults import Fault
from channels.simulator.telegram import Person, TelegramPlatform
from channels.telegram import ids
from channels.telegram.channel import PollingTelegram, WebhookTelegram
from channels.telegram.ids import Place
from channels.telegram.kind import KIND
from channels.telegram.pace import Pace
from channels.telegram.settings import TelegramSettings
from core.domain.account import AccountState
from core.domain.channel import Outbound, Receipt
from core.domain.content import FileRef
from core.domain.errors import (
    BadCredentials,
    FileTooLarge,
    Moved,
    Rejected,
    Throttled,
    ThrottleScope,
    Unavailable,
    Uncertain,
)
from core.domain.events import (
    Author,
    ChoicePressed,
    MessagePosted,
    ReachabilityChanged,
    ReactionChanged,
    ThreadMoved,
)
from core.domain.ids import RemoteId
from core.ports import (
    Channel,
    EditsMessages,
    FetchesFiles,
    FindsDeliveries,
    HandlesRequests,
    LinksThreads,
    LooksUpPeople,
    ReadsPayloads,
    RemovesMessages,
    ShowsTyping,
)
from tests.unit.telegram.memory import ACCOUNT, MemoryDesk
from tests.unit.telegram.test_render import NO, YES, file, out

PACE = Pace(poll=1, first_pause=0.02, longest_pause=0.1, probe=0.05, check=0.05, patience=1.5)
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 20


@pytest.fixture
async def telegram() -> AsyncIterator[TelegramPlatform]:
    async with TelegramPlatform() as platform:
        yield platform


@pytest.fixture
def desk() -> MemoryDesk:
    return MemoryDesk()


def settings(telegram: TelegramPlatform, **more: Any) -> TelegramSettings:
    return TelegramSettings(token=SecretStr(telegram.token), api_url=telegram.url, **more)


@pytest.fixture
async def channel(telegram: TelegramPlatform, desk: MemoryDesk) -> AsyncIterator[PollingTelegram]:
    channel = PollingTelegram(ACCOUNT, settings(telegram), desk.context(), pace=PACE)
    yield channel
    await channel.close()


@pytest.fixture
def ana(telegram: TelegramPlatform) -> Person:
    ana = telegram.person("Ana", language="es")
    ana.chat.has_spoken = True
    return ana


class receiving:  # noqa: N801 - a context manager
    """Let a channel receive while the block runs."""

    def __init__(self, channel: Channel, desk: MemoryDesk) -> None:
        self.channel, self.desk = channel, desk

    async def __aenter__(self) -> None:
        self.task = asyncio.create_task(self.channel.receive(self.desk))

    async def __aexit__(self, *_: object) -> None:
        assert not self.task.done(), self.task
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task


def to(person: Person, text: str = "Good morning", **more: Any) -> Outbound:
    return out(text, thread=ids.thread_key(Place(chat=person.id)), **more)


def texts(telegram: TelegramPlatform) -> list[str]:
    return [posted.text for posted in telegram.posted]


def test_it_keeps_the_promises_it_names(channel: PollingTelegram) -> None:
    for promise in (
        *(Channel, EditsMessages, FetchesFiles, LinksThreads, LooksUpPeople, ReadsPayloads),
        *(RemovesMessages, ShowsTyping),
    ):
        assert isinstance(channel, promise)
    assert not isinstance(channel, FindsDeliveries | HandlesRequests)


def test_the_kind_opens_what_the_mode_says(telegram: TelegramPlatform, desk: MemoryDesk) -> None:
    assert isinstance(KIND.open(ACCOUNT, settings(telegram), desk.context()), PollingTelegram)
    webhook = KIND.open(ACCOUNT, settings(telegram, mode="webhook"), desk.context())
    assert isinstance(webhook, WebhookTelegram)
    assert isinstance(webhook, HandlesRequests)


class TestSending:
    async def test_a_long_message_arrives_once_though_it_is_slowed_down_in_the_middle(
        self, telegram: TelegramPlatform, channel: PollingTelegram, ana: Person
    ) -> None:
        text = "word " * 1_800
        await channel.deliver(to(ana))  # the connection is open now
        telegram.faults.plan(Fault.SLOW, Fault.THROTTLED)
        receipt = await channel.deliver(to(ana, text))
        assert " ".join(texts(telegram)[1:]).split() == text.split()
        assert len(receipt.remote_ids) == 3

    async def test_a_rest_that_cannot_be_sent_is_uncertain_not_begun_again(
        self, telegram: TelegramPlatform, channel: PollingTelegram, ana: Person
    ) -> None:
        telegram.faults.retry_after_seconds = 3
        telegram.faults.plan(Fault.SLOW, Fault.THROTTLED)
        with pytest.raises(Uncertain, match="1 of 2 parts were sent"):
            await channel.deliver(to(ana, "word " * 900))
        assert len(telegram.posted) == 1

    async def test_a_rest_that_is_refused_is_shown_as_such(
        self, telegram: TelegramPlatform, channel: PollingTelegram, ana: Person
    ) -> None:
        message = to(ana, "word " * 300, files=(file("gone.pdf", "application/pdf"),))
        with pytest.raises(Rejected, match=r"1 of 2 parts were sent.*gone\.pdf"):
            await channel.deliver(message)

    async def test_files_and_albums_arrive(
        self,
        telegram: TelegramPlatform,
        channel: PollingTelegram,
        ana: Person,
        desk: MemoryDesk,
    ) -> None:
        desk.files = {"files/a.png": PNG, "files/b.png": PNG, "files/c.pdf": b"%PDF"}
        message = to(
            ana,
            "**see**",
            files=(
                file("a.png", "image/png"),
                file("b.png", "image/png"),
                file("c.pdf", "application/pdf"),
            ),
        )
        receipt = await channel.deliver(message)
        assert [(posted.method, posted.text) for posted in telegram.posted] == [
            ("sendMediaGroup", "see"),
            ("sendMediaGroup", ""),
            ("sendDocument", ""),
        ]
        assert telegram.posted[0].fields["caption_entities"][0]["type"] == "bold"
        assert telegram.posted[2].fields["document"]["file_name"] == "c.pdf"
        assert len(receipt.remote_ids) == 3

    async def test_a_picture_that_telegram_cannot_read_goes_as_a_document(
        self,
        telegram: TelegramPlatform,
        channel: PollingTelegram,
        ana: Person,
        desk: MemoryDesk,
    ) -> None:
        desk.files = {"files/odd.png": b"not a picture"}
        await channel.deliver(to(ana, files=(file("odd.png", "image/png"),)))
        assert [posted.method for posted in telegram.posted] == ["sendDocument"]

    async def test_who_blocked_the_bot_gets_nothing_and_the_reason_is_known(
        self, channel: PollingTelegram, ana: Person
    ) -> None:
        ana.chat.is_blocked = True
        with pytest.raises(Rejected, match="blocked by the user"):
            await channel.deliver(to(ana))

    async def test_a_group_that_became_a_supergroup_has_moved(
        self, telegram: TelegramPlatform, channel: PollingTelegram, ana: Person
    ) -> None:
        group = telegram.group("Office", is_supergroup=False)
        message = out(thread=ids.thread_key(Place(chat=group.id)))
        new = await group.become_supergroup(ana)
        with pytest.raises(Moved) as raised:
            await channel.deliver(message)
        assert raised.value.new_thread == str(new)
        await channel.deliver(replace(message, thread=raised.value.new_thread))
        assert telegram.posted[0].chat == new

    async def test_a_group_that_moves_in_the_middle_gets_the_rest_in_its_new_place(
        self, telegram: TelegramPlatform, channel: PollingTelegram, ana: Person
    ) -> None:
        group = telegram.group("Office", is_supergroup=False)
        telegram.faults.delay_seconds = 0.5
        telegram.faults.plan(Fault.SLOW, Fault.SLOW)
        message = out("word " * 900, thread=ids.thread_key(Place(chat=group.id)))
        delivering = asyncio.create_task(channel.deliver(message))
        await _until(lambda: telegram.posted)
        old, new = group.id, await group.become_supergroup(ana)
        receipt = await delivering
        assert [posted.chat for posted in telegram.posted] == [old, new]
        assert [ids.read_remote(name)[0] for name in receipt.remote_ids] == [old, new]

    async def test_limits_of_groups_hold_up_the_group_alone(
        self, telegram: TelegramPlatform, channel: PollingTelegram, ana: Person
    ) -> None:
        group = telegram.group("Office")
        telegram.faults.plan(Fault.THROTTLED, Fault.THROTTLED)
        with pytest.raises(Throttled) as raised:
            await channel.deliver(out(thread=ids.thread_key(Place(chat=group.id))))
        assert raised.value.scope is ThrottleScope.THREAD
        with pytest.raises(Throttled) as raised:
            await channel.deliver(to(ana))
        assert raised.value.scope is ThrottleScope.ACCOUNT

    async def test_a_server_that_fails_leaves_it_uncertain(
        self, telegram: TelegramPlatform, channel: PollingTelegram, ana: Person
    ) -> None:
        telegram.faults.plan(Fault.BROKEN)
        with pytest.raises(Uncertain, match="500"):
            await channel.deliver(to(ana))

    async def test_a_server_that_is_not_there_is_unavailable(
        self, telegram: TelegramPlatform, desk: MemoryDesk, ana: Person
    ) -> None:
        away = TelegramSettings(token=SecretStr(telegram.token), api_url="http://127.0.0.1:9")
        channel = PollingTelegram(ACCOUNT, away, desk.context(), pace=PACE)
        with pytest.raises(Unavailable):
            await channel.deliver(to(ana))
        await channel.close()

    async def test_no_token_is_logged(
        self,
        telegram: TelegramPlatform,
        channel: PollingTelegram,
        ana: Person,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        caplog.set_level(logging.DEBUG)
        await channel.deliver(to(ana))
        telegram.revoke_token()
        with pytest.raises(BadCredentials) as raised:
            await channel.deliver(to(ana))
        assert "/bot" in caplog.text
        assert "rehearsal-desk_bot" not in caplog.text + str(raised.value)


class TestChanging:
    async def test_an_edit_replaces_the_text_and_keeps_the_buttons(
        self, telegram: TelegramPlatform, channel: PollingTelegram, ana: Person
    ) -> None:
        message = to(ana, "wrong", choices=(YES, NO))
        receipt = await channel.deliver(message)
        edited = replace(message, body=replace(message.body, text="right"))
        assert await channel.edit(edited, receipt) == receipt
        assert await channel.edit(edited, receipt) == receipt  # nothing to do is no failure
        (now,) = ana.chat.messages.values()
        assert now["text"] == "right"
        assert len(now["reply_markup"]["inline_keyboard"]) == 2

    async def test_an_edit_can_become_longer_and_shorter(
        self, telegram: TelegramPlatform, channel: PollingTelegram, ana: Person
    ) -> None:
        message = to(ana, "short")
        receipt = await channel.deliver(message)
        longer = replace(message, body=replace(message.body, text="word " * 900))
        receipt = await channel.edit(longer, receipt)
        assert len(receipt.remote_ids) == len(ana.chat.messages) == 2
        receipt = await channel.edit(message, receipt)
        assert len(receipt.remote_ids) == len(ana.chat.messages) == 1

    async def test_a_message_is_taken_back_and_twice_is_no_failure(
        self, telegram: TelegramPlatform, channel: PollingTelegram, ana: Person
    ) -> None:
        message = to(ana)
        receipt = await channel.deliver(message)
        await channel.remove(message.thread, receipt)
        await channel.remove(message.thread, receipt)
        assert not ana.chat.messages

    async def test_a_message_that_is_not_ours_cannot_be_taken_back(
        self, channel: PollingTelegram, ana: Person
    ) -> None:
        theirs = await ana.write("mine")
        receipt = Receipt(remote_ids=(RemoteId(f"{ana.id}/{theirs['message_id']}"),))
        with pytest.raises(Rejected):
            await channel.remove(ids.thread_key(Place(chat=ana.id)), receipt)


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


class TestBesides:
    async def test_typing_is_shown_in_the_topic(
        self, telegram: TelegramPlatform, channel: PollingTelegram
    ) -> None:
        group = telegram.group("Office", is_forum=True)
        topic = group.topic()
        await channel.show_typing(ids.thread_key(Place(chat=group.id, topic=topic)))
        assert telegram.methods.actions == [
            {"chat_id": group.id, "action": "typing", "message_thread_id": topic}
        ]

    async def test_a_file_is_fetched_in_pieces(self, channel: PollingTelegram, ana: Person) -> None:
        content = bytes(300_000)
        message = await ana.send_file(content, name="log.txt", media_type="text/plain")
        pieces = [piece async for piece in channel.fetch(_reference(message))]
        assert b"".join(pieces) == content
        assert len(pieces) > 1

    async def test_a_file_that_telegram_gives_no_bot_is_told_from_one_that_is_gone(
        self, channel: PollingTelegram, ana: Person
    ) -> None:
        reference = _reference(await ana.send_file(bytes(20_000_001)))
        for size_bytes in (reference.size_bytes, None):  # Telegram does not always tell it
            with pytest.raises(FileTooLarge):
                async for _ in channel.fetch(replace(reference, size_bytes=size_bytes)):
                    pass

    async def test_files_that_are_too_large_or_gone_are_rejected(
        self, telegram: TelegramPlatform, desk: MemoryDesk, ana: Person
    ) -> None:
        channel = PollingTelegram(
            ACCOUNT, settings(telegram, max_file_bytes=1_000), desk.context(), pace=PACE
        )
        large = _reference(await ana.send_file(bytes(2_000)))
        for reference in (large, replace(large, size_bytes=None), replace(large, remote="gone")):
            with pytest.raises(Rejected):
                async for _ in channel.fetch(reference):
                    pass
        await channel.close()

    async def test_people_are_looked_up_by_name(
        self, channel: PollingTelegram, ana: Person
    ) -> None:
        address = ids.person(ana.id)
        assert await channel.look_up(address) == Author(address=address, name="Ana")

    def test_supergroups_and_their_topics_have_links(self, channel: PollingTelegram) -> None:
        chat = -1_001_234_567_890
        assert channel.link(ids.thread_key(Place(chat=chat, topic=7))) == (
            "https://t.me/c/1234567890/7"
        )
        assert channel.link(ids.thread_key(Place(chat=chat))) == "https://t.me/c/1234567890/1"
        assert channel.link(ids.thread_key(Place(chat=11))) is None
        assert channel.link(ids.thread_key(Place(chat=-42))) is None


def _reference(message: dict[str, Any]) -> FileRef:
    document = message["document"]
    return FileRef(
        name=document["file_name"],
        media_type=document["mime_type"],
        size_bytes=document["file_size"],
        remote=document["file_id"],
    )


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
            await _until(lambda: callback in telegram.methods.answered)
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
            await _until(lambda: len(telegram.acknowledged) == 4)
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
            await _until(lambda: len(telegram.acknowledged) == 4)
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
            await _until(lambda: len(telegram.acknowledged) == 6)
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
            await _until(lambda: len(telegram.acknowledged) == 4)
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


async def _until(holds: Callable[[], Any]) -> None:
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0.01)
