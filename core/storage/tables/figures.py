"""Figures about tickets: what each came to, and counts by day that reports add up."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Date, ForeignKey, Index, PrimaryKeyConstraint, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from core.storage.tables.base import Base, Serial


class TicketFigure(Base):
    """What a ticket came to so far; written anew after each of its changes."""

    __tablename__ = "ticket_figure"
    __table_args__ = (
        Index("ix_ticket_figure_opened_at", "opened_at"),
        Index("ix_ticket_figure_solved_at", "solved_at"),
        Index(
            "ix_ticket_figure_waiting",
            "ticket_id",
            postgresql_include=["channel"],
            postgresql_where=text("solved_at IS NULL"),
        ),
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
    assistant: Mapped[int | None]  # business time until the hand-off
    work: Mapped[int | None]  # business time in which people had to act, of a solved one
    kept: Mapped[int] = mapped_column(SmallInteger)  # promises, in time
    broken: Mapped[int] = mapped_column(SmallInteger)


class FigureSum(Base):
    """What was counted of tickets of one kind on a day or in a month.

    `counts` holds pairs of big-endian 32-bit integers: a measure with a bucket, and how many fell
    there (`core.storage.queries.figures.figures`). One row instead of one for each pair, because a
    report over a year would read millions. Months are sums of their days that have passed; one that
    is missing is made again.
    """

    __tablename__ = "figure_sum"
    __table_args__ = (
        PrimaryKeyConstraint(
            "dimension",
            "span",
            "first",
            "value",
            postgresql_include=["opened", "solved"],  # added up without reading `counts`
        ),
    )

    dimension: Mapped[str]
    span: Mapped[str]  # day or month
    first: Mapped[date] = mapped_column(Date)  # in the desk's time zone
    value: Mapped[str]  # empty: none
    opened: Mapped[int]
    solved: Mapped[int]
    counts: Mapped[bytes]


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
