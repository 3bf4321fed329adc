"""A duty: offers that nobody took are questions that the assistant missed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from core.domain.learning import Upshot
from core.storage.engine import Sessions, storage_errors

_SETTLED = timedelta(minutes=10)  # after which the next message is no choice among what was offered
_LEFT_ALONE = timedelta(days=1)
_LOOKED_BACK = timedelta(days=3)  # long enough for a desk that was away meanwhile
_AT_ONCE = 200
_PAUSE = timedelta(seconds=20)

_PASS_OVER = text(
    """
    UPDATE turn_record SET upshot = :ignored, is_missed = true
    WHERE turn_id IN (
        SELECT offer.turn_id
        FROM turn_record AS offer JOIN conversation ON conversation.id = offer.conversation_id
        WHERE offer.deed = 'offered' AND offer.upshot IS NULL AND offer.is_in_words
          AND offer.question <> ''  -- or its words were taken back
          AND offer.at BETWEEN :since AND :settled
          AND NOT EXISTS (
              SELECT FROM turn_record AS taken
              WHERE taken.conversation_id = offer.conversation_id
                AND taken.episode = offer.episode AND taken.at > offer.at
                AND taken.deed = 'answered' AND offer.articles @> taken.articles)
          AND (offer.at < :left_alone OR conversation.responder = 'closed'
               OR conversation.episode > offer.episode
               OR EXISTS (
                  SELECT FROM turn_record AS later
                  WHERE later.conversation_id = offer.conversation_id
                    AND later.episode = offer.episode AND later.at > offer.at))
        ORDER BY offer.turn_id LIMIT :limit
        FOR UPDATE OF offer SKIP LOCKED)
    RETURNING turn_id
    """
)


class Offers:
    """Notes which offers were passed over: the conversation went on without them, or ended."""

    def __init__(
        self, sessions: Sessions, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._sessions = sessions
        self._now = now
        self._not_before: datetime | None = None

    async def pass_over_due(self) -> int:
        """Note what is due; return how many offers that was."""
        now = self._now()
        if self._not_before is not None and now < self._not_before:
            return 0
        async with storage_errors(), self._sessions.begin() as session:
            found = await session.execute(
                _PASS_OVER,
                {
                    "ignored": Upshot.IGNORED,
                    "since": now - _LOOKED_BACK,
                    "settled": now - _SETTLED,
                    "left_alone": now - _LEFT_ALONE,
                    "limit": _AT_ONCE,
                },
            )
            count = len(found.all())
        if count < _AT_ONCE:
            self._not_before = now + _PAUSE
        return count
