"""What the channel promises, and what it does besides sending and receiving."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from channels.simulator.telegram import Person, TelegramPlatform
from channels.telegram import ids
from channels.telegram.channel import PollingTelegram, WebhookTelegram
from channels.telegram.ids import Place
from channels.telegram.kind import KIND
from core.domain.content import FileRef
from core.domain.errors import (
    FileTooLarge,
    Rejected,
)
from core.domain.events import (
    Author,
)
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
from tests.unit.telegram.rig import PACE, settings


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
