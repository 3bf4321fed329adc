"""A rehearsal on the simulated Telegram: private chats, groups, and topics of a forum."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass
from hashlib import sha256
from random import Random
from typing import Any
from uuid import UUID

from channels.simulator.faults import Fault
from channels.simulator.rehearsal.script import File, Kind
from channels.simulator.rehearsal.stage import Acknowledgements, Tell, in_order
from channels.simulator.telegram import Group, Person, Posted, TelegramPlatform
from channels.simulator.telegram.platform import DOWNLOAD
from channels.simulator.telegram.updates import REQUEST
from channels.simulator.telegram.world import Fields

INLETS = ("polling", "webhook")
_SEND = "sendMessage"
_ASKED = ("getFile", "answerCallbackQuery", "sendChatAction")
_POLL = "getUpdates"
_PLACES = (Kind.DIRECT, Kind.GROUP, Kind.DIRECT, Kind.TOPIC)
_PEOPLE_IN_A_GROUP = 3
_MEDIA_TYPE = "text/plain"


@dataclass(slots=True)
class _Place:
    """Where a conversation is held, and by whom."""

    people: Sequence[Person]
    group: Group | None = None
    topic: int | None = None
    turn: int = 0
    albums: int = 0

    def next(self) -> Person:
        self.turn += 1
        return self.people[self.turn % len(self.people)]

    @property
    def name(self) -> tuple[int, int | None]:
        chat = self.people[0].id if self.group is None else self.group.id
        return chat, self.topic


class TelegramStage:
    """Implements `Stage`, `SendsFiles`, `SendsAlbums`, `Edits`, `Presses` and `SpeaksAside`.

    Telegram tells bots nothing of deleted messages.
    """

    def __init__(self, inlet: str) -> None:
        self.inlet = inlet
        self._platform = TelegramPlatform()
        self._mention = f"@{self._platform.world.bot['username']}"
        self._places: list[_Place] = []
        self._people: dict[int, Person] = {}  # by id
        self._told = Acknowledgements()
        self._read = 0  # how many messages of the desk have been looked at
        self._buttons: dict[tuple[int, int | None], list[Posted]] = defaultdict(list)
        self._pressed: dict[int, list[Posted]] = defaultdict(list)  # by talk
        self._spoken: dict[tuple[int, int | None], int] = {}  # what the desk said there last

    @asynccontextmanager
    async def running(self, talks: int) -> AsyncIterator[None]:
        """See `Stage.running`."""
        self._platform.updates.on_acknowledged = self._acknowledged
        async with self._platform:
            forum = self._platform.group("Rehearsal forum", is_forum=True)
            self._places = [self._open(talk, forum) for talk in range(talks)]
            self._people = {one.id: one for place in self._places for one in place.people}
            yield

    def _open(self, talk: int, forum: Group) -> _Place:
        place = self.place(talk)
        if place is Kind.DIRECT:
            return _Place([self._platform.person(f"Rehearsal {talk}")])
        people = [self._platform.person(f"Rehearsal {talk}-{n}") for n in range(_PEOPLE_IN_A_GROUP)]
        if place is Kind.GROUP:
            return _Place(people, self._platform.group(f"Rehearsal group {talk}"))
        return _Place(people, forum, forum.topic())

    def _acknowledged(self, update: Mapping[str, Any]) -> None:
        for kind in ("message", "edited_message", "callback_query"):
            if kind in update:
                self._told.came(_name(kind, update[kind]))

    def settings(self) -> Mapping[str, str]:
        """See `Stage.settings`."""
        return {
            "token": self._platform.token,
            "api_url": self._platform.url,
            "mode": self.inlet,
        }

    def serve(self, address: str) -> None:
        """See `Stage.serve`: the desk itself says to Telegram where it is to be called."""

    def place(self, talk: int) -> Kind:
        """See `Stage.place`."""
        return _PLACES[talk % len(_PLACES)]

    def say(self, talk: int, text: str) -> tuple[object, Tell]:
        """See `Stage.say`."""
        place = self._places[talk]
        words, answers = self._addressed(place, text)
        message = place.next().compose(words, **_at(place), reply_to=answers)
        return message, self._telling("message", message)

    def say_with_file(self, talk: int, text: str, file: File) -> tuple[object, Tell]:
        """See `SendsFiles.say_with_file`."""
        place = self._places[talk]
        words, answers = self._addressed(place, text)
        message = _compose_file(place.next(), file, caption=words, **_at(place), reply_to=answers)
        return message, self._telling("message", message)

    def say_album(
        self, talk: int, parts: Sequence[tuple[str, File]]
    ) -> tuple[Sequence[object], Tell]:
        """See `SendsAlbums.say_album`; in a group now this part, now that, says whom it is for."""
        place = self._places[talk]
        place.albums += 1
        person, album = place.next(), f"{talk}0{place.albums}"
        named = place.albums % len(parts)
        messages: list[Fields] = []
        for number, (text, file) in enumerate(parts):
            words, answers = self._addressed(place, text) if number == named else (text, None)
            messages.append(
                _compose_file(
                    person,
                    file,
                    caption=words,
                    album=album,
                    **_at(place),
                    reply_to=answers,
                )
            )
        return messages, in_order([self._telling("message", message) for message in messages])

    def _addressed(self, place: _Place, text: str) -> tuple[str, int | None]:
        """Return what to write so that the desk is meant, and which message of its to answer."""
        if place.group is None:
            return text, None
        self._look()
        answered = self._spoken.get(place.name)
        if answered is None or place.turn % 2:
            return f"{self._mention} {text}", None
        return text, answered

    def edit(self, message: object, text: str) -> Tell:
        """See `Edits.edit`."""
        assert isinstance(message, dict)
        before = str(message.get("text") or message.get("caption"))
        words = f"{self._mention} {text}" if before.startswith(self._mention) else text
        author = self._people[message["from"]["id"]]
        return self._telling("edited_message", author.editing(message, words))

    def press(self, talk: int, chance: Random) -> tuple[UUID, Tell] | None:
        """See `Presses.press`."""
        self._look()
        place = self._places[talk]
        waiting = self._buttons[place.name]
        if not waiting:
            return None
        posted = waiting.pop(chance.randrange(len(waiting)))
        self._pressed[talk].append(posted)
        return self._press(place, posted, chance)

    def press_again(self, talk: int, chance: Random) -> tuple[UUID, Tell] | None:
        """See `Presses.press_again`."""
        pressed = self._pressed[talk]
        return self._press(self._places[talk], pressed.pop(0), chance) if pressed else None

    def _press(self, place: _Place, posted: Posted, chance: Random) -> tuple[UUID, Tell]:
        button = chance.choice([one for one in posted.buttons if "callback_data" in one])
        pressed = place.next().pressing(posted, button["text"])
        return UUID(button["callback_data"]), self._telling("callback_query", pressed)

    def say_aside(self, talk: int, text: str) -> Tell | None:
        """See `SpeaksAside.say_aside`."""
        place = self._places[talk]
        if place.group is None:
            return None
        message = place.next().compose(text, group=place.group, topic=place.topic)
        return self._telling("message", message)

    def _telling(self, kind: str, content: Fields) -> Tell:
        told = deepcopy(content)  # as it is now: later it may have been edited
        name = _name(kind, told)

        async def tell() -> None:
            acknowledged = self._told.expect(name)
            await self._platform.updates.tell(kind, told)
            await acknowledged

        return tell

    def throttle(self, chance: Random) -> None:
        """See `Stage.throttle`."""
        method = _SEND if chance.random() < 0.5 else chance.choice(_ASKED)
        self._platform.faults.plan(Fault.THROTTLED, method=method)

    async def cut(self, chance: Random) -> None:
        """See `Stage.cut`."""
        way, method = chance.random(), _SEND
        if way < 0.4:
            method = _POLL if self.inlet == "polling" else REQUEST
        elif way < 0.6:
            method = chance.choice((*_ASKED, DOWNLOAD))
        fault = chance.choice((Fault.CUT_BEFORE, Fault.CUT_AFTER))
        self._platform.faults.plan(fault, method=method)

    def heard(self) -> Sequence[int]:
        """See `Stage.heard`."""
        counted = Counter(_where(posted) for posted in self._platform.posted)
        return [counted[place.name] for place in self._places]

    def _look(self) -> None:
        """Put what the desk has sent meanwhile where its buttons are found."""
        posted = self._platform.posted
        for one in posted[self._read :]:
            self._spoken[_where(one)] = one.number
            if any("callback_data" in button for button in one.buttons):
                self._buttons[_where(one)].append(one)
        self._read = len(posted)


def _at(place: _Place) -> dict[str, Any]:
    return {"group": place.group, "topic": place.topic}


def _compose_file(person: Person, file: File, **more: Any) -> Fields:
    return person.compose_file(file.content, name=file.name, media_type=_MEDIA_TYPE, **more)


def _where(posted: Posted) -> tuple[int, int | None]:
    return posted.chat, posted.fields.get("message_thread_id")


def _name(kind: str, content: Mapping[str, Any]) -> str:
    """Return what tells an update from all others, and not from its own repetition."""
    if kind == "callback_query":
        return f"press {content['id']}"
    name = f"{content['chat']['id']}/{content['message_id']}"
    if kind == "message":
        return name
    words = str(content.get("text") or content.get("caption"))
    return f"{name} {content['edit_date']} {sha256(words.encode()).hexdigest()[:16]}"
