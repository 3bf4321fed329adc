"""Who changed what in the desk itself: settings, permissions, exports, deletions."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Computed, Index
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from core.storage.tables.base import Base, CreatedAt, Serial


class AuditEntry(Base):
    """One thing somebody did; the database refuses to change or delete it."""

    __tablename__ = "audit_entry"
    __table_args__ = (
        Index("ix_audit_entry_at", "at"),
        Index("ix_audit_entry_actor", "actor", "id"),
        Index("ix_audit_entry_action", "action", "id"),
        Index("ix_audit_entry_subject", "subject_kind", "subject_id"),
        Index("ix_audit_entry_document", "document", postgresql_using="gin"),
    )

    id: Mapped[Serial]
    at: Mapped[CreatedAt]
    actor: Mapped[str]  # as in `ticket_event`
    remote: Mapped[str | None]  # the network address it was done from
    action: Mapped[str]  # "team.changed", "agent.disabled", …
    subject_kind: Mapped[str]  # "team", "agent", …
    subject_id: Mapped[str]
    subject_name: Mapped[str]  # as it was called then
    old: Mapped[dict[str, Any] | None]
    new: Mapped[dict[str, Any] | None]
    document: Mapped[str | None] = mapped_column(  # what it is found by
        TSVECTOR,
        Computed(
            "search_entry(action, subject_name, subject_id, remote, old, new)", persisted=True
        ),
        deferred=True,
    )
