from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import select

from channels.loopback import Loopback
from core.domain.errors import IgnoredPayload
from core.domain.events import Event
from core.services.intake.quarantine import Quarantine
from core.storage.tables import Quarantined
from tests.support.desk import LOOP, WEB, Rig


class Wiser(Loopback):
    """A channel that has learned that the payload says nothing."""

    def read(self, raw: bytes) -> Sequence[Event]:
        raise IgnoredPayload("somebody is typing")


async def test_a_payload_that_turns_out_to_say_nothing_is_settled_as_ignored(rig: Rig) -> None:
    await rig.intake.quarantine(LOOP, b"{}", "an unknown type")
    quarantine = Quarantine(rig.sessions, rig.blobs, rig.intake, {LOOP: Wiser(LOOP)}, rig.clock)
    async with rig.sessions() as session:
        item = (await session.scalars(select(Quarantined.id))).one()
    await quarantine.replay(item)

    async with rig.sessions() as session:
        assert await session.scalar(select(Quarantined.settled_as)) == "ignored"
    assert await rig.messages() == []


async def _open(rig: Rig) -> list[str]:
    async with rig.sessions() as session:
        waiting = select(Quarantined.reason).where(Quarantined.settled_at.is_(None))
        return list(await session.scalars(waiting.order_by(Quarantined.id)))


async def test_a_payload_that_comes_again_because_its_taker_died_is_kept_once(
    rig: Rig, tmp_path: Path
) -> None:
    await rig.intake.quarantine(LOOP, b"{}", "an unknown type")
    other = rig.another_process(tmp_path)
    await asyncio.gather(
        *(process.intake.quarantine(LOOP, b"{}", "an unknown type") for process in (rig, other))
    )
    await other.intake.quarantine(LOOP, b"[]", "another")
    await other.intake.quarantine(WEB, b"{}", "of another account")
    assert await _open(rig) == ["an unknown type", "another", "of another account"]


async def test_processes_that_put_the_same_aside_at_once_keep_it_once(
    rig: Rig, tmp_path: Path
) -> None:
    other = rig.another_process(tmp_path)
    await asyncio.gather(
        *(process.intake.quarantine(LOOP, b"{}", "odd") for process in (rig, other) * 4)
    )
    assert await _open(rig) == ["odd"]


async def test_processes_that_put_the_same_aside_at_once_leave_one_file(
    rig: Rig, tmp_path: Path
) -> None:
    both = [rig.another_process(tmp_path / "blobs") for _ in range(2)]
    await asyncio.gather(*(process.intake.quarantine(LOOP, b"{}", "odd") for process in both * 4))
    async with rig.sessions() as session:
        named = list(await session.scalars(select(Quarantined.raw_blob)))
    kept = [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()]
    assert [str(path.relative_to(tmp_path / "blobs")) for path in kept] == named
    assert [await both[0].blobs.get(name) for name in named] == [b"{}"]


async def test_a_payload_that_comes_again_after_it_was_settled_is_kept_again(rig: Rig) -> None:
    await rig.intake.quarantine(LOOP, b"{}", "an unknown type")
    quarantine = Quarantine(rig.sessions, rig.blobs, rig.intake, {}, rig.clock)
    async with rig.sessions() as session:
        item = (await session.scalars(select(Quarantined.id))).one()
    await quarantine.discard(item)
    await rig.intake.quarantine(LOOP, b"{}", "an unknown type")
    assert await _open(rig) == ["an unknown type"]
