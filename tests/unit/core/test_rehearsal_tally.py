"""What a rehearsal counts: each kind of what people did, against what the desk holds."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from uuid import uuid4

from channels.simulator.rehearsal.drive import Drive
from channels.simulator.rehearsal.email import EmailStage
from channels.simulator.rehearsal.script import ASIDE, File, Kind, Mark, Post, mark_in
from core.storage.queries.accounts.rehearsal import StoredFile, StoredMessage, StoredPress
from core.wiring.rehearsal_tally import KindFigures, Tally, tally_of


def drive_of(*posts: Post) -> Drive:
    """Return a drive after one conversation in which `posts` were written."""
    drive = Drive(
        EmailStage("lmtp"),
        conversations=1,
        messages=len(posts),
        questions=(),
        troubles=frozenset(),
        per_second=1,
        chance=Random(1),
    )
    drive.talks[0].posts.extend(posts)
    drive.done.update({Kind.DIRECT: len(posts), Kind.EDIT: 1, Kind.DELETION: 1, Kind.PRESS: 1})
    return drive


def post(
    number: int, *, edits: int = 0, is_deleted: bool = False, file: File | None = None
) -> Post:
    made = Post(Mark(0, number), Kind.DIRECT, None, file)
    made.edits, made.is_deleted = edits, is_deleted
    return made


def stored(words: str, **more: object) -> StoredMessage:
    message = StoredMessage(thread="t", text=f"hello {words}", is_answered=True)
    return replace(message, **more)  # type: ignore[arg-type]


def direct(tally: Tally) -> KindFigures:
    return tally.kinds[Kind.DIRECT]


def test_marks_are_found_again_with_the_edit_they_belong_to() -> None:
    for mark in (Mark(0, 0), Mark(12, 3), Mark(4, 5, 6)):
        assert mark_in(f"what is (this)? {mark}") == mark
    assert mark_in("call (12) or 3-4") is None


def test_what_is_stored_once_and_in_order_is_well() -> None:
    tally = tally_of(drive_of(post(0), post(1)), [stored("(0-0)"), stored("(0-1)")], [])
    assert direct(tally) == KindFigures(
        done=2, accepted=0, answered=2, lost=0, doubled=0, out_of_order=0
    )
    assert tally.talks == {"t": 0}


def test_what_is_missing_twice_or_too_late_is_counted() -> None:
    drive = drive_of(post(0), post(1), post(2))
    tally = tally_of(drive, [stored("(0-1)"), stored("(0-0)"), stored("(0-0)")], [])
    assert (direct(tally).lost, direct(tally).doubled, direct(tally).out_of_order) == (1, 1, 1)


def test_an_edit_counts_wherever_in_the_history_it_is() -> None:
    drive = drive_of(post(0, edits=2))
    kept = [stored("(0-0.2)", earlier=["hello (0-0)", "hello (0-0.1)"])]
    edits = tally_of(drive, kept, []).kinds[Kind.EDIT]
    assert (edits.lost, edits.doubled, edits.out_of_order, edits.answered) == (0, 0, 0, None)


def test_an_edit_that_is_gone_doubled_or_overtaken_is_counted() -> None:
    drive = drive_of(post(0, edits=3))
    kept = [stored("(0-0.1)", earlier=["hello (0-0)", "hello (0-0.2)", "hello (0-0.2)"])]
    edits = tally_of(drive, kept, []).kinds[Kind.EDIT]
    assert (edits.lost, edits.doubled, edits.out_of_order) == (1, 1, 1)


def test_a_deletion_that_did_not_come_through_is_lost() -> None:
    drive = drive_of(post(0, is_deleted=True), post(1, is_deleted=True))
    tally = tally_of(drive, [stored("(0-0)", is_removed=True), stored("(0-1)")], [])
    assert tally.kinds[Kind.DELETION].lost == 1


def test_a_message_whose_file_is_missing_or_cut_short_is_lost() -> None:
    file = File("a.txt", b"12345")
    whole = StoredFile(name="a.txt", size_bytes=5, is_fetched=True)
    for files, lost, doubled in (
        ([whole], 0, 0),
        ([], 1, 0),
        ([replace(whole, is_fetched=False)], 1, 0),
        ([replace(whole, size_bytes=4)], 1, 0),
        ([whole, whole], 0, 1),
    ):
        tally = tally_of(drive_of(post(0, file=file)), [stored("(0-0)", files=files)], [])
        assert (direct(tally).lost, direct(tally).doubled) == (lost, doubled)


def test_a_press_counts_by_its_choice_and_is_excused_where_the_conversation_has_ended() -> None:
    for times, is_over, lost, doubled in (
        (1, False, 0, 0),
        (0, False, 1, 0),
        (2, False, 0, 1),
        (0, True, 0, 0),
    ):
        drive, choice = drive_of(post(0)), uuid4()
        drive.talks[0].pressed.append(choice)
        press = StoredPress(
            choice=choice, message=uuid4(), times=times, is_answered=True, is_over=is_over
        )
        counted = tally_of(drive, [], [press]).kinds[Kind.PRESS]
        assert (counted.lost, counted.doubled) == (lost, doubled)


def test_of_all_buttons_under_a_message_one_press_is_taken() -> None:
    for first, later, lost, doubled in ((1, 0, 0, 0), (0, 1, 0, 0), (1, 1, 0, 1), (0, 0, 1, 0)):
        drive, message, other = drive_of(post(0)), uuid4(), uuid4()
        choices = (uuid4(), uuid4())
        drive.talks[0].pressed.append(choices[0])
        drive.talks[0].pressed_again.append(choices[1])
        drive.done[Kind.STALE] = 1
        presses = [
            StoredPress(choice=choice, message=of, times=times, is_answered=True, is_over=False)
            for choice, of, times in (
                (choices[0], message, first),
                (choices[1], message, later),
                (uuid4(), other, 1),
            )
        ]
        kinds = tally_of(drive, [], presses).kinds
        assert (kinds[Kind.PRESS].lost, kinds[Kind.STALE].lost) == (lost, 0)
        assert (kinds[Kind.PRESS].doubled, kinds[Kind.STALE].doubled) == (0, doubled)
        assert kinds[Kind.STALE].answered is None


def test_what_was_not_said_to_the_desk_must_not_be_there() -> None:
    assert tally_of(drive_of(post(0)), [stored("(0-0)"), stored(ASIDE)], []).overheard == 1
