"""What requesters are promised: calendars, policies, and how tickets stand by them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, Sequence, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from core.storage.tables.base import Base, CreatedAt, Key

sla_revision = Sequence("sla_revision", metadata=Base.metadata)
"""Numbers the changes of calendars, policies and the closing rule, over all of them."""


class CalendarRow(Base):
    """Business hours, as `core.domain.calendars` keeps them in JSON."""

    __tablename__ = "business_calendar"
    __table_args__ = (
        Index("uq_business_calendar_name", "name", unique=True),
        Index(
            "uq_business_calendar_default",
            "is_default",
            unique=True,
            postgresql_where=text("is_default"),
        ),
    )

    id: Mapped[Key]
    name: Mapped[str]
    zone: Mapped[str]
    week: Mapped[list[Any]]  # seven texts such as "09:00-13:00, 14:00-18:00", Monday first
    country: Mapped[str | None]
    region: Mapped[str | None]
    own_days: Mapped[list[Any]]
    is_default: Mapped[bool] = mapped_column(server_default=text("false"))
    revision: Mapped[int] = mapped_column(
        BigInteger, server_default=sla_revision.next_value(), onupdate=sla_revision.next_value()
    )
    created_at: Mapped[CreatedAt]


class SlaPolicy(Base):
    """A promise and the tickets it is for; the first in order that fits counts."""

    __tablename__ = "sla_policy"
    __table_args__ = (Index("ix_sla_policy_position", "position"),)

    id: Mapped[Key]
    name: Mapped[str]
    position: Mapped[int]
    conditions: Mapped[dict[str, Any]]  # lists by "organisations", "priorities", …
    targets: Mapped[dict[str, Any]]  # minutes by kind of clock
    start: Mapped[str]
    calendar_id: Mapped[UUID | None] = mapped_column(ForeignKey("business_calendar.id"), index=True)
    warn_percent: Mapped[int] = mapped_column(SmallInteger)
    raises_priority: Mapped[bool]
    tells_hours: Mapped[bool]
    revision: Mapped[int] = mapped_column(
        BigInteger, server_default=sla_revision.next_value(), onupdate=sla_revision.next_value()
    )
    created_at: Mapped[CreatedAt]
    archived_at: Mapped[datetime | None]


class ClosingRule(Base):
    """When tickets that wait for their requester, or are solved, come to their end; one row."""

    __tablename__ = "closing_rule"

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    remind_after_days: Mapped[int | None]  # business days of silence in a pending ticket
    solve_after_days: Mapped[int | None]
    close_after_days: Mapped[int | None]  # in a solved one; none: `solved_grace_hours`
    revision: Mapped[int] = mapped_column(
        BigInteger, server_default=sla_revision.next_value(), onupdate=sla_revision.next_value()
    )


class SlaClock(Base):
    """One promise of a ticket, as it was last worked out (`core.domain.sla.clocks`)."""

    __tablename__ = "sla_clock"
    __table_args__ = (
        Index(
            "ix_sla_clock_warn",
            "warn_at",
            postgresql_where=text("warn_at IS NOT NULL AND warned_at IS NULL"),
        ),
        Index(
            "ix_sla_clock_due",
            "due_at",
            postgresql_where=text("due_at IS NOT NULL AND breached_at IS NULL"),
        ),
    )

    ticket_id: Mapped[UUID] = mapped_column(
        ForeignKey("ticket.id", ondelete="CASCADE"), primary_key=True
    )
    kind: Mapped[str] = mapped_column(primary_key=True)
    round: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    target_seconds: Mapped[int]
    started_at: Mapped[datetime]
    spent_seconds: Mapped[int] = mapped_column(BigInteger)  # until `running_since`, or in all
    running_since: Mapped[datetime | None]  # none: it stands still
    warn_at: Mapped[datetime | None]  # of a running clock
    due_at: Mapped[datetime | None]  # of a running clock
    warned_at: Mapped[datetime | None]
    breached_at: Mapped[datetime | None]
    met_at: Mapped[datetime | None]


class SlaTicket(Base):
    """What the desk keeps of a ticket by the clock."""

    __tablename__ = "sla_ticket"
    __table_args__ = (
        Index("ix_sla_ticket_revision", "revision", postgresql_where=text("revision IS NOT NULL")),
        Index("ix_sla_ticket_remind", "remind_at", postgresql_where=text("remind_at IS NOT NULL")),
        Index("ix_sla_ticket_end", "end_at", postgresql_where=text("end_at IS NOT NULL")),
    )

    ticket_id: Mapped[UUID] = mapped_column(
        ForeignKey("ticket.id", ondelete="CASCADE"), primary_key=True
    )
    policy_id: Mapped[UUID | None] = mapped_column(ForeignKey("sla_policy.id"), index=True)
    asked_at: Mapped[datetime]  # the requester's first message of this matter
    assistant_seconds: Mapped[int] = mapped_column(BigInteger, server_default="0")  # business time
    work_seconds: Mapped[int] = mapped_column(BigInteger, server_default="0")  # while open
    told_hours_at: Mapped[datetime | None]  # the requester, that nobody is there
    remind_at: Mapped[datetime | None]
    reminded_at: Mapped[datetime | None]
    end_at: Mapped[datetime | None]  # solved if it is pending then, closed if it is solved
    revision: Mapped[int | None] = mapped_column(BigInteger)  # worked out with; none: closed
