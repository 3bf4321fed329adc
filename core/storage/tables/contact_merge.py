"""Contacts that an agent made one, with what it takes to part them again."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped

from core.storage.tables.base import Base, CreatedAt, Key


class ContactMerge(Base):
    """One merge. The contacts are named without references: either may be gone by now."""

    __tablename__ = "contact_merge"
    __table_args__ = (
        Index(
            "uq_contact_merge_open",
            "merged_id",
            unique=True,
            postgresql_where=text("undone_at IS NULL"),
        ),
        Index("ix_contact_merge_kept", "kept_id"),
    )

    id: Mapped[Key]
    kept_id: Mapped[UUID]
    merged_id: Mapped[UUID]
    merged_name: Mapped[str]
    moved: Mapped[dict[str, Any]]  # what belonged to the merged one: ids by table
    by: Mapped[str]  # as in `ticket_event`
    at: Mapped[CreatedAt]
    undone_at: Mapped[datetime | None]
