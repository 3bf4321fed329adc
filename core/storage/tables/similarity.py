"""What tickets are like each other by."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from core.storage.tables.base import Base
from core.storage.tables.knowledge import DIMENSIONS
from core.storage.tables.vector import HalfVector


class TicketVector(Base):
    """A ticket's words and its sentence vector, from its subject and summary."""

    __tablename__ = "ticket_vector"
    __table_args__ = (
        Index(
            "ix_ticket_vector_vector",
            "vector",
            postgresql_using="hnsw",
            postgresql_ops={"vector": "halfvec_cosine_ops"},
        ),
        Index("ix_ticket_vector_words", "words", postgresql_using="gin"),
        Index("ix_ticket_vector_model", "vector_model"),
    )

    ticket_id: Mapped[UUID] = mapped_column(
        ForeignKey("ticket.id", ondelete="CASCADE"), primary_key=True
    )
    text: Mapped[str]
    words: Mapped[Any] = mapped_column(TSVECTOR, nullable=False)  # of the ticket's language
    vector: Mapped[Any | None] = mapped_column(HalfVector(DIMENSIONS))
    vector_model: Mapped[str | None]
