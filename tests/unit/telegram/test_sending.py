"""What the channel sends, changes and takes back, against a Bot API server."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

import pytest
from pydantic import SecretStr

from channels.simulator.faults import Fault
from channels.simulator.telegram import Person, TelegramPlatform
from channels.telegram import ids
from channels.telegram.channel import PollingTelegram
from channels.telegram.ids import Place
from channels.telegram.settings import TelegramSettings
from core.domain.channel import Receipt, Shortfall
from core.domain.errors import (
    BadCredentials,
    Moved,
    Rejected,
    SentInPart,
    Throttled,
    ThrottleScope,
    Unavailable,
    Uncertain,
)
from core.domain.ids import RemoteId
from tests.unit.telegram.memory import ACCOUNT, MemoryDesk
from tests.unit.telegram.outgoing import NO, YES, file, out
from tests.unit.telegram.rig import PACE, PNG, eventually, texts, to


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

    async def test_a_rest_that_is_refused_leaves_its_message_sent_in_part(
        self, telegram: TelegramPlatform, channel: PollingTelegram, ana: Person
    ) -> None:
        message = to(ana, "word " * 300, files=(file("gone.pdf", "application/pdf"),))
        with pytest.raises(SentInPart, match=r"1 of 2 parts were sent.*gone\.pdf"):
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

    async def test_a_file_that_cannot_be_read_now_is_not_sent_and_can_be_sent_later(
        self,
        telegram: TelegramPlatform,
        channel: PollingTelegram,
        ana: Person,
        desk: MemoryDesk,
    ) -> None:
        desk.files, desk.are_files_away = {"files/c.pdf": b"%PDF"}, True
        message = to(ana, "see", files=(file("c.pdf", "application/pdf"),))
        with pytest.raises(Unavailable, match=r"c\.pdf cannot be read now"):
            await channel.deliver(message)
        assert telegram.posted == []
        desk.are_files_away = False
        await channel.deliver(message)
        assert [posted.method for posted in telegram.posted] == ["sendDocument"]

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
        await eventually(lambda: telegram.posted)
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

    async def test_an_edit_whose_end_is_not_known_adds_nothing_twice(
        self, telegram: TelegramPlatform, channel: PollingTelegram, ana: Person
    ) -> None:
        message = to(ana, "short")
        receipt = await channel.deliver(message)
        longer = replace(message, body=replace(message.body, text="word " * 900))
        telegram.faults.plan(Fault.CUT_AFTER, method="sendMessage")
        changed = await channel.edit(longer, receipt)
        assert len(ana.chat.messages) == 2
        assert changed.remote_ids == receipt.remote_ids
        assert changed.detail == Shortfall.CHANGE_IN_DOUBT

    async def test_an_edit_that_stops_among_what_it_adds_keeps_the_names_of_what_is_there(
        self, telegram: TelegramPlatform, channel: PollingTelegram, ana: Person
    ) -> None:
        message = to(ana, "short")
        receipt = await channel.deliver(message)
        longer = replace(message, body=replace(message.body, text="word " * 1_800))
        telegram.faults.plan(Fault.SLOW, Fault.BROKEN, method="sendMessage")
        changed = await channel.edit(longer, receipt)
        assert changed.detail == Shortfall.CHANGE_IN_DOUBT
        assert len(changed.remote_ids) == len(ana.chat.messages) == 2
        await channel.remove(message.thread, changed)
        assert ana.chat.messages == {}

    async def test_an_edit_that_a_dead_worker_left_changes_what_is_there_and_adds_nothing(
        self, telegram: TelegramPlatform, channel: PollingTelegram, ana: Person
    ) -> None:
        message = to(ana, "short")
        receipt = await channel.deliver(message)
        longer = replace(message, body=replace(message.body, text="word " * 900))
        await channel.edit(longer, receipt)  # nobody wrote down what came of it
        changed = await channel.edit(replace(longer, may_have_left=True), receipt)
        assert len(ana.chat.messages) == 2
        assert changed.detail == Shortfall.CHANGE_IN_DOUBT

    async def test_an_edit_that_broke_before_it_added_anything_is_made_again_whole(
        self, telegram: TelegramPlatform, channel: PollingTelegram, ana: Person
    ) -> None:
        message = to(ana, "short")
        receipt = await channel.deliver(message)
        longer = replace(message, body=replace(message.body, text="word " * 900))
        telegram.faults.plan(Fault.CUT_AFTER, method="editMessageText")
        with pytest.raises(Unavailable):
            await channel.edit(longer, receipt)
        telegram.faults.plan(Fault.THROTTLED, method="sendMessage")
        with pytest.raises(Throttled):
            await channel.edit(longer, receipt)
        changed = await channel.edit(longer, receipt)
        assert (len(changed.remote_ids), changed.detail) == (2, "")

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
