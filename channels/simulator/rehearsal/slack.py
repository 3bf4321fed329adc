"""A rehearsal on the simulated Slack: direct conversations, and threads of several in channels."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass
from random import Random
from typing import Any
from uuid import UUID

from channels.simulator.faults import Fault
from channels.simulator.rehearsal.script import File, Kind
from channels.simulator.rehearsal.stage import Acknowledgements, Tell, in_order
from channels.simulator.slack import News, Person, SlackPlatform
from channels.simulator.slack.news import REQUEST
from channels.simulator.slack.workspace import BOT_USER, Message

INLETS = ("socket", "events")
_RETRIES_SECONDS = (0.1, 1.0, 5.0)
"""The last of them again and again: Slack would give up after three, in some five minutes, and a
rehearsal has as many outages in a minute as a desk in a year."""
_REQUESTS_AT_ONCE = 16
_SEND = "chat.postMessage"
_ASKED = ("conversations.replies", "users.info", "files.info")
_DOWNLOAD = "file"
_PEOPLE_IN_A_THREAD = 3
_THREADS_IN_A_CHANNEL = 20
_BUTTON = "choice"  # what the action ids of the desk's own buttons begin with
_MEDIA_TYPE = "text/plain"


@dataclass(slots=True)
class _Place:
    """Where a conversation is held, and by whom."""

    people: Sequence[Person]
    channel: str
    is_thread: bool
    root: Message | None = None  # of the thread
    turn: int = 0

    def next(self) -> Person:
        self.turn += 1
        return self.people[self.turn % len(self.people)]


class SlackStage:
    """Implements `Stage`, `SendsFiles`, `Edits`, `Deletes`, `Presses` and `SpeaksAside`."""

    def __init__(self, inlet: str) -> None:
        self.inlet = inlet
        self._platform = SlackPlatform()
        self._places: list[_Place] = []
        self._told = Acknowledgements()
        self._read = 0  # how many messages have been looked at
        self._buttons: dict[tuple[str, str | None], list[Message]] = defaultdict(list)
        self._pressed: dict[int, list[Message]] = defaultdict(list)  # as they were, by talk

    @asynccontextmanager
    async def running(self, talks: int) -> AsyncIterator[None]:
        """See `Stage.running`."""
        telling = self._platform.telling
        telling.on_acknowledged = self._told.came
        telling.retry_seconds, telling.gives_up = _RETRIES_SECONDS, False
        telling.at_once = _REQUESTS_AT_ONCE
        async with self._platform:
            self._places = [self._open(talk) for talk in range(talks)]
            yield

    def _open(self, talk: int) -> _Place:
        if self.place(talk) is Kind.DIRECT:
            person = self._person(f"{talk}")
            return _Place([person], person.direct, is_thread=False)
        people = [self._person(f"{talk}-{n}") for n in range(_PEOPLE_IN_A_THREAD)]
        channel = self._platform.workspace.channel(f"rehearsal-{talk // _THREADS_IN_A_CHANNEL}")
        return _Place(people, channel, is_thread=True)

    def _person(self, name: str) -> Person:
        # A domain that nobody has: the desk must not take them for real people.
        email = f"person-{name}@rehearsal.invalid"
        return self._platform.person(f"Rehearsal {name}", email=email)

    def settings(self) -> Mapping[str, str]:
        """See `Stage.settings`."""
        platform = self._platform
        way = (
            {"app_token": platform.app_token}
            if self.inlet == "socket"
            else {"signing_secret": platform.signing_secret}
        )
        return {"bot_token": platform.bot_token, "api_url": platform.url, **way}

    def serve(self, address: str) -> None:
        """See `Stage.serve`."""
        if self.inlet == "events":
            self._platform.deliver_to(f"{address}/events")

    def place(self, talk: int) -> Kind:
        """See `Stage.place`."""
        return Kind.THREAD if talk % 2 else Kind.DIRECT

    def say(self, talk: int, text: str) -> tuple[object, Tell]:
        """See `Stage.say`."""
        return self._say(talk, text, [])

    def say_with_file(self, talk: int, text: str, file: File) -> tuple[object, Tell]:
        """See `SendsFiles.say_with_file`."""
        return self._say(talk, text, [(file.name, _MEDIA_TYPE, file.content)])

    def _say(
        self, talk: int, text: str, files: Sequence[tuple[str, str, bytes]]
    ) -> tuple[object, Tell]:
        place = self._places[talk]
        begins = place.is_thread and place.root is None
        message = self._platform.compose(
            place.next(),
            f"<@{BOT_USER}> {text}" if begins else text,
            channel=place.channel,
            thread=place.root,
            files=files,
        )
        tells = [self._telling(self._platform.posting(message))]
        if begins:
            place.root = message
            tells.append(self._telling(self._platform.posting(message, as_mention=True)))
        return message, in_order(tells)

    def edit(self, message: object, text: str) -> Tell:
        """See `Edits.edit`."""
        assert isinstance(message, Message)
        is_mention = message.text.startswith(f"<@{BOT_USER}>")
        words = f"<@{BOT_USER}> {text}" if is_mention else text
        return self._telling(self._platform.editing(message, words))

    def delete(self, message: object) -> Tell:
        """See `Deletes.delete`."""
        assert isinstance(message, Message)
        return self._telling(self._platform.deleting(message))

    def press(self, talk: int, chance: Random) -> tuple[UUID, Tell] | None:
        """See `Presses.press`."""
        self._look()
        place = self._places[talk]
        waiting = self._buttons[place.channel, place.root.ts if place.root else None]
        if not waiting:
            return None
        message = waiting.pop(chance.randrange(len(waiting)))
        self._pressed[talk].append(message)
        return self._press(place, message, chance)

    def press_again(self, talk: int, chance: Random) -> tuple[UUID, Tell] | None:
        """See `Presses.press_again`."""
        pressed = self._pressed[talk]
        return self._press(self._places[talk], pressed.pop(0), chance) if pressed else None

    def _press(self, place: _Place, message: Message, chance: Random) -> tuple[UUID, Tell]:
        button = chance.choice(list(_buttons_of(message)))
        news = self._platform.pressing(place.next(), message, button["text"]["text"])
        return UUID(button["value"]), self._telling(news)

    def say_aside(self, talk: int, text: str) -> Tell | None:
        """See `SpeaksAside.say_aside`: beside the thread, to nobody."""
        place = self._places[talk]
        if not place.is_thread:
            return None
        message = self._platform.compose(place.next(), text, channel=place.channel)
        return self._telling(self._platform.posting(message))

    def _telling(self, news: News) -> Tell:
        async def tell() -> None:
            acknowledged = self._told.expect(news.id)
            await self._platform.telling.tell(news)
            await acknowledged

        return tell

    def throttle(self, chance: Random) -> None:
        """See `Stage.throttle`."""
        method = _SEND if chance.random() < 0.5 else chance.choice(_ASKED)
        self._platform.faults.plan(Fault.THROTTLED, method=method)

    async def cut(self, chance: Random) -> None:
        """See `Stage.cut`."""
        fault = chance.choice((Fault.CUT_BEFORE, Fault.CUT_AFTER))
        way = chance.random()
        if way < 0.4:
            self._platform.faults.plan(fault, method=_SEND)
        elif way < 0.6:
            self._platform.faults.plan(fault, method=chance.choice((*_ASKED, _DOWNLOAD)))
        elif self.inlet == "events":
            self._platform.faults.plan(fault, method=REQUEST)
        else:
            await self._platform.telling.hang_up()

    def heard(self) -> Sequence[int]:
        """See `Stage.heard`."""
        counted = Counter((message.channel, message.thread_ts) for message in self._platform.sent())
        return [
            counted[place.channel, place.root.ts if place.root else None] for place in self._places
        ]

    def _look(self) -> None:
        """Put what the desk has sent meanwhile where its buttons are found."""
        messages = self._platform.workspace.messages
        for message in messages[self._read :]:
            if message.is_ours and any(_buttons_of(message)):
                # As it is shown now: once a button was pressed, the desk takes all of them away.
                self._buttons[message.channel, message.thread_ts].append(deepcopy(message))
        self._read = len(messages)


def _buttons_of(message: Message) -> Iterator[Mapping[str, Any]]:
    for block in message.blocks:
        for element in block.get("elements", ()):
            if str(element.get("action_id", "")).startswith(_BUTTON):
                yield element
