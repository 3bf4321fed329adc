"""Organisations that requesters belong to, and the support plans that they have."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from core.storage.tables.base import Base, CreatedAt, Key


class SupportPlan(Base):
    """What organisations agree on: which channels they may use, and what policies look at."""

    __tablename__ = "support_plan"
    __table_args__ = (Index("uq_support_plan_name", text("lower(name)"), unique=True),)

    id: Mapped[Key]
    name: Mapped[str]
    channels: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))  # none: all of them
    notes: Mapped[str] = mapped_column(server_default="")
    revision: Mapped[int] = mapped_column(server_default=text("1"))
    created_at: Mapped[CreatedAt]
    archived_at: Mapped[datetime | None]


class Organisation(Base):
    """A customer, a department, a school: whoever requesters belong to."""

    __tablename__ = "organisation"

    id: Mapped[Key]
    name: Mapped[str] = mapped_column(unique=True)
    domains: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))  # of mail, lower case
    notes: Mapped[str] = mapped_column(server_default="")
    plan_id: Mapped[UUID | None] = mapped_column(ForeignKey("support_plan.id"), index=True)
    plan_from: Mapped[date | None]  # its first day, where it has one
    plan_until: Mapped[date | None]  # its last
    revision: Mapped[int] = mapped_column(server_default=text("1"))
    created_at: Mapped[CreatedAt]
    archived_at: Mapped[datetime | None]
