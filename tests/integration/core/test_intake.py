from __future__ import annotations

import asyncio
import base64
import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text

from core.domain.content import MAX_FILES, Body, Envelope, FileRef
from core.domain.errors import InvalidInput, StorageUnavailable, TooLarge
from core.domain.events import (
    MessageRemoved,
)
from core.domain.ids import Address, EventKey, RemoteId, new_id
from core.ports import Cursor
from core.storage.engine import open_engine, sessions_of
from core.storage.tables import (
    Contact,
    InboundEvent,
    Quarantined,
    Turn,
)
from core.storage.wakeups import Lane, LaneKind, wake
from tests.support.desk import LOOP, Rig, posted, somebody_waits

WIDE = "".join(chr(0x4E00 + number * 7919 % 20_000) for number in range(1_000))
"""A name of which no index entry can be made: three bytes a character, and nothing to compress."""

SMALL = FileRef(name="small", media_type="text/plain", size_bytes=1, remote="small")
HUGE = FileRef(name="huge", media_type="text/plain", size_bytes=2**63, remote="huge")


async def _jobs(rig: Rig) -> list[str]:
    async with rig.sessions() as session:
        rows = await session.scalars(
            text("SELECT queueing_lock FROM procrastinate_jobs WHERE status = 'todo'")
        )
        return list(rows)


async def test_a_message_makes_a_conversation_a_turn_and_a_wake_up(rig: Rig) -> None:
    conversation = await rig.hear("hello")

    assert await rig.texts() == [("customer", "hello")]
    assert await _jobs(rig) == [f"turns:{conversation}"]


async def test_a_redelivery_is_accepted_with_the_same_number_and_stored_once(rig: Rig) -> None:
    event = posted("hello", key="1")
    (first,) = await rig.intake.accept(event)
    (again,) = await rig.intake.accept(event)

    assert first.is_new
    assert not again.is_new
    assert (again.message, again.seq) == (first.message, first.seq)
    assert len(await rig.messages()) == 1


async def test_equal_events_in_one_batch_are_one_message(rig: Rig) -> None:
    event = posted("hello", key="1")
    accepted = await rig.intake.accept(event, event)

    assert [acceptance.is_new for acceptance in accepted] == [True, False]
    assert accepted[0].seq == accepted[1].seq
    assert len(await rig.messages()) == 1


async def test_two_events_for_one_lane_while_its_job_waits_are_both_stored(rig: Rig) -> None:
    await rig.hear("one")
    await rig.hear("two")

    assert await rig.texts() == [("customer", "one"), ("customer", "two")]
    assert len(await _jobs(rig)) == 1


async def test_a_wake_up_that_meets_a_waiting_job_leaves_its_transaction_whole(rig: Rig) -> None:
    """The unique violation of the queueing lock must stay inside its savepoint."""
    conversation = await rig.hear("one")
    lane = Lane(LaneKind.TURNS, conversation)
    async with rig.sessions.begin() as session:
        await session.execute(text("DELETE FROM procrastinate_jobs"))
    first, second = rig.sessions(), rig.sessions()
    async with first, second:
        await wake(first, [lane])  # not committed: the second cannot see it, and will collide
        session_two = asyncio.create_task(_contact_and_wake(second, lane))
        await asyncio.sleep(0)
        await first.commit()
        await session_two
        await second.commit()
    async with rig.sessions() as session:
        assert await session.scalar(select(func.count()).where(Contact.name == "kept")) == 1
    assert len(await _jobs(rig)) == 1


async def _contact_and_wake(session: object, lane: Lane) -> None:
    session.add(Contact(id=new_id(), name="kept"))  # type: ignore[attr-defined]
    await wake(session, [lane])  # type: ignore[arg-type]


async def test_concurrent_calls_share_a_transaction(rig: Rig) -> None:
    await asyncio.gather(*(rig.intake.accept(posted(f"m{i}", thread=f"t{i}")) for i in range(40)))
    async with rig.sessions() as session:
        transactions = await session.scalar(
            text("SELECT count(DISTINCT xmin::text) FROM inbound_event")
        )
        assert await session.scalar(select(func.count()).select_from(InboundEvent)) == 40
    assert transactions is not None
    assert transactions <= 3


async def test_one_bad_event_does_not_take_its_batch_with_it(rig: Rig) -> None:
    good = [posted(f"m{i}", thread=f"t{i}") for i in range(5)]
    huge = FileRef(name="f", media_type="x/y", size_bytes=2**70, remote="f")
    bad = replace(posted("", thread="bad"), body=Body(files=(huge,)))
    results = await asyncio.gather(
        *(rig.intake.accept(event) for event in [*good, bad]), return_exceptions=True
    )

    assert isinstance(results[-1], Exception)
    assert not any(isinstance(result, BaseException) for result in results[:-1])
    assert [len(await rig.messages(f"t{i}")) for i in range(5)] == [1] * 5


async def test_two_processes_meeting_in_a_new_thread_make_one_conversation(
    rig: Rig, tmp_path: Path
) -> None:
    other = rig.another_process(tmp_path)
    await asyncio.gather(
        *(
            desk.intake.accept(posted(f"m{i}", key=f"k{i}"))
            for i, desk in enumerate([rig, other] * 5)
        )
    )

    messages = await rig.messages()
    assert [message.seq for message in messages] == list(range(1, 11))
    async with rig.sessions() as session:
        assert await session.scalar(select(func.count()).select_from(Contact)) == 1


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(deliveries=st.lists(st.integers(0, 5), min_size=1, max_size=25))
async def test_redelivery_changes_nothing(rig: Rig, deliveries: list[int]) -> None:
    """However often events come again, the transcript is first arrivals, once each."""
    thread = new_id().hex
    for number in deliveries:
        await rig.intake.accept(posted(str(number), thread=thread, key=f"{thread}-{number}"))

    first_arrivals = [str(number) for number in dict.fromkeys(deliveries)]
    assert [words for _, words in await rig.texts(thread)] == first_arrivals


async def test_the_cursor_moves_with_the_events_or_not_at_all(rig: Rig) -> None:
    await rig.intake.accept(posted("a"), cursor=Cursor(account=LOOP, name="c", value="1"))
    with pytest.raises(InvalidInput):
        await rig.intake.accept(
            posted("nul \x00"), cursor=Cursor(account=LOOP, name="c", value="2")
        )

    assert await rig.intake.cursor(LOOP, "c") == "1"
    assert await rig.intake.cursor(LOOP, "other") is None


async def test_a_cursor_alone_can_be_committed(rig: Rig) -> None:
    assert await rig.intake.accept(cursor=Cursor(account=LOOP, name="c", value="7")) == ()
    assert await rig.intake.cursor(LOOP, "c") == "7"


@pytest.mark.parametrize(
    ("event", "error"),
    [
        (posted("x" * 20_001), TooLarge),
        (replace(posted("x"), body=Body(text="x", quoted="x" * 20_001)), TooLarge),
        (replace(posted("x"), body=Body(text="x", signature="x" * 20_001)), TooLarge),
        (posted("nul \x00"), InvalidInput),
        (posted("lone \ud800"), InvalidInput),
        (posted("x", thread=""), InvalidInput),
        (replace(posted("x"), at=datetime(2026, 1, 1)), InvalidInput),  # noqa: DTZ001
        (replace(posted("x"), remote_ids=(RemoteId(WIDE),)), InvalidInput),
        (posted("x", thread=WIDE[:900]), InvalidInput),
        (replace(posted("x"), envelope=Envelope(to=(), cc=(Address(WIDE),))), InvalidInput),
        (replace(posted("x"), body=Body(text="x", files=(HUGE,))), InvalidInput),
        (replace(posted("x"), body=Body(text="x", files=(SMALL,) * (MAX_FILES + 1))), TooLarge),
    ],
)
async def test_what_can_never_be_stored_is_refused_in_words(
    rig: Rig, event: object, error: type[Exception]
) -> None:
    with pytest.raises(error):
        await rig.intake.accept(event)  # type: ignore[arg-type]


async def test_what_the_database_will_never_take_does_not_look_like_its_absence(rig: Rig) -> None:
    with pytest.raises(InvalidInput):
        await rig.intake.accept(posted("x"), cursor=Cursor(account=LOOP, name=WIDE, value="1"))


async def test_a_batch_that_another_transaction_stood_in_the_way_of_is_stored_after_it(
    rig: Rig,
) -> None:
    rig.accounts[LOOP] = replace(rig.accounts[LOOP], looks_up_people=True)
    await rig.hear("one")
    async with rig.sessions.begin() as session:
        await session.execute(
            text("UPDATE contact_address SET looked_up_at = 'epoch', look_up_at = NULL")
        )
    async with rig.sessions.begin() as other:
        await other.execute(text("SET LOCAL deadlock_timeout = '10s'"))
        await other.execute(text("SELECT FROM contact_address FOR UPDATE"))
        storing = asyncio.create_task(rig.intake.accept(posted("two")))
        await somebody_waits(rig.sessions)
        await other.execute(text("SELECT FROM conversation FOR UPDATE"))
    (accepted,) = await storing

    assert accepted.is_new
    assert await rig.texts() == [("customer", "one"), ("customer", "two")]


async def test_without_a_database_nothing_is_acknowledged(rig: Rig, tmp_path: Path) -> None:
    engine = open_engine("postgresql://postgres@127.0.0.1:1/desk")
    away = Rig(sessions_of(engine), tmp_path)
    with pytest.raises(StorageUnavailable):
        await away.intake.accept(posted("hello"))
    await engine.dispose()


async def test_the_raw_payload_of_every_event_is_kept(rig: Rig) -> None:
    await rig.intake.accept(posted("hello raw"))
    async with rig.sessions() as session:
        where = await session.scalar(select(InboundEvent.raw_blob))
    assert where is not None
    blob, _, line = where.partition("#")
    kept = json.loads((await rig.blobs.get(blob)).splitlines()[int(line)])
    assert base64.b64decode(kept["raw"]) == b"hello raw"


async def test_what_cannot_be_understood_is_quarantined(rig: Rig) -> None:
    await rig.intake.quarantine(LOOP, b"\xff\x00garbage", "not JSON")
    async with rig.sessions() as session:
        (row,) = (await session.scalars(select(Quarantined))).all()
    assert row.reason == "not JSON"
    assert await rig.blobs.get(row.raw_blob) == b"\xff\x00garbage"


async def test_a_message_long_after_the_end_begins_a_new_conversation_and_counts_on(
    rig: Rig,
) -> None:
    from core.domain.assistant import Close

    conversation = await rig.hear("bye")
    await rig.reply(conversation, Close(reason="goodbye"))
    rig.clock.advance(hours=80)
    later = await rig.hear("me again")

    assert later != conversation
    assert [message.seq for message in await rig.messages()] == [1, 2]


async def test_what_a_machine_said_in_an_ended_conversation_can_be_taken_back_in_its_batch(
    rig: Rig,
) -> None:
    from core.domain.assistant import Close

    conversation = await rig.hear("bye")
    await rig.reply(conversation, Close(reason="goodbye"))
    rig.clock.advance(hours=80)
    machine = replace(posted("away", key="away"), is_automatic=True)
    taken_back = MessageRemoved(
        account=LOOP,
        key=EventKey("removal"),
        thread=machine.thread,
        author=machine.author,
        at=machine.at,
        remote_id=machine.remote_ids[0],
    )
    accepted = await rig.intake.accept(taken_back, machine, posted("me again"))

    assert [one.refusal for one in accepted] == [None, None, None]
    _, away, again = await rig.messages()
    assert away.removed_at is not None
    assert away.conversation_id == conversation != again.conversation_id


async def test_a_message_soon_after_the_end_goes_on_in_a_new_episode(rig: Rig) -> None:
    from core.domain.assistant import Close

    conversation = await rig.hear("bye")
    await rig.reply(conversation, Close(reason="goodbye"))
    assert await rig.hear("wait") == conversation
    plan = await rig.turns.plan(conversation)
    assert plan is not None
    assert plan.request.sender == f"{conversation}:2"
    assert plan.request.text == "wait"


async def test_a_waiting_turn_is_made_once(rig: Rig) -> None:
    for words in ("a", "b", "c"):
        await rig.hear(words)
    async with rig.sessions() as session:
        assert await session.scalar(select(func.count()).select_from(Turn)) == 1
