"""What a message brings along is fetched, looked at, kept or refused; what cannot be yet, waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from channels.loopback import Loopback
from core.adapters.clamav import Clamd
from core.domain.account import AccountState, Health
from core.domain.assistant import Handoff, HandoffReason
from core.domain.content import Body, FileRef
from core.domain.conversation import Responder, Speaker
from core.domain.errors import BadCredentials, FileTooLarge, Rejected, Throttled, Unavailable
from core.domain.events import Author, MessagePosted
from core.domain.files import FileRefusal, FileState, Refused, refusal_of
from core.domain.ids import Address, ConversationId, EventKey, ThreadKey, new_id
from core.ports import VirusScanner
from core.runtime.directory import BrokenChannel
from core.runtime.lanes.files import FilesLane
from core.runtime.lanes.people import PeopleLane
from core.services.conversations.letters import Letters
from core.services.conversations.splitting import Splitting
from core.services.files.fetching import Fetching
from core.services.files.inspection import InspectionRules
from core.services.files.loose import LooseBlobs
from core.services.files.vault import Vault
from core.storage.engine import Sessions
from core.storage.queries.lanes import forgotten_lanes
from core.storage.tables import Attachment, Conversation, Message
from core.storage.wakeups import Lane, LaneKind
from tests.support.desk import LOOP, Rig
from tests.unit.files.builders import WINDOWS_PROGRAM, png
from tests.unit.files.clamd import EICAR, clamd

MAX_BYTES = 300_000


class Files:
    """A rig, and the files lane over its loopback account."""

    def __init__(self, rig: Rig, folder: Path, scanner: VirusScanner | None = None) -> None:
        self.rig = rig
        self.folder = folder
        rules = InspectionRules(max_bytes=MAX_BYTES, refused_endings=frozenset({"exe"}))
        self.vault = Vault(rig.blobs, rules, folder, LooseBlobs(rig.sessions, rig.blobs), scanner)
        self.lane = FilesLane(
            Fetching(rig.sessions, {LOOP: rig.loopback.capabilities}, now=rig.clock),
            {LOOP: rig.loopback},
            self.vault,
        )

    async def sent(
        self,
        content: bytes,
        name: str = "a.png",
        *,
        size_bytes: int | None = None,
        language: str | None = "en",
        words: str = "See this",
        is_automatic: bool = False,
        thread: str = "t1",
    ) -> ConversationId:
        """Let somebody send a file; return the conversation."""
        remote = new_id().hex
        self.rig.platform.files[remote] = content
        await self.rig.intake.accept(
            MessagePosted(
                account=LOOP,
                key=EventKey(remote),
                thread=ThreadKey(thread),
                author=Author(address=Address("ada"), language=language),
                at=datetime.now(UTC),
                body=Body(
                    text=words,
                    files=(
                        FileRef(
                            name=name, media_type="image/png", size_bytes=size_bytes, remote=remote
                        ),
                    ),
                ),
                is_automatic=is_automatic,
            )
        )
        return ConversationId((await self.rig.conversation(thread)).id)

    async def attachment(self) -> Attachment:
        async with self.rig.sessions() as session:
            found = await session.scalars(select(Attachment).order_by(Attachment.id.desc()))
            return found.first() or pytest.fail("no file arrived")

    async def forgotten(self) -> Sequence[Lane]:
        async with self.rig.sessions() as session:
            before = self.rig.clock()
            return await forgotten_lanes(session, [LaneKind.FILES], before)

    async def told(self) -> list[str]:
        return [words for speaker, words in await self.rig.texts() if speaker == "system"]


@pytest.fixture
def files(sessions: Sessions, tmp_path: Path) -> Files:
    return Files(Rig(sessions, tmp_path / "blobs"), tmp_path / "incoming")


async def test_a_file_is_fetched_and_its_type_is_what_it_shows(files: Files) -> None:
    content = png() + b"\0" * 200_000
    conversation = await files.sent(content, "scan.jpg")
    await files.lane.advance(conversation)
    kept = await files.attachment()
    assert (kept.status, kept.media_type) == (FileState.FETCHED, "image/png")
    assert kept.size_bytes == len(content)
    assert kept.blob_key is not None
    assert await files.rig.blobs.get(kept.blob_key) == content
    assert await files.told() == []
    assert list(files.folder.iterdir()) == []


async def test_equal_files_are_kept_once(files: Files) -> None:
    await files.sent(png(), "a.png")
    conversation = await files.sent(png(), "b.png")
    await files.lane.advance(conversation)
    async with files.rig.sessions() as session:
        keys = set(await session.scalars(select(Attachment.blob_key)))
    assert len(keys) == 1


async def test_the_arrival_of_a_file_wakes_the_lane(files: Files, sessions: Sessions) -> None:
    conversation = await files.sent(png())
    files.rig.clock.advance(seconds=10)
    assert await files.forgotten() == []  # a job looks after it already
    async with sessions() as session:
        jobs = await session.scalars(select(Attachment.id))
        assert len(jobs.all()) == 1
    await files.lane.advance(conversation)


@pytest.mark.parametrize(
    ("content", "name", "size_bytes", "reason"),
    [
        (WINDOWS_PROGRAM, "photo.png", None, FileRefusal.DISGUISED),
        (WINDOWS_PROGRAM, "setup.exe", None, FileRefusal.DISGUISED),
        (b"", "a.png", None, FileRefusal.EMPTY),
        (b"", "a.png", 0, FileRefusal.EMPTY),
        (b"a" * (MAX_BYTES + 1), "a.txt", None, FileRefusal.TOO_LARGE),
        (b"a" * (MAX_BYTES + 1), "a.txt", 12, FileRefusal.TOO_LARGE),
    ],
)
async def test_a_refused_file_is_told_to_its_sender_once(
    files: Files, content: bytes, name: str, size_bytes: int | None, reason: FileRefusal
) -> None:
    conversation = await files.sent(content, name, size_bytes=size_bytes)
    await files.lane.advance(conversation)
    await files.lane.advance(conversation)
    refused = await files.attachment()
    assert refused.status == FileState.REFUSED
    assert refusal_of(refused.detail or "").reason == reason
    (told,) = await files.told()
    assert f"`{name}`" in told
    assert list(files.folder.iterdir()) == []


async def test_a_file_announced_as_too_large_is_not_fetched(files: Files) -> None:
    conversation = await files.sent(b"not asked for", size_bytes=2_000_000_000)
    files.rig.platform.file_faults.append(Unavailable("was asked"))
    await files.lane.advance(conversation)
    assert (await files.attachment()).status == FileState.REFUSED
    assert len(files.rig.platform.file_faults) == 1


async def test_the_sender_is_told_in_their_language(files: Files) -> None:
    conversation = await files.sent(b"", language="es")
    await files.lane.advance(conversation)
    (told,) = await files.told()
    assert told.startswith("Su archivo `a.png`")


async def test_who_sends_a_file_alone_is_told_in_the_language_that_is_known_of_them(
    files: Files,
) -> None:
    rig = files.rig
    rig.enable(looks_up_people=True)
    person = Address("ada")
    rig.platform.people[person] = Author(address=person, language="es")
    conversation = await files.sent(b"", language=None, words="")
    assert (await rig.conversation()).language == "en"  # the desk's own
    await PeopleLane(rig.people, {LOOP: rig.loopback}).advance(conversation)
    await files.lane.advance(conversation)
    assert [told[:7] for told in await files.told()] == ["Su arch"]
    await files.sent(b"", language=None, words="Sorry, that was the wrong one")
    await files.lane.advance(conversation)
    assert (await files.told())[-1].startswith("Your file")  # what they write in counts


async def test_who_is_known_begins_in_their_language(files: Files) -> None:
    await files.sent(b"", language="es")
    await files.sent(b"", language=None, words="", thread="t2")
    assert (await files.rig.conversation("t2")).language == "es"


async def test_a_machine_is_not_told(files: Files) -> None:
    await files.rig.hear("hello")
    conversation = await files.sent(b"", is_automatic=True)
    await files.lane.advance(conversation)
    assert (await files.attachment()).status == FileState.REFUSED
    assert await files.told() == []


async def test_a_platform_that_is_away_is_asked_again(files: Files) -> None:
    conversation = await files.sent(png() + b"\0" * 200_000)
    files.rig.platform.file_faults.append(Unavailable("cut half-way"))
    await files.lane.advance(conversation)
    waiting = await files.attachment()
    assert (waiting.status, waiting.detail) == (FileState.WAITING, "cut half-way")
    assert await files.forgotten() == []
    files.rig.clock.advance(seconds=10)
    await files.lane.advance(conversation)
    assert (await files.attachment()).status == FileState.FETCHED


async def test_what_the_platform_will_never_give_has_failed(files: Files) -> None:
    conversation = await files.sent(png())
    files.rig.platform.file_faults.append(Rejected("the file is gone"))
    await files.lane.advance(conversation)
    failed = await files.attachment()
    assert (failed.status, failed.detail) == (FileState.FAILED, "the file is gone")


async def test_a_file_that_cannot_be_had_for_a_day_has_failed(files: Files) -> None:
    conversation = await files.sent(png())
    files.rig.clock.advance(hours=25)
    files.rig.platform.file_faults.append(Unavailable("still away"))
    await files.lane.advance(conversation)
    assert (await files.attachment()).status == FileState.FAILED


@pytest.mark.parametrize(
    ("fault", "seconds"), [(Throttled(40), 40), (BadCredentials("revoked", "make a new one"), 60)]
)
async def test_waiting_for_others_counts_as_no_attempt(
    files: Files, fault: Throttled | BadCredentials, seconds: int
) -> None:
    conversation = await files.sent(png())
    files.rig.clock.advance(hours=25)
    files.rig.platform.file_faults.append(fault)
    await files.lane.advance(conversation)
    waiting = await files.attachment()
    assert (waiting.status, waiting.attempts) == (FileState.WAITING, 0)
    files.rig.clock.advance(seconds=seconds - 5)
    await files.lane.advance(conversation)
    assert (await files.attachment()).status == FileState.WAITING
    files.rig.clock.advance(seconds=10)
    await files.lane.advance(conversation)
    assert (await files.attachment()).status == FileState.FETCHED


async def test_a_virus_is_refused_and_named_to_agents_only(files: Files) -> None:
    async with clamd() as (_, location):
        scanned = Files(files.rig, files.folder, Clamd(location))
        conversation = await scanned.sent(EICAR, "eicar.txt")
        await scanned.lane.advance(conversation)
    refused = await files.attachment()
    assert refused.detail == "infected: Eicar-Test-Signature"
    (told,) = await files.told()
    assert "Eicar" not in told


async def test_while_the_scanner_is_away_files_wait_and_are_not_fetched(files: Files) -> None:
    async with clamd() as (_, location):
        pass
    scanned = Files(files.rig, files.folder, Clamd(location))
    conversation = await scanned.sent(png())
    files.rig.platform.file_faults.append(Unavailable("was asked"))
    await scanned.lane.advance(conversation)
    waiting = await files.attachment()
    assert (waiting.status, waiting.blob_key) == (FileState.WAITING, None)
    assert len(files.rig.platform.file_faults) == 1


async def test_a_process_killed_while_fetching_leaves_the_file_to_the_next(files: Files) -> None:
    conversation = await files.sent(png())
    clock = files.rig.clock
    fetching = Fetching(files.rig.sessions, {LOOP: files.rig.loopback.capabilities}, now=clock)
    first = await fetching.plan(conversation)
    assert await fetching.plan(conversation) is None  # it may have been the file that killed it
    clock.advance(seconds=3)
    second = await fetching.plan(conversation)
    assert first is not None
    assert second is not None
    await fetching.settle(first, Rejected("said too late"))
    assert (await files.attachment()).status == FileState.WAITING
    await fetching.settle(second, Rejected("gone"))
    assert (await files.attachment()).status == FileState.FAILED


async def test_a_file_refused_after_its_message_was_split_off_is_told_of_there(
    files: Files,
) -> None:
    rig = files.rig
    conversation = await rig.hear("no VPN")
    await rig.reply(conversation, Handoff(reason=HandoffReason.PROBLEM_REPORTED))
    await files.sent(WINDOWS_PROGRAM, "driver.exe", words="and the printer")
    fetching = Fetching(rig.sessions, {LOOP: rig.loopback.capabilities}, now=rig.clock)
    plan = await fetching.plan(conversation)
    assert plan is not None
    splitting = Splitting(rig.sessions, rig.accounts, Letters({}), rig.clock)
    ticket = await rig.ticket_id()
    await splitting.split(ticket, [plan.message], await rig.agent(), tells=False)
    await fetching.settle(plan, Refused(reason=FileRefusal.EXECUTABLE))
    async with rig.sessions() as session:
        moved = await session.get_one(Message, plan.message)
        told = await session.scalar(
            select(Message).where(Message.text.contains("driver.exe"), Message.speaker == "system")
        )
    assert told is not None
    assert told.conversation_id == moved.conversation_id
    assert told.conversation_id != conversation


async def test_an_account_that_gives_no_files_says_so(files: Files, tmp_path: Path) -> None:
    conversation = await files.sent(png())
    lane = FilesLane(
        Fetching(files.rig.sessions, {}),
        {},
        Vault(
            files.rig.blobs,
            InspectionRules(max_bytes=1, refused_endings=frozenset()),
            tmp_path,
            LooseBlobs(files.rig.sessions, files.rig.blobs),
        ),
    )
    await lane.advance(conversation)
    waiting = await files.attachment()
    assert (waiting.status, waiting.detail) == (FileState.WAITING, "the account is not connected")


async def test_a_refusal_is_told_in_the_conversation_that_goes_on(files: Files) -> None:
    first = await files.sent(b"")
    async with files.rig.sessions.begin() as session:
        closed = await session.get_one(Conversation, first)
        closed.responder, closed.closed_at = Responder.CLOSED, files.rig.clock()
    files.rig.clock.advance(hours=100)
    second = await files.rig.hear("something else")
    assert second != first
    await files.lane.advance(first)
    async with files.rig.sessions() as session:
        told = await session.scalars(select(Message).where(Message.speaker == Speaker.SYSTEM))
        assert [message.conversation_id for message in told] == [second]


async def test_the_file_of_an_account_that_cannot_be_opened_waits(
    files: Files, sessions: Sessions
) -> None:
    conversation = await files.sent(png())
    reason = Health(state=AccountState.BAD_CREDENTIALS, reason="the key is another", remedy="mend")
    broken = FilesLane(
        Fetching(sessions, {LOOP: BrokenChannel.capabilities}, now=files.rig.clock),
        {LOOP: BrokenChannel(LOOP, reason)},
        files.vault,
    )
    await broken.advance(conversation)
    assert (await files.attachment()).status == FileState.WAITING

    files.rig.clock.advance(minutes=2)
    await files.lane.advance(conversation)
    assert (await files.attachment()).status == FileState.FETCHED


async def test_a_file_that_never_ends_gives_its_place_to_others(files: Files) -> None:
    class Slow(Loopback):
        async def fetch(self, file: FileRef) -> AsyncIterator[bytes]:
            yield file.name.encode()
            await asyncio.Event().wait()

    conversation = await files.sent(png())
    fetching = Fetching(files.rig.sessions, files.rig.accounts, now=files.rig.clock)
    lane = FilesLane(fetching, {LOOP: Slow(LOOP)}, files.vault, longest_seconds=0.05)
    await lane.advance(conversation)

    waiting = await files.attachment()
    assert waiting.status == FileState.WAITING
    assert "too long" in (waiting.detail or "")


async def test_the_sender_of_a_file_that_the_platform_does_not_give_for_its_size_is_told(
    files: Files,
) -> None:
    class Sparing(Loopback):
        async def fetch(self, file: FileRef) -> AsyncIterator[bytes]:
            yield file.name.encode()
            raise FileTooLarge("20 MB at most")

    conversation = await files.sent(png())
    fetching = Fetching(files.rig.sessions, files.rig.accounts, now=files.rig.clock)
    await FilesLane(fetching, {LOOP: Sparing(LOOP)}, files.vault).advance(conversation)

    refused = await files.attachment()
    assert (refused.status, refused.detail) == (FileState.REFUSED, "too_large: 20 MB at most")
    assert await files.told() == ["We could not take your file `a.png`: it is too large."]
