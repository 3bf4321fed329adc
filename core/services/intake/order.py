"""Where a message that comes late stands among those that came before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.conversation import Speaker
from core.domain.events import ChoicePressed, MessagePosted
from core.domain.ids import AccountId, MessageId

Place = tuple[AccountId, str]
"""An account and one of its threads."""

# Orders are compared as Python compares strings, whatever the language of the database.
_TAILS = text(
    """
    SELECT late.number, tail.id, tail.position, tail.seq, tail.order
    FROM unnest(CAST(:accounts AS text[]), CAST(:threads AS text[]), CAST(:orders AS text[]))
        WITH ORDINALITY AS late (account, thread, least, number)
    CROSS JOIN LATERAL (
        SELECT min(message.position) AS position
        FROM message JOIN conversation ON conversation.id = message.conversation_id
        WHERE conversation.account_id = late.account AND conversation.thread = late.thread
            AND message.speaker = :speaker AND message.order COLLATE "C" > late.least
    ) AS following
    CROSS JOIN LATERAL (
        (SELECT message.id, message.position, message.seq, message.order
         FROM message JOIN conversation ON conversation.id = message.conversation_id
         WHERE conversation.account_id = late.account AND conversation.thread = late.thread
            AND (following.position IS NULL OR message.position < following.position)
         ORDER BY message.position DESC, message.seq DESC LIMIT 1)
        UNION ALL
        (SELECT message.id, message.position, message.seq, message.order
         FROM message JOIN conversation ON conversation.id = message.conversation_id
         WHERE conversation.account_id = late.account AND conversation.thread = late.thread
            AND message.position >= following.position)
    ) AS tail
    ORDER BY late.number, tail.position, tail.seq
    """
)


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
    if not late:
        return {}
    places = list(late)
    rows = await session.execute(
        _TAILS,
        {
            "accounts": [account for account, _ in places],
            "threads": [thread for _, thread in places],
            "orders": list(late.values()),
            "speaker": Speaker.CUSTOMER,
        },
    )
    found = {place: Tail([]) for place in places}
    for row in rows:
        found[places[row.number - 1]].placed.append(
            Placed(message=MessageId(row.id), position=row.position, seq=row.seq, order=row.order)
        )
    return found
