"""What the desk could not do by the clock, and waits with."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from core.storage.tables.base import Base


class Setback(Base):
    """One thing that raised when it was done: set aside, so that the others are done."""

    __tablename__ = "setback"
    __table_args__ = (Index("ix_setback_failed_at", "failed_at"),)

    chore: Mapped[str] = mapped_column(primary_key=True)  # a `Chore`, or a whole duty by its name
    item: Mapped[UUID] = mapped_column(primary_key=True)  # mostly a ticket; zero: the whole duty
    error: Mapped[str]  # what was raised, in a line
    tries: Mapped[int]
    failed_at: Mapped[datetime]  # last
    next_at: Mapped[datetime]  # it is tried again then
