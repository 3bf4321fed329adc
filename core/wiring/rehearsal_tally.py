"""What the desk holds of everything that was done in a rehearsal, found by the marks in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from channels.simulator.rehearsal.drive import Drive
from channels.simulator.rehearsal.script import ASIDE, Kind, Mark, Post, mark_in
from core.storage.queries.accounts.rehearsal import StoredMessage, StoredPress

_UNANSWERED = frozenset({Kind.EDIT, Kind.DELETION, Kind.ASIDE, Kind.STALE})


@dataclass(frozen=True, slots=True, kw_only=True)
class KindFigures:
    """Counts of one kind of what people did."""

    done: int
    accepted: int  # that the platform considers delivered
    answered: int | None  # None where there is nothing to answer
    lost: int
    doubled: int
    out_of_order: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """All of it. `talks` has the conversation that is held in each thread."""

    kinds: dict[Kind, KindFigures]
    talks: dict[str, int]
    overheard: int  # kept, though it was not said to the desk


class _Counting:
    def __init__(self) -> None:
        self.answered: Counter[Kind] = Counter()
        self.lost: Counter[Kind] = Counter()
        self.doubled: Counter[Kind] = Counter()
        self.out_of_order: Counter[Kind] = Counter()


def tally_of(
    drive: Drive, stored: Sequence[StoredMessage], presses: Sequence[StoredPress]
) -> Tally:
    """Compare what people did with what is stored, in the order of the transcripts."""
    count = _Counting()
    posts = {post.mark: post for talk in drive.talks for post in talk.posts}
    found: dict[Mark, StoredMessage] = {}
    talks: dict[str, int] = {}
    latest: dict[str, int] = {}
    overheard = 0
    for message in stored:
        overheard += ASIDE in message.text
        mark = mark_in(message.text)
        if mark is None or (post := posts.get(mark.original)) is None:
            continue
        talks[message.thread] = mark.talk
        if post.mark in found:
            count.doubled[post.kind] += 1
            continue
        found[post.mark] = message
        if mark.number < latest.get(message.thread, -1):
            count.out_of_order[post.kind] += 1
        latest[message.thread] = max(mark.number, latest.get(message.thread, -1))
    for post in posts.values():
        _count(count, post, found.get(post.mark))
    _count_presses(count, drive, presses)
    kinds = {
        kind: KindFigures(
            done=drive.done[kind],
            accepted=drive.accepted[kind],
            answered=None if kind in _UNANSWERED else count.answered[kind],
            lost=count.lost[kind],
            doubled=count.doubled[kind],
            out_of_order=count.out_of_order[kind],
        )
        for kind in Kind
        if drive.done[kind]
    }
    return Tally(kinds=kinds, talks=talks, overheard=overheard)


def _count(count: _Counting, post: Post, message: StoredMessage | None) -> None:
    """Count what became of a message, of its file, its edits and its deletion."""
    if message is None:
        count.lost[post.kind] += 1
        count.lost[Kind.EDIT] += post.edits
        count.lost[Kind.DELETION] += post.is_deleted
        return
    # What was taken back before the assistant saw it is rightly not answered.
    count.answered[post.kind] += message.is_answered or post.is_deleted
    count.lost[Kind.DELETION] += post.is_deleted and not message.is_removed
    if post.file is not None:
        kept = sum(
            file.name == post.file.name
            and file.is_fetched
            and file.size_bytes == len(post.file.content)
            for file in message.files
        )
        count.lost[post.kind] += kept == 0
        count.doubled[post.kind] += len(message.files) > 1
    said = Counter(_edits_in(message))
    edits = range(1, post.edits + 1)
    count.lost[Kind.EDIT] += sum(said[edit] == 0 for edit in edits)
    count.doubled[Kind.EDIT] += sum(max(0, said[edit] - 1) for edit in edits)
    now = mark_in(message.text)
    count.out_of_order[Kind.EDIT] += now is not None and now.edit != max(said)


def _edits_in(message: StoredMessage) -> Iterator[int]:
    for text in (message.text, *message.earlier):
        if (mark := mark_in(text)) is not None:
            yield mark.edit


def _count_presses(count: _Counting, drive: Drive, presses: Sequence[StoredPress]) -> None:
    """Count by message: of all its buttons one press is taken, whoever presses and how often."""
    known = {press.choice: press for press in presses}
    times: Counter[UUID] = Counter()
    for press in presses:
        times[press.message] += press.times
    again = {
        known[choice].message
        for talk in drive.talks
        for choice in talk.pressed_again
        if choice in known
    }
    for talk in drive.talks:
        for choice in talk.pressed:
            first = known.get(choice)
            if first is None:
                count.lost[Kind.PRESS] += 1
                continue
            taken = times[first.message]
            count.lost[Kind.PRESS] += taken == 0 and not first.is_over
            doubled = Kind.STALE if first.message in again else Kind.PRESS
            count.doubled[doubled] += max(0, taken - 1)
            count.answered[Kind.PRESS] += first.is_over or any(
                one.is_answered for one in presses if one.message == first.message
            )
