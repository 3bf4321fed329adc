"""What intake hears of messages, threads and participants that it knows already."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import select

from channels.loopback.channel import Platform
from core.domain.events import (
    ChoicePressed,
    DeliveryReported,
    MessagePosted,
    MessageRemoved,
    ParticipantChanged,
    ReactionChanged,
    ThreadMoved,
)
from core.domain.ids import Address, ChoiceId, EventKey, RemoteId, ThreadKey, new_id
from core.ports import Refusal
from core.storage.tables import (
    MessageRevision,
    Participant,
)
from tests.support.desk import LOOP, Rig, posted


async def test_an_edit_is_a_revision_and_not_a_message(rig: Rig) -> None:
    platform = Platform()
    said = platform.post(LOOP, "t1", "printr broken")
    await rig.intake.accept(said)
    platform.edit(said, "printer broken")
    (acceptance,) = await rig.intake.accept(platform.happened[-1])

    assert acceptance.refusal is None
    assert await rig.texts() == [("customer", "printer broken")]
    async with rig.sessions() as session:
        assert (await session.scalars(select(MessageRevision.text))).all() == ["printr broken"]


async def test_a_removed_message_stays_in_the_record_marked(rig: Rig) -> None:
    said = posted("secret", key="1")
    await rig.intake.accept(said)
    await rig.intake.accept(
        MessageRemoved(
            account=LOOP,
            key=EventKey("remove:1"),
            thread=said.thread,
            author=said.author,
            at=said.at,
            remote_id=RemoteId("1"),
        )
    )
    (message,) = await rig.messages()
    assert message.removed_at is not None


async def test_reactions_come_and_go(rig: Rig) -> None:
    said = posted("done", key="1")
    await rig.intake.accept(said)

    async def react(key: str, *, added: bool) -> None:
        await rig.intake.accept(
            ReactionChanged(
                account=LOOP,
                key=EventKey(key),
                thread=said.thread,
                author=said.author,
                at=said.at,
                remote_id=RemoteId("1"),
                reaction="+1",
                added=added,
            )
        )

    await react("r1", added=True)
    assert (await rig.messages())[0].reactions == {"+1": ["somebody"]}
    await react("r2", added=False)
    assert (await rig.messages())[0].reactions == {}


async def test_events_about_what_is_unknown_are_refused_and_stay_refused(rig: Rig) -> None:
    said = posted("x", key="1")
    report = DeliveryReported(
        account=LOOP,
        key=EventKey("report:9"),
        thread=said.thread,
        author=said.author,
        at=said.at,
        remote_id=RemoteId("9"),
        delivered=True,
    )
    press = ChoicePressed(
        account=LOOP,
        key=EventKey("press:9"),
        thread=said.thread,
        author=said.author,
        at=said.at,
        choice=ChoiceId(new_id()),
    )
    for _ in range(2):
        reported, pressed = await rig.intake.accept(report, press)
        assert reported.refusal is Refusal.UNKNOWN_MESSAGE
        assert pressed.refusal is Refusal.UNKNOWN_CHOICE
    assert await rig.intake.cursor(LOOP, "c") is None


def moved(said: MessagePosted) -> ThreadMoved:
    """Return that the thread of `said` goes on as `t2`."""
    return ThreadMoved(
        account=LOOP,
        key=EventKey("move"),
        thread=said.thread,
        author=said.author,
        at=said.at,
        new_thread=ThreadKey("t2"),
    )


async def test_a_thread_that_moves_keeps_its_conversation(rig: Rig) -> None:
    said = posted("x")
    await rig.intake.accept(said)
    await rig.intake.accept(moved(said))
    await rig.intake.accept(posted("y", thread="t2"))

    assert await rig.texts("t2") == [("customer", "x"), ("customer", "y")]


async def test_a_thread_does_not_move_to_where_another_began_in_the_same_batch(rig: Rig) -> None:
    said = posted("x")
    await rig.intake.accept(said)
    _, refused = await rig.intake.accept(posted("y", thread="t2"), moved(said))

    assert refused.refusal == Refusal.THREAD_TAKEN
    assert await rig.texts("t1") == [("customer", "x")]
    assert await rig.texts("t2") == [("customer", "y")]


async def test_participants_are_remembered(rig: Rig) -> None:
    said = posted("x")
    await rig.intake.accept(said)
    other = replace(said.author, address=Address("boss"), name="Boss")
    for key, joined in (("j", True), ("l", False)):
        await rig.intake.accept(
            ParticipantChanged(
                account=LOOP,
                key=EventKey(key),
                thread=said.thread,
                author=said.author,
                at=said.at,
                participant=other,
                joined=joined,
            )
        )
    async with rig.sessions() as session:
        (row,) = (await session.scalars(select(Participant))).all()
    assert row.name == "Boss"
    assert row.left_at is not None
