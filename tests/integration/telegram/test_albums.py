"""Albums in groups: all of their parts are taken, whichever names the bot and comes first."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import func, select

from channels.telegram.addressing import Self
from channels.telegram.channel import PollingTelegram
from channels.telegram.reader import Reader
from channels.telegram.settings import TelegramSettings
from channels.telegram.taking import take
from core.adapters.blobs import ObjectBlobs
from core.domain.errors import StorageUnavailable
from core.domain.ids import AccountId
from core.services.intake.asides import KEPT, Asides
from core.services.intake.inbox import Intake
from core.services.intake.placing import ArrivalRules
from core.storage.engine import Sessions
from core.storage.tables import Message, PayloadAside
from tests.unit.telegram.memory import ACCOUNT, ANA, GROUP, message, raw

PARTS = 3
MENTION = "@desk_bot"
NOW = datetime(2026, 1, 2, tzinfo=UTC)


async def _identify() -> Self:
    return Self(id=1, username="desk_bot")


class Process:
    """A process of the desk that takes updates of one account."""

    def __init__(self, sessions: Sessions, folder: Path, kind: type[Intake] = Intake) -> None:
        self.inbox = kind(
            sessions,
            ObjectBlobs.at(folder.as_uri()),
            {ACCOUNT: PollingTelegram.capabilities},
            ArrivalRules(reopen_window=timedelta(hours=72), default_language="en"),
        )
        settings = TelegramSettings(token=SecretStr("1:AAE"))
        self.reader = Reader(ACCOUNT, settings, _identify, lambda: NOW)

    async def take(self, update: dict[str, Any]) -> None:
        await take(ACCOUNT, self.reader, self.inbox, update, raw(update))


class Album:
    """The updates that tell of one album; the part `named` mentions the bot, none where None."""

    def __init__(self, number: int, named: int | None) -> None:
        self.captions = [f"picture {number}.{part}" for part in range(PARTS)]
        self.parts = [
            self.part(number, part, caption, is_named=part == named)
            for part, caption in enumerate(self.captions)
        ]

    def part(
        self, number: int, part: int, caption: str, *, is_named: bool = False, kind: str = "message"
    ) -> dict[str, Any]:
        words = f"{MENTION} {caption}" if is_named else caption
        mention = [{"type": "mention", "offset": 0, "length": len(MENTION)}] if is_named else []
        fields = message(
            message_id=number * 10 + part,
            chat=GROUP,
            photo=[
                {
                    "file_id": f"{number}-{part}",
                    "file_unique_id": f"{number}-{part}",
                    "width": 9,
                    "height": 9,
                }
            ],
            caption=words,
            caption_entities=mention,
            media_group_id=f"album-{number}",
            **({"edit_date": 1_700_000_001} if kind == "edited_message" else {}),
        )
        offset = 500 if kind == "edited_message" else 0
        return {"update_id": number * 1_000 + offset + part, kind: fields}


@pytest.fixture
def one(sessions: Sessions, tmp_path: Path) -> Process:
    return Process(sessions, tmp_path)


@pytest.fixture
def other(sessions: Sessions, tmp_path: Path) -> Process:
    return Process(sessions, tmp_path)


async def _texts(sessions: Sessions) -> list[str]:
    async with sessions() as session:
        return list(await session.scalars(select(Message.text).order_by(Message.position)))


async def _aside(sessions: Sessions) -> int:
    async with sessions() as session:
        return await session.scalar(select(func.count()).select_from(PayloadAside)) or 0


ORDERS = [(named, order) for named in range(PARTS) for order in permutations(range(PARTS))]


async def test_every_part_is_taken_once_in_whatever_order_they_come(
    sessions: Sessions, one: Process, other: Process
) -> None:
    wanted = []
    for number, (named, order) in enumerate(ORDERS, start=1):
        album = Album(number, named)
        for turn, part in enumerate(order):
            await (one, other)[turn % 2].take(album.parts[part])
        wanted += album.captions
    assert await _texts(sessions) == wanted


async def test_every_part_is_taken_once_by_processes_that_take_them_at_the_same_time(
    sessions: Sessions, one: Process, other: Process
) -> None:
    wanted = []
    for number in range(1, 21):
        album = Album(number, number % PARTS)
        takers = (one, other, one) if number % 2 else (other, one, other)
        async with asyncio.TaskGroup() as taking:
            for process, part in zip(takers, album.parts, strict=True):
                taking.create_task(process.take(part))
        wanted += album.captions
    assert await _texts(sessions) == wanted


async def test_what_came_before_is_taken_though_the_one_who_took_the_mention_failed_between(
    sessions: Sessions, tmp_path: Path, other: Process
) -> None:
    class Failing(Intake):
        async def set_aside_of(self, account: AccountId, subject: str) -> Sequence[bytes]:
            raise StorageUnavailable

    album = Album(1, 2)
    for part in album.parts[:2]:
        await other.take(part)
    with pytest.raises(StorageUnavailable):  # so Telegram tells it again
        await Process(sessions, tmp_path, Failing).take(album.parts[2])
    await other.take(album.parts[2])
    assert await _texts(sessions) == album.captions


async def test_an_edit_of_a_part_that_came_before_the_mention_counts(
    sessions: Sessions, one: Process
) -> None:
    album = Album(1, 1)
    await one.take(album.parts[0])
    await one.take(album.part(1, 0, "picture one, mended", kind="edited_message"))
    await one.take(album.parts[1])
    assert await _texts(sessions) == ["picture one, mended", album.captions[1]]


def reaction(part: dict[str, Any], emoji: str, *, number: int = 9_000) -> dict[str, Any]:
    """Return an update in which somebody puts a reaction on a part of an album."""
    return {
        "update_id": number,
        "message_reaction": {
            "chat": GROUP,
            "message_id": part["message"]["message_id"],
            "user": ANA,
            "date": 1_700_000_002,
            "old_reaction": [],
            "new_reaction": [{"type": "emoji", "emoji": emoji}],
        },
    }


async def _reactions(sessions: Sessions) -> list[list[str]]:
    async with sessions() as session:
        found = await session.scalars(select(Message.reactions).order_by(Message.position))
        return [sorted(one) for one in found]


async def test_a_reaction_to_a_part_that_came_before_the_mention_is_kept(
    sessions: Sessions, one: Process, other: Process
) -> None:
    album = Album(1, 2)
    await one.take(album.parts[0])
    await other.take(album.parts[1])
    await other.take(reaction(album.parts[0], "👍"))
    await other.take(reaction(album.parts[0], "👍"))  # told again
    await one.take(reaction(album.parts[1], "🎉", number=9_001))
    assert await _texts(sessions) == []
    await one.take(album.parts[2])
    assert await _texts(sessions) == album.captions
    assert await _reactions(sessions) == [["👍"], ["🎉"], []]


async def test_a_reaction_that_comes_while_its_album_is_stored_waits_for_its_part(
    sessions: Sessions, tmp_path: Path, other: Process
) -> None:
    album = Album(1, 1)

    class Meanwhile(Intake):
        async def set_aside_of(self, account: AccountId, subject: str) -> Sequence[bytes]:
            found = await super().set_aside_of(account, subject)
            await other.take(reaction(album.parts[0], "👍"))
            return found

    await other.take(album.parts[0])
    await Process(sessions, tmp_path, Meanwhile).take(album.parts[1])
    assert await _texts(sessions) == album.captions[:2]
    assert await _reactions(sessions) == [["👍"], []]


async def test_a_reaction_to_what_is_not_for_the_bot_is_not_set_aside(
    sessions: Sessions, one: Process
) -> None:
    lunch = {"update_id": 1, "message": message(chat=GROUP, text="lunch?")}
    await one.take(lunch)
    await one.take(reaction(lunch, "👍"))
    assert await _aside(sessions) == 0


async def test_an_album_that_nobody_addressed_is_forgotten_after_minutes(
    sessions: Sessions, one: Process
) -> None:
    album = Album(1, None)
    for part in album.parts:
        await one.take(part)
        await one.take(part)  # told again
    await one.take(reaction(album.parts[0], "👍"))
    kept = 2 * PARTS + 1  # of each part the album's name as well
    assert await _aside(sessions) == kept
    await Asides(sessions, lambda: datetime.now(UTC) + KEPT / 2).forget_due()
    assert await _aside(sessions) == kept
    await Asides(sessions, lambda: datetime.now(UTC) + KEPT * 2).forget_due()
    assert await _aside(sessions) == 0
    assert await _texts(sessions) == []


async def test_what_is_no_album_is_not_set_aside(sessions: Sessions, one: Process) -> None:
    await one.take({"update_id": 1, "message": message(chat=GROUP, text="lunch?")})
    edited = message(chat=GROUP, text="lunch now?", edit_date=1_700_000_001)
    await one.take({"update_id": 2, "edited_message": edited})
    assert await _aside(sessions) == 0


async def test_an_edit_that_adds_the_mention_brings_nothing(
    sessions: Sessions, one: Process
) -> None:
    album = Album(1, None)
    for part in album.parts:
        await one.take(part)
    await one.take(album.part(1, 0, "look", is_named=True, kind="edited_message"))
    assert await _texts(sessions) == []
