"""What went wrong while the desk reacted to a change of a ticket."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from core.storage.tables.base import Base, CreatedAt


class ReactionFailure(Base):
    """A reactor that could not do its part; the others did theirs."""

    __tablename__ = "reaction_failure"

    event_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("ticket_event.id", ondelete="CASCADE"), primary_key=True
    )
    reactor: Mapped[str] = mapped_column(primary_key=True)
    error: Mapped[str]
    at: Mapped[CreatedAt]
