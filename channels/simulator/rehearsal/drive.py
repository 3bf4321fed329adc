"""The people of a rehearsal: what they do, in which order, and the trouble on the way."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from random import Random

from channels.simulator.rehearsal.script import ASIDE, File, Kind, Mark, Post, Talk
from channels.simulator.rehearsal.stage import (
    Deletes,
    Edits,
    Presses,
    SendsAlbums,
    SendsFiles,
    SpeaksAside,
    Stage,
    Tell,
)

_PHRASES = ("hello", "thanks", "what can you do?", "who are you?")
_SMALL_TALK = 0.3  # the rest are questions
_WITH_A_FILE = 0.1
_AN_ALBUM = 0.08
_EDITED = 0.15
_DELETED = 0.08
_PRESSED = 0.3
_PRESSED_AGAIN = 0.1
_ASIDE = 0.15
_ALBUM_FILES = 3
_MOST_FILE_BYTES = 3_000
_EDITED_AGAIN_AFTER_SECONDS = 1.1  # platforms date edits by the second
_DUPLICATED = 0.1
_REORDERED = 0.1
_THROTTLED = 0.02
_CUT = 0.04
_SWAPPED_WITHIN_SECONDS = 1.0
_TOLD_AGAIN_WITHIN_SECONDS = 2.0
_ENOUGH_FOR_ALL = 20  # messages, in which everything happens once at least
_BUTTON_WITHIN_SECONDS = 60.0
_LOOK_SECONDS = 0.2


class Trouble(StrEnum):
    """What a rehearsal can be asked to suffer."""

    DUPLICATE = "duplicate"  # what happened is told again
    REORDER = "reorder"  # two things that happened are told the wrong way round
    THROTTLE = "429"  # the platform asks the desk to wait
    CUT = "cut"  # connections end, before and after the request was read, either way
    CRASH = "crash"  # processes of the desk are killed
    GREYLIST = "greylist"  # mail: the first attempt is refused for the moment
    LOOP = "loop"  # mail: a program answers everything


@dataclass(frozen=True, slots=True)
class _Deed:
    """Something that was done, and how the desk is told."""

    kind: Kind
    tell: Tell
    posts: int = 0  # messages in it


class Drive:
    """Lets people act: in each conversation in order, all conversations side by side.

    What is done, and the trouble, come by chance; whatever has not come by half of the messages
    comes then, so that a short rehearsal has all of it, too.
    """

    def __init__(
        self,
        stage: Stage,
        *,
        conversations: int,
        messages: int,
        questions: Sequence[str],
        troubles: frozenset[Trouble],
        per_second: float,
        chance: Random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`per_second` is how many messages come from all of them together, at most.

        Edits, deletions and pressed buttons come on top.
        """
        self._stage = stage
        self._messages = messages
        self._questions = questions or _PHRASES
        self._troubles = troubles
        self._pause_seconds = conversations / per_second
        self._chance = chance
        self._clock = clock
        self.talks = [Talk(number) for number in range(conversations)]
        self.done: Counter[Kind] = Counter()
        self.accepted: Counter[Kind] = Counter()
        self.suffered: Counter[Trouble] = Counter()  # of what comes between the desk and people
        self.delivered = 0  # messages that were accepted
        self.delays_seconds: list[float] = []
        """From the first attempt to tell the desk of something to its acknowledgement."""

    @property
    def spoken(self) -> int:
        """How many messages have been said."""
        return sum(len(talk.posts) for talk in self.talks)

    async def run(self) -> None:
        """Return once everything is done and delivered."""
        share, more = divmod(self._messages, len(self.talks))
        async with asyncio.TaskGroup() as talks:
            for talk in self.talks:
                talks.create_task(self._hold(talk, share + (talk.number < more)))
        if isinstance(self._stage, Presses):
            await self._press_at_last()

    async def _hold(self, talk: Talk, messages: int) -> None:
        while (left := messages - len(talk.posts)) > 0:
            await asyncio.sleep(self._chance.uniform(0, 2 * self._pause_seconds))
            deeds = [self._write(talk, left)]
            if self._comes(Trouble.REORDER, _REORDERED):
                is_edited = deeds[0].posts == 1 and self._chance.random() < _EDITED
                if is_edited and isinstance(self._stage, Edits):
                    deeds.append(self._edit(self._stage, talk, talk.posts[-1]))
                elif len(talk.posts) < messages:
                    deeds.append(self._write(talk, messages - len(talk.posts)))
                self.suffered[Trouble.REORDER] += len(deeds) > 1
            await self._tell(deeds)
            for act in (
                self._speak_aside,
                self._edit_some,
                self._delete_some,
                self._press,
                self._press_again,
            ):
                if (deed := act(talk)) is not None:
                    await self._tell([deed])
        # At last one each for certain, so that some are pressed wherever buttons are shown.
        for press in (self._press, self._press_again):
            if (deed := press(talk, 1.0)) is not None:
                await self._tell([deed])

    async def _tell(self, deeds: Sequence[_Deed]) -> None:
        """Tell the desk, of several things the wrong way round, with the trouble there is."""
        if self._comes(Trouble.THROTTLE, _THROTTLED):
            self.suffered[Trouble.THROTTLE] += 1
            self._stage.throttle(self._chance)
        if self._comes(Trouble.CUT, _CUT):
            self.suffered[Trouble.CUT] += 1
            await self._stage.cut(self._chance)
        async with asyncio.TaskGroup() as telling:
            for place, deed in enumerate(reversed(deeds)):
                pause = place * self._chance.uniform(0, _SWAPPED_WITHIN_SECONDS)
                telling.create_task(_later(pause, partial(self._deliver, deed)))
                if self._comes(Trouble.DUPLICATE, _DUPLICATED):
                    self.suffered[Trouble.DUPLICATE] += 1
                    again = pause + self._chance.uniform(0, _TOLD_AGAIN_WITHIN_SECONDS)
                    telling.create_task(_later(again, deed.tell))

    def _comes(self, trouble: Trouble, probability: float) -> bool:
        """Say whether `trouble` comes now, where it was asked for."""
        if trouble not in self._troubles:
            return False
        return self._chance.random() < probability or self._is_due(self.suffered[trouble])

    def _does(self, kind: Kind, probability: float) -> bool:
        """Say whether somebody who can do `kind` does it now."""
        return self._chance.random() < probability or self._is_due(self.done[kind])

    def _is_due(self, times: int) -> bool:
        """Say whether what has come so often comes now in any case."""
        if times or self._messages < _ENOUGH_FOR_ALL:
            return False
        return self.spoken * 2 >= self._messages

    # -- what people do ----------------------------------------------------------------------------

    def _write(self, talk: Talk, most: int) -> _Deed:
        """Write one message, or an album of no more than `most`."""
        stage = self._stage
        begins = not talk.posts  # the first message says whom it is for, and brings nothing
        if not begins and isinstance(stage, SendsAlbums) and self._is_album(most):
            return self._write_album(stage, talk)
        mark = Mark(talk.number, len(talk.posts))
        if not begins and isinstance(stage, SendsFiles) and self._does(Kind.FILE, _WITH_A_FILE):
            file = self._file(mark)
            remote, tell = stage.say_with_file(talk.number, self._words(mark), file)
            talk.posts.append(Post(mark, Kind.FILE, remote, file))
            return self._did(Kind.FILE, tell, posts=1)
        remote, tell = stage.say(talk.number, self._words(mark))
        kind = stage.place(talk.number)
        talk.posts.append(Post(mark, kind, remote))
        return self._did(kind, tell, posts=1)

    def _is_album(self, most: int) -> bool:
        return most >= _ALBUM_FILES and self._does(Kind.ALBUM, _AN_ALBUM)

    def _write_album(self, stage: SendsAlbums, talk: Talk) -> _Deed:
        first = len(talk.posts)
        marks = [Mark(talk.number, first + part) for part in range(_ALBUM_FILES)]
        parts = [(self._words(mark), self._file(mark)) for mark in marks]
        remotes, tell = stage.say_album(talk.number, parts)
        talk.posts.extend(
            Post(mark, Kind.ALBUM, remote, file)
            for mark, remote, (_, file) in zip(marks, remotes, parts, strict=True)
        )
        return self._did(Kind.ALBUM, tell, posts=_ALBUM_FILES)

    def _edit_some(self, talk: Talk) -> _Deed | None:
        if not isinstance(self._stage, Edits) or not self._does(Kind.EDIT, _EDITED):
            return None
        latest = self._clock() - _EDITED_AGAIN_AFTER_SECONDS
        known = [post for post in talk.posts if not post.is_deleted and post.edited_at < latest]
        return self._edit(self._stage, talk, self._chance.choice(known)) if known else None

    def _edit(self, stage: Edits, talk: Talk, post: Post) -> _Deed:
        post.edits += 1
        post.edited_at = self._clock()
        mark = Mark(talk.number, post.mark.number, post.edits)
        return self._did(Kind.EDIT, stage.edit(post.remote, self._words(mark)))

    def _delete_some(self, talk: Talk) -> _Deed | None:
        if not isinstance(self._stage, Deletes) or not self._does(Kind.DELETION, _DELETED):
            return None
        # The first message is what the desk knows a thread by.
        known = [post for post in talk.posts[1:] if not post.is_deleted]
        if not known:
            return None
        post = self._chance.choice(known)
        post.is_deleted = True
        return self._did(Kind.DELETION, self._stage.delete(post.remote))

    def _press(self, talk: Talk, probability: float = _PRESSED) -> _Deed | None:
        if not isinstance(self._stage, Presses) or not self._does(Kind.PRESS, probability):
            return None
        pressed = self._stage.press(talk.number, self._chance)
        if pressed is None:
            return None
        choice, tell = pressed
        talk.pressed.append(choice)
        return self._did(Kind.PRESS, tell)

    def _press_again(self, talk: Talk, probability: float = _PRESSED_AGAIN) -> _Deed | None:
        if not isinstance(self._stage, Presses) or not self._does(Kind.STALE, probability):
            return None
        pressed = self._stage.press_again(talk.number, self._chance)
        if pressed is None:
            return None
        choice, tell = pressed
        talk.pressed_again.append(choice)
        return self._did(Kind.STALE, tell)

    async def _press_at_last(self) -> None:
        """Wait for buttons and press them, where all was said before the desk had shown any."""
        end = self._clock() + _BUTTON_WITHIN_SECONDS
        for kind, press in ((Kind.PRESS, self._press), (Kind.STALE, self._press_again)):
            while self._is_due(self.done[kind]) and self._clock() < end:
                deeds = (press(talk, 1.0) for talk in self.talks)
                if (deed := next(filter(None, deeds), None)) is not None:
                    await self._tell([deed])
                else:
                    await asyncio.sleep(_LOOK_SECONDS)

    def _speak_aside(self, talk: Talk) -> _Deed | None:
        if not isinstance(self._stage, SpeaksAside) or not self._does(Kind.ASIDE, _ASIDE):
            return None
        tell = self._stage.say_aside(talk.number, f"{self._chance.choice(_PHRASES)} {ASIDE}")
        return None if tell is None else self._did(Kind.ASIDE, tell)

    def _did(self, kind: Kind, tell: Tell, *, posts: int = 0) -> _Deed:
        self.done[kind] += posts or 1
        return _Deed(kind, tell, posts)

    def _words(self, mark: Mark) -> str:
        words = _PHRASES if self._chance.random() < _SMALL_TALK else self._questions
        return f"{self._chance.choice(words)} {mark}"

    def _file(self, mark: Mark) -> File:
        lines = self._chance.randbytes(self._chance.randint(1, _MOST_FILE_BYTES // 2)).hex()
        return File(f"notes-{mark.talk}-{mark.number}.txt", lines.encode())

    async def _deliver(self, deed: _Deed) -> None:
        began = self._clock()
        await deed.tell()
        self.delays_seconds.append(self._clock() - began)
        self.accepted[deed.kind] += deed.posts or 1
        self.delivered += deed.posts


async def _later(seconds: float, act: Tell) -> None:
    await asyncio.sleep(seconds)
    await act()
