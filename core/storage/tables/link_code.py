"""Codes by mail that prove in a chat that somebody has an e-mail address."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from core.storage.tables.base import Base, CreatedAt, Key


class LinkCode(Base):
    """One code: asked for, mailed, entered, and what came of it. `due_at` says what is to do."""

    __tablename__ = "link_code"
    __table_args__ = (
        Index("ix_link_code_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
        Index("ix_link_code_person", "account_id", "address", "requested_at"),
        Index("ix_link_code_email", "email", "requested_at"),
    )

    id: Mapped[Key]
    account_id: Mapped[str]  # with `address`: who is to enter it
    address: Mapped[str]
    conversation_id: Mapped[UUID] = mapped_column(ForeignKey("conversation.id"))
    email: Mapped[str]  # in lower case
    by: Mapped[str]  # who asked for it, as in `ticket_event`
    salt: Mapped[bytes] = mapped_column(LargeBinary)
    digest: Mapped[bytes | None] = mapped_column(LargeBinary)  # none before it is mailed
    mailed_from: Mapped[str | None]  # the account
    requested_at: Mapped[CreatedAt]
    expires_at: Mapped[datetime]
    due_at: Mapped[datetime | None]  # when it is to be mailed, or the contacts joined
    wrong: Mapped[int] = mapped_column(SmallInteger, server_default="0")  # attempts so far
    proven_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    outcome: Mapped[str | None]  # "linked", "wrong", "expired", "replaced", "not mailed", …
