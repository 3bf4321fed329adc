"""Files that nothing refers to go, and none that something does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text, update

from core.adapters.blobs import ObjectBlobs
from core.domain.actor import Agent
from core.domain.content import Body, FileRef
from core.domain.errors import NotFound
from core.domain.files import KeptFile
from core.domain.ids import UploadId
from core.services.files.deposit import Deposit
from core.services.files.inspection import InspectionRules
from core.services.files.loose import LooseBlobs
from core.services.files.uploads import Uploads
from core.services.files.vault import Vault
from core.storage.engine import Sessions
from core.storage.queries.files import forget_uploads
from core.storage.tables import Attachment, LooseBlob
from tests.support.desk import Rig, posted

RULES = InspectionRules(max_bytes=1_000, refused_endings=frozenset())


class Desk:
    """A rig whose agents hand files in, and the upkeep of what they handed in."""

    def __init__(self, rig: Rig, folder: Path) -> None:
        self.rig = rig
        self.loose = LooseBlobs(rig.sessions, rig.blobs, rig.clock)
        vault = Vault(rig.blobs, RULES, folder, self.loose)
        self.uploads = Uploads(rig.sessions, Deposit(vault, rig.blobs), rig.clock)
        self._agent: Agent | None = None

    async def agent(self) -> Agent:
        self._agent = self._agent or await self.rig.agent()
        return self._agent

    async def hand_in(self, content: bytes) -> tuple[UploadId, KeptFile]:
        async def pieces() -> AsyncIterator[bytes]:
            yield content

        return await self.uploads.keep(
            await self.agent(), pieces(), name="a.txt", media_type="text/plain"
        )

    async def days_later(self, days: float = 1.1) -> int:
        """Let time pass and tidy up; return how many blobs were deleted."""
        self.rig.clock.advance(seconds=days * 86_400)
        async with self.rig.sessions.begin() as session:
            await forget_uploads(session, self.rig.clock() - timedelta(days=1))
        return await self.loose.delete_forgotten()

    async def is_kept(self, file: KeptFile) -> bool:
        try:
            await self.rig.blobs.get(file.blob_key)
        except NotFound:
            return False
        return True


@pytest.fixture
def desk(sessions: Sessions, tmp_path: Path) -> Desk:
    return Desk(Rig(sessions, tmp_path / "blobs"), tmp_path / "incoming")


async def test_a_file_that_was_never_sent_goes_with_its_upload(desk: Desk) -> None:
    _, file = await desk.hand_in(b"a draft")
    assert await desk.days_later(0.9) == 0
    assert await desk.is_kept(file)
    assert await desk.days_later(0.2) == 1
    assert not await desk.is_kept(file)
    async with desk.rig.sessions() as session:
        assert (await session.scalars(select(LooseBlob))).all() == []


async def test_a_file_that_a_message_has_stays_though_an_equal_one_was_never_sent(
    desk: Desk,
) -> None:
    _, file = await desk.hand_in(b"the manual")
    came = FileRef(name="a.txt", media_type="text/plain", remote="f1")
    await desk.rig.intake.accept(replace(posted("see"), body=Body(text="see", files=(came,))))
    async with desk.rig.sessions.begin() as session:
        await session.execute(update(Attachment).values(blob_key=file.blob_key))
    assert await desk.days_later() == 0
    assert await desk.is_kept(file)


async def test_a_file_that_a_message_waits_for_stays(desk: Desk) -> None:
    _, file = await desk.hand_in(b"a visitor's picture")
    left = FileRef(name="a.txt", media_type="text/plain", remote=file.blob_key)
    await desk.rig.intake.accept(replace(posted("see"), body=Body(text="see", files=(left,))))
    assert await desk.days_later() == 0
    assert await desk.is_kept(file)


async def test_a_file_that_is_handed_in_again_is_kept_for_another_day(desk: Desk) -> None:
    _, file = await desk.hand_in(b"a draft")
    desk.rig.clock.advance(seconds=80_000)
    await desk.hand_in(b"a draft")
    assert await desk.days_later(0.2) == 0
    assert await desk.is_kept(file)


class SlowStore(ObjectBlobs):
    """Deletes only when told to."""

    def __init__(self, blobs: ObjectBlobs) -> None:
        super().__init__(lambda: blobs._store)
        self.asked, self.go = asyncio.Event(), asyncio.Event()

    async def delete(self, key: str) -> None:
        self.asked.set()
        await self.go.wait()
        await super().delete(key)


async def test_what_is_handed_in_while_an_equal_file_goes_is_there_afterwards(desk: Desk) -> None:
    await desk.hand_in(b"a draft")
    store = SlowStore(desk.rig.blobs)
    desk.rig.clock.advance(seconds=2 * 86_400)
    async with desk.rig.sessions.begin() as session:
        await session.execute(text("DELETE FROM upload"))
    async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
        slow = LooseBlobs(desk.rig.sessions, store, desk.rig.clock)
        tasks.create_task(slow.delete_forgotten())
        await store.asked.wait()
        handing_in = tasks.create_task(desk.hand_in(b"a draft"))
        await asyncio.wait([handing_in], timeout=0.2)
        assert not handing_in.done()
        store.go.set()
    _, file = handing_in.result()
    assert await desk.is_kept(file)


async def test_what_a_process_that_died_was_deleting_is_deleted_by_the_next(desk: Desk) -> None:
    _, file = await desk.hand_in(b"a draft")
    async with desk.rig.sessions.begin() as session:
        await session.execute(text("DELETE FROM upload"))
        await session.execute(
            text("UPDATE loose_blob SET is_going = true, since = :at"), {"at": desk.rig.clock()}
        )
    assert await desk.loose.delete_forgotten() == 0
    desk.rig.clock.advance(seconds=700)
    assert await desk.loose.delete_forgotten() == 1
    assert not await desk.is_kept(file)
