"""Files that agents have handed in and not sent yet."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from core.storage.tables.base import Base, CreatedAt, Key


class Upload(Base):
    """A file that an agent may put into a message; forgotten after a day."""

    __tablename__ = "upload"

    id: Mapped[Key]
    agent_id: Mapped[UUID] = mapped_column(ForeignKey("agent.id"))
    name: Mapped[str]
    media_type: Mapped[str]
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    blob_key: Mapped[str]
    created_at: Mapped[CreatedAt] = mapped_column(index=True)
