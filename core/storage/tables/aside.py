"""What may turn out to be meant for the desk, for some minutes."""

from __future__ import annotations

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from core.storage.tables.base import Base, CreatedAt


class PayloadAside(Base):
    """A payload that nobody has addressed to the desk yet."""

    __tablename__ = "payload_aside"
    __table_args__ = (
        Index("ix_payload_aside_subject", "account_id", "subject"),
        Index("ix_payload_aside_received_at", "received_at"),
    )

    account_id: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str]  # what it is a part of
    raw: Mapped[bytes]
    received_at: Mapped[CreatedAt]
