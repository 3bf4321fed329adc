"""Keeps what tickets are compared by: their words at once, their sentence vectors soon after."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy import text as sql
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.errors import EmbedderUnavailable
from core.domain.ids import TicketId
from core.ports import Embedder
from core.services.case import Case
from core.services.knowledge.plaintext import folded
from core.services.reactions.reactor import TicketChange
from core.storage.beforehand import Beforehand
from core.storage.engine import Sessions, storage_errors
from core.storage.tables import TicketVector
from core.storage.text_search import configuration_of

_LOGGER = logging.getLogger(__name__)
_MAX_CHARS = 600
_AT_ONCE = 4  # one sweep a second waits for them
_PAUSE = timedelta(seconds=30)

_KEEP = sql(
    "INSERT INTO ticket_vector AS kept (ticket_id, text, words)"
    " SELECT ticket, text, to_tsvector(CAST(language AS regconfig), folded)"
    " FROM unnest(CAST(:tickets AS uuid[]), CAST(:languages AS text[]), CAST(:texts AS text[]),"
    " CAST(:folded AS text[])) AS said (ticket, language, text, folded) ORDER BY ticket"
    " ON CONFLICT (ticket_id) DO UPDATE"
    " SET text = excluded.text, words = excluded.words, vector = NULL, vector_model = NULL"
    " WHERE kept.text <> excluded.text"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Words:
    """What a ticket says."""

    ticket: TicketId
    language: str  # in PostgreSQL's word
    text: str


class WordsOfTickets:
    """Keeps a ticket's words when it is opened, and anew when it is solved."""

    name = "similarity"

    def __init__(self) -> None:
        self._kept = Beforehand(_keep)

    async def prepare(
        self, session: AsyncSession, changes: Sequence[tuple[Case, TicketChange]]
    ) -> None:
        """Keep the words of all these tickets at once."""
        await self._kept.read(
            session, [_words(case) for case, change in changes if _is_looked_at(change)]
        )

    async def react(self, case: Case, change: TicketChange) -> None:
        """Look at openings and solutions: the summary may have grown meanwhile."""
        if _is_looked_at(change):
            await self._kept.take(case.session, _words(case))


def _is_looked_at(change: TicketChange) -> bool:
    return change.is_opening or (change.field, change.new) == ("status", "solved")


def _words(case: Case) -> _Words:
    ticket = case.ticket
    return _Words(
        ticket=TicketId(ticket.id),
        language=configuration_of(ticket.language, "english"),
        text=f"{ticket.subject}\n{ticket.summary}"[:_MAX_CHARS],
    )


async def _keep(session: AsyncSession, words: Collection[_Words]) -> Mapping[_Words, None]:
    await session.execute(
        _KEEP,
        {
            "tickets": [one.ticket for one in words],
            "languages": [one.language for one in words],
            "texts": [one.text for one in words],
            "folded": [folded(one.text) for one in words],
        },
    )
    return dict.fromkeys(words)


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
