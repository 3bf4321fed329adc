"""Views of the queue that agents keep."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, text
from sqlalchemy.orm import Mapped, mapped_column

from core.storage.tables.base import Base, CreatedAt, Key


class SavedView(Base):
    """A view of one agent, or of those they share it with: a team, or everybody."""

    __tablename__ = "saved_view"

    id: Mapped[Key]
    name: Mapped[str]
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("agent.id", ondelete="CASCADE"), index=True)
    team_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("team.id", ondelete="SET NULL"), index=True
    )
    is_for_all: Mapped[bool] = mapped_column(server_default=text("false"))
    filter: Mapped[dict[str, Any]]  # as `core.domain.views` keeps it in JSON
    columns: Mapped[list[Any]]
    ordering: Mapped[str]
    revision: Mapped[int] = mapped_column(server_default=text("1"))
    created_at: Mapped[CreatedAt]
