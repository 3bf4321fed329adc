"""What channels promise besides that show choices as buttons."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from core.domain.assistant import OfferedChoice, Say
from core.domain.content import Intent
from core.ports import capabilities_of
from core.runtime.lanes.deliveries import DeliveriesLane
from core.runtime.machine.polling import until
from tests.contract.channel_conformance import PATIENCE_SECONDS, Platform, Store
from tests.support.desk import Rig

QUESTION = "Is it plugged in?"
ANSWERED = "This was answered already. Write to us if you need anything else."


class PlatformWithButtons(Platform, Protocol):
    """The far side of a channel where people press buttons."""

    async def press(self, *labels: str) -> None:
        """Let somebody press these buttons of the last message, one after the other.

        Return once the desk has all.
        """

    def told_aside(self) -> list[str]:
        """Return what people were told that is no message of the conversation."""


class ButtonsConformance:
    """Subclass per channel with buttons, beside `ChannelConformance`."""

    async def test_who_presses_under_an_answered_question_is_told_so_and_nothing_more_is_said(
        self, platform: PlatformWithButtons, store: Store, tmp_path: Path
    ) -> None:
        rig, account = Rig(store.sessions, tmp_path), platform.channel.account
        rig.accounts[account] = capabilities_of(platform.channel)
        await platform.post("my screen is black", "a")

        async def has_come() -> bool:
            return bool(await platform.acknowledged())

        assert await until(has_come, every=0.01, seconds=PATIENCE_SECONDS)
        conversation = await rig.conversation_id(platform.thread())
        choices = tuple(
            OfferedChoice(label=label, intent=Intent(name="affirm")) for label in ("Yes", "No")
        )
        await rig.reply(conversation, Say(text=QUESTION, choices=choices))
        await DeliveriesLane(rig.outbox, {account: platform.channel}).advance(conversation)
        await platform.press("Yes", "No")

        async def was_told() -> bool:
            return bool(platform.told_aside())

        assert await until(was_told, every=0.01, seconds=PATIENCE_SECONDS)
        assert platform.told_aside() == [ANSWERED]
        assert sorted(await store.texts()) == sorted(["my screen is black", QUESTION, "Yes"])
