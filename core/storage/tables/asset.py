"""Things that people ask for help with: computers, telephones, licences."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from core.storage.tables.base import Base, CreatedAt, Key


class Asset(Base):
    """One thing, known by the tag that is stuck on it."""

    __tablename__ = "asset"
    __table_args__ = (
        Index("uq_asset_tag", text("lower(tag)"), unique=True),
        Index("ix_asset_serial", text("lower(serial)")),
    )

    id: Mapped[Key]
    tag: Mapped[str]
    kind: Mapped[str] = mapped_column(server_default="")  # "laptop", in the desk's own words
    model: Mapped[str] = mapped_column(server_default="")
    serial: Mapped[str] = mapped_column(server_default="")
    status: Mapped[str] = mapped_column(server_default="in_use")
    warranty_until: Mapped[date | None]
    contact_id: Mapped[UUID | None] = mapped_column(ForeignKey("contact.id"), index=True)
    organisation_id: Mapped[UUID | None] = mapped_column(ForeignKey("organisation.id"), index=True)
    notes: Mapped[str] = mapped_column(server_default="")
    revision: Mapped[int] = mapped_column(server_default=text("1"))
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
