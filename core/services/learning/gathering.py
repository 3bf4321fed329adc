"""A duty: gathers what the assistant missed, and tickets, and puts them in topics."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, literal, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.classification import Kind
from core.domain.errors import EmbedderUnavailable
from core.domain.topics import KEPT, TopicKind
from core.ports import Embedder
from core.services.learning.grouping import adopt, forget_empty, group
from core.storage.engine import Sessions, storage_errors
from core.storage.tables import Ticket, TicketVector, TopicItem, TurnRecord

_LOGGER = logging.getLogger(__name__)
_AT_ONCE = 50
_EMBEDDED_AT_ONCE = 8
_IDLE = timedelta(seconds=20)  # between looks where nothing was found
_AWAY = timedelta(seconds=30)


class TopicGathering:
    """Keeps topics up to date, a few items at a time; without an embedder there are none."""

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

    async def gather_due(self) -> int:
        """Gather, embed and group some items; return how many were grouped."""
        embedder = self._embedder
        if embedder is None or (self._not_before and self._now() < self._not_before):
            return 0
        async with storage_errors(), self._sessions.begin() as session:
            found = await self._gather(session, embedder.model)
        try:
            embedded = await self._embed(embedder)
        except EmbedderUnavailable as error:
            _LOGGER.info("topics wait for their vectors: %s", error)
            self._not_before = self._now() + _AWAY
            return 0
        grouped = 0
        async with storage_errors(), self._sessions.begin() as session:
            for kind in TopicKind:
                await adopt(session, kind, embedder.model)
                grouped += await group(session, kind, embedder.model, _AT_ONCE)
        if not (found or embedded or grouped):
            self._not_before = self._now() + _IDLE
        return grouped

    async def forget_old(self) -> None:
        """Delete items that are too old to count, and topics without items."""
        async with storage_errors(), self._sessions.begin() as session:
            await session.execute(delete(TopicItem).where(TopicItem.at < self._now() - KEPT))
            await forget_empty(session)

    async def _gather(self, session: AsyncSession, model: str) -> int:
        """Take in missed questions, and tickets that have their vector."""
        since = self._now() - KEPT
        is_known = select(TopicItem.id).where(TopicItem.id == TurnRecord.turn_id).exists()
        missed = await session.execute(
            select(
                TurnRecord.turn_id,
                literal(TopicKind.QUESTION.value),
                TurnRecord.conversation_id,
                TurnRecord.question,
                TurnRecord.language,
                TurnRecord.at,
            )
            .where(TurnRecord.is_missed, TurnRecord.at >= since, ~is_known)
            .order_by(TurnRecord.at)
            .limit(_AT_ONCE)
        )
        rows = [dict(zip(_COLUMNS, row, strict=True)) for row in missed]
        if rows:
            await session.execute(upsert(TopicItem).on_conflict_do_nothing(), rows)
        is_known = select(TopicItem.id).where(TopicItem.id == Ticket.id).exists()
        tickets = (
            select(
                Ticket.id,
                literal(TopicKind.TICKET.value).label("kind"),
                Ticket.conversation_id,
                Ticket.subject,
                Ticket.language,
                Ticket.created_at,
                TicketVector.vector,
                TicketVector.vector_model,
            )
            .join(TicketVector, TicketVector.ticket_id == Ticket.id)
            .where(
                Ticket.created_at >= since,
                Ticket.kind != Kind.PROBLEM,  # it says what its incidents say
                TicketVector.vector_model == model,
                ~is_known,
            )
            .order_by(Ticket.created_at)
            .limit(_AT_ONCE)
        )
        renewed = await session.scalars(_RENEWED, {"model": model, "limit": _AT_ONCE})
        # Two workers may find the same ones: the second adds nothing.
        added = await session.scalars(
            upsert(TopicItem)
            .from_select([*_COLUMNS, "vector", "vector_model"], tickets)
            .on_conflict_do_nothing()
            .returning(TopicItem.id)
        )
        return len(rows) + len(renewed.all()) + len(added.all())

    async def _embed(self, embedder: Embedder) -> int:
        """Give some questions the vectors they lack; tickets have theirs already."""
        async with storage_errors(), self._sessions() as session:
            rows = await session.execute(
                select(TopicItem.id, TopicItem.text)
                .where(
                    TopicItem.kind == TopicKind.QUESTION,
                    or_(
                        TopicItem.vector_model.is_(None),
                        TopicItem.vector_model < embedder.model,
                        TopicItem.vector_model > embedder.model,
                    ),
                )
                .order_by(TopicItem.at)
                .limit(_EMBEDDED_AT_ONCE)
            )
            batch = rows.all()
        vectors: list[Sequence[float]] = [await embedder.embed_query(text) for _, text in batch]
        if batch:
            async with storage_errors(), self._sessions.begin() as session:
                for (item, _), vector in sorted(zip(batch, vectors, strict=True)):
                    await session.execute(
                        update(TopicItem)
                        .where(TopicItem.id == item)
                        .values(vector=list(vector), vector_model=embedder.model)
                    )
        return len(batch)


_RENEWED = text(
    """
    UPDATE topic_item SET vector = fresh.vector, vector_model = fresh.vector_model
    FROM (SELECT ticket_vector.ticket_id, ticket_vector.vector, ticket_vector.vector_model
          FROM topic_item JOIN ticket_vector ON ticket_vector.ticket_id = topic_item.id
          WHERE topic_item.kind = 'ticket' AND topic_item.vector_model <> :model
            AND ticket_vector.vector_model = :model
          LIMIT :limit) AS fresh
    WHERE topic_item.id = fresh.ticket_id
    RETURNING topic_item.id
    """
)
"""Tickets get vectors of another model by a duty of their own; here they follow."""

_COLUMNS = ("id", "kind", "conversation_id", "text", "language", "at")
