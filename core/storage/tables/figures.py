"""Figures about tickets: what each came to, and counts by day that reports add up."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Date, ForeignKey, Index, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from core.storage.tables.base import Base, Serial


class TicketFigure(Base):
    """What a ticket came to so far; written anew after each of its changes."""

    __tablename__ = "ticket_figure"
    __table_args__ = (
        Index("ix_ticket_figure_opened_at", "opened_at"),
        Index("ix_ticket_figure_solved_at", "solved_at"),
    )

    ticket_id: Mapped[UUID] = mapped_column(
        ForeignKey("ticket.id", ondelete="CASCADE"), primary_key=True
    )
    opened_at: Mapped[datetime]
    solved_at: Mapped[datetime | None]  # where it is solved or closed now
    channel: Mapped[str | None]
    team_id: Mapped[UUID | None]
    agent_id: Mapped[UUID | None]
    category_id: Mapped[UUID | None]
    priority: Mapped[str]
    reason: Mapped[str]
    times_reopened: Mapped[int] = mapped_column(SmallInteger)
    # Lengths of time in seconds.
    first_response: Mapped[int | None]
    first_response_business: Mapped[int | None]
    next_response: Mapped[int | None]
    next_response_business: Mapped[int | None]
    resolution: Mapped[int | None]
    resolution_business: Mapped[int | None]
    kept: Mapped[int] = mapped_column(SmallInteger)  # promises, in time
    broken: Mapped[int] = mapped_column(SmallInteger)


class FigureCount(Base):
    """How many tickets of one kind fell in one bucket on one day (`core.domain.figures`)."""

    __tablename__ = "figure_count"
    __table_args__ = (Index("ix_figure_count_day", "day"),)

    # In this order, so that one measure of a dimension is read without the others.
    dimension: Mapped[str] = mapped_column(primary_key=True)
    measure: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)  # in the desk's time zone
    value: Mapped[str] = mapped_column(primary_key=True)  # empty: none
    bucket: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    count: Mapped[int]


class FigureChange(Base):
    """Says that something counted at `at` has changed, so that its day is counted anew."""

    __tablename__ = "figure_change"

    id: Mapped[Serial]
    at: Mapped[datetime]


class FigureZone(Base):
    """The time zone by which days are counted; one row."""

    __tablename__ = "figure_zone"

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    zone: Mapped[str]
