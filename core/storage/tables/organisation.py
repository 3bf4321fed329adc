"""Organisations that requesters belong to."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Mapped, mapped_column

from core.storage.tables.base import Base, CreatedAt, Key


class Organisation(Base):
    """A customer, a department, a school: whoever requesters belong to."""

    __tablename__ = "organisation"

    id: Mapped[Key]
    name: Mapped[str] = mapped_column(unique=True)
    domains: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))  # of mail, lower case
    notes: Mapped[str] = mapped_column(server_default="")
    plan: Mapped[str] = mapped_column(server_default="")  # of support
    channels: Mapped[list[Any]] = mapped_column(  # that the plan covers; none: all of them
        server_default=text("'[]'")
    )
    revision: Mapped[int] = mapped_column(server_default=text("1"))
    created_at: Mapped[CreatedAt]
    archived_at: Mapped[datetime | None]
