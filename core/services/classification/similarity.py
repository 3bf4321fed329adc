"""Keeps what tickets are compared by: their words at once, their sentence vectors soon after."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from core.domain.errors import EmbedderUnavailable
from core.ports import Embedder
from core.services.case import Case
from core.services.knowledge.plaintext import folded
from core.services.reactions.reactor import TicketChange
from core.storage.engine import Sessions, storage_errors
from core.storage.queries.similar import configuration
from core.storage.tables import TicketVector

_LOGGER = logging.getLogger(__name__)
_MAX_CHARS = 600
_AT_ONCE = 4  # one sweep a second waits for them
_PAUSE = timedelta(seconds=30)


class WordsOfTickets:
    """Keeps a ticket's words when it is opened, and anew when it is solved."""

    name = "similarity"

    async def react(self, case: Case, change: TicketChange) -> None:
        """Look at openings and solutions: the summary may have grown meanwhile."""
        if not change.is_opening and (change.field, change.new) != ("status", "solved"):
            return
        ticket = case.ticket
        text = f"{ticket.subject}\n{ticket.summary}"[:_MAX_CHARS]
        words = func.to_tsvector(configuration(ticket.language), folded(text))
        kept = upsert(TicketVector).values(ticket_id=ticket.id, text=text, words=words)
        await case.session.execute(
            kept.on_conflict_do_update(
                index_elements=[TicketVector.ticket_id],
                set_={"text": text, "words": words, "vector": None, "vector_model": None},
                where=TicketVector.text != text,
            )
        )


class VectorsOfTickets:
    """A duty: gives tickets the vectors that they lack, a few at a time."""

    def __init__(
        self,
        sessions: Sessions,
        embedder: Embedder | None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._sessions = sessions
        self._embedder = embedder
        self._now = now
        self._not_before: datetime | None = None

    async def embed_due(self) -> int:
        """Embed some tickets; return how many. Without an embedder, or while it is away, none."""
        if self._embedder is None:
            return 0
        if self._not_before is not None and self._now() < self._not_before:
            return 0
        model = self._embedder.model
        async with storage_errors(), self._sessions() as session:
            rows = await session.execute(
                select(TicketVector.ticket_id, TicketVector.text)
                .where(
                    # As ranges, which the index answers; "is not" it does not.
                    or_(
                        TicketVector.vector_model.is_(None),
                        TicketVector.vector_model < model,
                        TicketVector.vector_model > model,
                    )
                )
                .limit(_AT_ONCE)
            )
            batch = rows.all()
        if not batch:
            return 0
        try:
            vectors = await self._embedder.embed_passages([text for _, text in batch])
        except EmbedderUnavailable as error:
            _LOGGER.info("tickets wait for their vectors: %s", error)
            self._not_before = self._now() + _PAUSE
            return 0
        async with storage_errors(), self._sessions.begin() as session:
            for (ticket, text), vector in sorted(zip(batch, vectors, strict=True)):
                await session.execute(
                    update(TicketVector)
                    .where(TicketVector.ticket_id == ticket, TicketVector.text == text)
                    .values(vector=list(vector), vector_model=model)
                )
        return len(batch)
