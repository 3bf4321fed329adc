"""Messages, edits and reactions that come in another order than they were made in."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from core.domain.assistant import Close
from core.domain.content import Body, FileRef
from core.domain.events import (
    Event,
    MessageEdited,
    MessagePosted,
    MessageRemoved,
    ReactionChanged,
)
from core.domain.ids import EventKey, RemoteId, ThreadKey, new_id
from core.services.intake.early_events import EarlyEvents
from core.storage.queries.conversations.messages import messages_before
from core.storage.queries.conversations.transcripts import thread_since
from core.storage.tables import Attachment, EarlyEvent, MessageRevision
from tests.support.desk import LOOP, Rig, posted

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def ordered(number: int, *, thread: str = "t1") -> MessagePosted:
    """The message that stands at `number` on the platform."""
    event = posted(f"m{number}", key=f"{thread}-{number}", thread=thread)
    return replace(event, order=f"{number:05}")


def edited(key: str, text: str, *, minute: int = 1, files: tuple[FileRef, ...] = ()) -> Event:
    said = posted("", key=key)
    return MessageEdited(
        account=LOOP,
        key=EventKey(f"edit:{key}:{minute}:{text}"),
        thread=said.thread,
        author=said.author,
        at=NOON + timedelta(minutes=minute),
        remote_id=RemoteId(key),
        body=Body(text=text, files=files),
    )


def removed(key: str) -> Event:
    said = posted("", key=key)
    return MessageRemoved(
        account=LOOP,
        key=EventKey(f"remove:{key}"),
        thread=said.thread,
        author=said.author,
        at=NOON,
        remote_id=RemoteId(key),
    )


def liked(key: str) -> Event:
    said = posted("", key=key)
    return ReactionChanged(
        account=LOOP,
        key=EventKey(f"like:{key}"),
        thread=said.thread,
        author=said.author,
        at=NOON,
        remote_id=RemoteId(key),
        reaction="+1",
        added=True,
    )


async def in_order(rig: Rig, thread: str = "t1") -> list[str]:
    """What is said in the thread, as requesters read it."""
    async with rig.sessions() as session:
        entries = await thread_since(session, LOOP, ThreadKey(thread), 0, 500)
    return [entry.text for entry in entries]


async def revisions(rig: Rig) -> list[str]:
    async with rig.sessions() as session:
        rows = await session.scalars(select(MessageRevision.text).order_by(MessageRevision.id))
        return list(rows)


async def waiting_early(rig: Rig) -> int:
    async with rig.sessions() as session:
        return len((await session.scalars(select(EarlyEvent))).all())


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    deliveries=st.lists(st.integers(1, 7), min_size=1, max_size=20),
    batch=st.integers(1, 4),
)
async def test_the_transcript_is_the_platforms_whatever_comes_when(
    rig: Rig, deliveries: list[int], batch: int
) -> None:
    """However often and in whatever order messages come, they stand in order, once each."""
    thread = new_id().hex
    events = [ordered(number, thread=thread) for number in deliveries]
    for start in range(0, len(events), batch):
        await rig.intake.accept(*events[start : start + batch])

    assert await in_order(rig, thread) == [f"m{number}" for number in sorted(set(deliveries))]


async def test_a_late_message_keeps_its_number_of_arrival(rig: Rig) -> None:
    await rig.intake.accept(ordered(1), ordered(3))
    (late,) = await rig.intake.accept(ordered(2))

    assert late.seq == 3
    assert [message.seq for message in await rig.messages()] == [1, 2, 3]
    assert await in_order(rig) == ["m1", "m2", "m3"]


async def test_agents_read_a_conversation_in_the_platforms_order_page_by_page(rig: Rig) -> None:
    conversation = await rig.hear("first")
    await rig.intake.accept(ordered(5), ordered(9), ordered(7), ordered(6), ordered(8))
    read: list[str] = []
    before: int | None = None
    async with rig.sessions() as session:
        while page := await messages_before(session, conversation, before=before, limit=2):
            read += [message.text for message in page]
            before = page[-1].seq
    assert read == ["m9", "m8", "m7", "m6", "m5", "first"]


async def test_what_the_desk_said_keeps_its_place_before_a_late_message(rig: Rig) -> None:
    await rig.intake.accept(ordered(1))
    await rig.reply(await rig.conversation_id())
    await rig.intake.accept(ordered(3))
    await rig.intake.accept(ordered(2))

    assert await in_order(rig) == ["m1", "You said: m1", "m2", "m3"]


async def test_a_turn_is_asked_in_the_platforms_order(rig: Rig) -> None:
    await rig.intake.accept(ordered(2))
    await rig.intake.accept(ordered(1))
    plan = await rig.turns.plan(await rig.conversation_id())
    assert plan is not None
    assert plan.request.text == "m1\nm2"


async def test_a_hundred_messages_in_reverse_stand_in_order(rig: Rig) -> None:
    """Halving a gap a hundred times leaves no number between: the others make room."""
    await rig.intake.accept(ordered(1))
    for number in range(120, 1, -1):
        await rig.intake.accept(ordered(number))
    assert await in_order(rig) == [f"m{number}" for number in range(1, 121)]


async def test_a_thread_keeps_its_order_over_successive_conversations(rig: Rig) -> None:
    await rig.intake.accept(ordered(5))
    await rig.reply(await rig.conversation_id(), Close(reason="goodbye"))
    rig.clock.advance(hours=80)
    await rig.intake.accept(ordered(7))
    await rig.intake.accept(ordered(4))

    assert (await rig.conversation()).last_order == "00007"
    assert await in_order(rig) == ["m4", "m5", "m7"]


async def test_an_edit_before_its_message_is_applied_with_it(rig: Rig) -> None:
    (early,) = await rig.intake.accept(edited("1", "printer broken"))
    assert (early.is_new, early.refusal, early.message) == (True, None, None)
    await rig.intake.accept(posted("printr broken", key="1"))

    assert await rig.texts() == [("customer", "printer broken")]
    assert await revisions(rig) == ["printr broken"]
    assert await waiting_early(rig) == 0
    (again,) = await rig.intake.accept(edited("1", "printer broken"))
    assert (again.is_new, again.refusal) == (False, None)


async def test_an_edit_and_its_message_in_one_batch_are_one_message(rig: Rig) -> None:
    await rig.intake.accept(posted("printr", key="1"), edited("1", "printer"), liked("1"))
    (message,) = await rig.messages()
    assert (message.text, message.reactions) == ("printer", {"+1": ["somebody"]})


async def test_an_edit_before_its_message_in_one_batch_is_applied_too(rig: Rig) -> None:
    await rig.intake.accept(edited("1", "printer"), posted("printr", key="1"))
    assert await rig.texts() == [("customer", "printer")]
    assert await waiting_early(rig) == 0


async def test_early_edits_removals_and_reactions_are_applied_in_their_own_order(
    rig: Rig,
) -> None:
    await rig.intake.accept(edited("1", "third", minute=2))
    await rig.intake.accept(edited("1", "second", minute=1))
    await rig.intake.accept(removed("1"), liked("1"))
    await rig.intake.accept(posted("first", key="1"))

    (message,) = await rig.messages()
    assert message.text == "third"
    assert message.removed_at is not None
    assert message.reactions == {"+1": ["somebody"]}
    assert await revisions(rig) == ["first", "second"]


async def test_an_overtaken_edit_goes_to_the_history_and_changes_nothing(rig: Rig) -> None:
    await rig.intake.accept(posted("first", key="1"))
    await rig.intake.accept(edited("1", "third", minute=2))
    await rig.intake.accept(edited("1", "second", minute=1))

    assert await rig.texts() == [("customer", "third")]
    assert await revisions(rig) == ["first", "second"]


async def test_an_edit_stored_beside_its_message_is_applied_by_the_clock(rig: Rig) -> None:
    """Two processes store the first message of a thread and its edit without seeing each other."""
    await rig.intake.accept(edited("1", "printer"))
    async with rig.sessions.begin() as session:  # as if the posting had not seen it
        await session.execute(update(EarlyEvent).values(remote_id="hidden"))
    await rig.intake.accept(posted("printr", key="1"))
    async with rig.sessions.begin() as session:
        await session.execute(update(EarlyEvent).values(remote_id="1"))
    early = EarlyEvents(rig.sessions, rig.accounts, rig.clock)

    assert await early.apply_due() == 1
    assert await early.apply_due() == 0
    assert await rig.texts() == [("customer", "printer")]


async def test_what_has_waited_long_is_looked_at_seldom(rig: Rig) -> None:
    await rig.intake.accept(posted("printr", key="1"))
    await rig.intake.accept(edited("2", "printer"))
    async with rig.sessions.begin() as session:
        await session.execute(update(EarlyEvent).values(remote_id="1"))
    early = EarlyEvents(rig.sessions, rig.accounts, rig.clock)
    rig.clock.advance(minutes=20)

    assert await early.apply_due() == 0
    assert await early.apply_all() == 1
    assert await rig.texts() == [("customer", "printer")]


async def test_what_waits_for_its_message_in_vain_is_forgotten_after_a_week(rig: Rig) -> None:
    await rig.intake.accept(edited("1", "printer"))
    early = EarlyEvents(rig.sessions, rig.accounts, rig.clock)
    rig.clock.advance(days=6)
    await early.forget_old()
    assert await waiting_early(rig) == 1
    rig.clock.advance(days=2)
    await early.forget_old()
    assert await waiting_early(rig) == 0


def _file(name: str) -> FileRef:
    return FileRef(name=name, media_type="text/plain", size_bytes=len(name), remote=f"at/{name}")


async def test_an_edit_adds_and_removes_files(rig: Rig) -> None:
    said = posted("see", key="1")
    await rig.intake.accept(replace(said, body=Body(text="see", files=(_file("a"), _file("bb")))))
    await rig.intake.accept(edited("1", "see", files=(_file("bb"), _file("ccc"))))

    async with rig.sessions() as session:
        rows = (await session.scalars(select(Attachment).order_by(Attachment.position))).all()
    assert [(row.name, row.removed_at is None) for row in rows] == [
        ("a", False),
        ("bb", True),
        ("ccc", True),
    ]


async def test_an_edit_before_the_turn_is_what_the_assistant_answers(rig: Rig) -> None:
    await rig.intake.accept(posted("printr", key="1"))
    await rig.intake.accept(edited("1", "printer"))
    conversation = await rig.conversation_id()
    plan = await rig.reply(conversation)
    assert plan.request.text == "printer"
    await rig.intake.accept(edited("1", "printer!", minute=3))
    assert await rig.turns.plan(conversation) is None


@pytest.mark.parametrize(("both", "answered"), [(True, None), (False, "two")])
async def test_what_was_taken_back_is_not_answered(
    rig: Rig, both: bool, answered: str | None
) -> None:
    await rig.intake.accept(posted("one", key="1"), posted("two", key="2"))
    await rig.intake.accept(*([removed("1"), removed("2")] if both else [removed("1")]))
    plan = await rig.turns.plan(await rig.conversation_id())
    assert (plan and plan.request.text) == answered


async def test_two_processes_keep_one_order(rig: Rig, tmp_path: Path) -> None:
    other = rig.another_process(tmp_path)
    for number in (4, 2, 3, 1):
        await (rig if number % 2 else other).intake.accept(ordered(number))
    assert await in_order(rig) == ["m1", "m2", "m3", "m4"]
