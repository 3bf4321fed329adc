"""Where a message that comes late stands among those that came before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.conversation import Speaker
from core.domain.events import ChoicePressed, MessagePosted
from core.domain.ids import AccountId, MessageId
from core.storage.tables import Conversation, Message

Place = tuple[AccountId, str]
"""An account and one of its threads."""


@dataclass(slots=True)
class Placed:
    """A message and where it stands: by `position`, then by `seq`."""

    message: MessageId
    position: float
    seq: int
    order: str | None  # of a requester's message, where the platform tells


@dataclass(slots=True)
class Tail:
    """The end of a thread, from the message before which the first late one goes.

    A late message goes just before the earliest requester's message with a greater order: what
    the desk said meanwhile keeps its place.
    """

    placed: list[Placed]
    moved: dict[MessageId, float] = field(default_factory=dict)  # to be written

    def add(self, message: MessageId, seq: int, order: str) -> float:
        """Take a requester's message in; return its position."""
        following = len(self.placed)
        if order:
            following = next(
                (
                    number
                    for number, other in enumerate(self.placed)
                    if other.order is not None and other.order > order
                ),
                following,
            )
        is_last = following == len(self.placed)
        position = float(seq) if is_last else self._before(following)
        self.placed.insert(
            following, Placed(message=message, position=position, seq=seq, order=order or None)
        )
        return position

    def take_moved(self) -> dict[MessageId, float]:
        """Return the messages that had to make room, with their new positions, once."""
        moved, self.moved = self.moved, {}
        return moved

    def _before(self, following: int) -> float:
        if following == 0:
            return self.placed[0].position - 1.0
        low, high = self.placed[following - 1].position, self.placed[following].position
        between = (low + high) / 2
        if low < between < high:
            return between
        self._spread()
        return (self.placed[following - 1].position + self.placed[following].position) / 2

    def _spread(self) -> None:
        """Make room: after some fifty late messages in one gap there is no number between two."""
        first, last = self.placed[0].position, self.placed[-1].position
        step = (last - first) / (len(self.placed) - 1)
        for number, other in enumerate(self.placed):
            other.position = first + step * number
            self.moved[other.message] = other.position


def late_places(
    events: Sequence[MessagePosted | ChoicePressed], greatest: Mapping[Place, str | None]
) -> dict[Place, str]:
    """Return the places in which some of `events` come late, with the least such order.

    `greatest` is the greatest order known in each place.
    """
    seen = {place: order or "" for place, order in greatest.items()}
    late: dict[Place, str] = {}
    for event in events:
        if not event.order:
            continue
        place = (event.account, str(event.thread))
        if event.order < seen.get(place, ""):
            late[place] = min(event.order, late.get(place, event.order))
        else:
            seen[place] = event.order
    return late


async def tails(session: AsyncSession, late: Mapping[Place, str]) -> dict[Place, Tail]:
    """Return the end of each thread in `late`; the caller holds their conversations' locks."""
    return {place: Tail(await _end_of(session, place, order)) for place, order in late.items()}


async def _end_of(session: AsyncSession, place: Place, order: str) -> list[Placed]:
    said = (
        select(Message.id, Message.position, Message.seq, Message.order)
        .join(Conversation, Conversation.id == Message.conversation_id)
        .where(Conversation.account_id == place[0], Conversation.thread == place[1])
    )
    first = await session.scalar(
        select(func.min(Message.position))
        .join(Conversation, Conversation.id == Message.conversation_id)
        .where(
            Conversation.account_id == place[0],
            Conversation.thread == place[1],
            Message.speaker == Speaker.CUSTOMER,
            # As Python compares strings, whatever the language of the database.
            Message.order.collate("C") > order,
        )
    )
    before = said.order_by(Message.position.desc(), Message.seq.desc()).limit(1)
    rows = list(
        await session.execute(before if first is None else before.where(Message.position < first))
    )
    if first is not None:
        rows += await session.execute(
            said.where(Message.position >= first).order_by(Message.position, Message.seq)
        )
    return [
        Placed(message=MessageId(row.id), position=row.position, seq=row.seq, order=row.order)
        for row in rows
    ]
