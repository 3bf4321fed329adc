"""What tickets are about: a tree."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, text
from sqlalchemy.orm import Mapped, mapped_column

from core.storage.tables.base import Base, CreatedAt, Key


class Category(Base):
    """One subject that tickets are sorted under."""

    __tablename__ = "category"

    id: Mapped[Key]
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("category.id"), index=True)
    name: Mapped[str]  # in the desk's default language
    names: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))  # by language
    team_id: Mapped[UUID | None] = mapped_column(ForeignKey("team.id"))  # who usually has it
    revision: Mapped[int] = mapped_column(server_default=text("1"))
    created_at: Mapped[CreatedAt]
    archived_at: Mapped[datetime | None]
