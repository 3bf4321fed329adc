"""How tickets hang together, and what is told to all requesters of a problem."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.storage.tables.base import Base, CreatedAt, Key


class TicketLink(Base):
    """One ticket's place towards another: `ticket` is a child of `other`, a duplicate of it, …"""

    __tablename__ = "ticket_link"
    __table_args__ = (UniqueConstraint("ticket_id", "other_id"),)

    id: Mapped[Key]
    ticket_id: Mapped[UUID] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"))
    other_id: Mapped[UUID] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str]
    at: Mapped[CreatedAt]


class ProblemUpdate(Base):
    """What is to be told to the requester of one incident of a problem; done once."""

    __tablename__ = "problem_update"
    __table_args__ = (
        Index("ix_problem_update_due", "id", postgresql_where=text("done_at IS NULL")),
    )

    id: Mapped[Key]
    problem_id: Mapped[UUID] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"))
    ticket_id: Mapped[UUID] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"))
    agent_id: Mapped[UUID] = mapped_column(ForeignKey("agent.id"))
    words: Mapped[str]
    solves: Mapped[bool]
    created_at: Mapped[CreatedAt]
    done_at: Mapped[datetime | None]
    outcome: Mapped[str | None]  # "told", or why not
