"""Files that agents have handed in and not sent yet, and blobs that nothing may refer to."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from core.storage.tables.base import Base, CreatedAt, Key


class Upload(Base):
    """A file that an agent may put into a message; forgotten after a day, or with its draft."""

    __tablename__ = "upload"

    id: Mapped[Key]
    agent_id: Mapped[UUID] = mapped_column(ForeignKey("agent.id"))
    name: Mapped[str]
    media_type: Mapped[str]
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    blob_key: Mapped[str]
    created_at: Mapped[CreatedAt] = mapped_column(index=True)


class LooseBlob(Base):
    """A blob that was stored lately, whether or not something refers to it by now.

    See `core.services.files.loose`.
    """

    __tablename__ = "loose_blob"

    key: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[datetime] = mapped_column(index=True)  # held; or, if `is_going`, marked
    is_going: Mapped[bool]  # the store is asked to delete it
