"""What agents are told, and how they want to be told."""

from __future__ import annotations

from datetime import datetime
from datetime import time as clock
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, SmallInteger, Time, text
from sqlalchemy.orm import Mapped, mapped_column

from core.storage.tables.base import Base, CreatedAt, Key


class Notification(Base):
    """One thing one agent is told about one ticket."""

    __tablename__ = "notification"
    __table_args__ = (
        Index("ix_notification_agent", "agent_id", "id"),
        Index(
            "ix_notification_unread",
            "agent_id",
            "ticket_id",
            postgresql_where=text("read_at IS NULL"),
        ),
        Index("ix_notification_ticket", "ticket_id", postgresql_where=text("read_at IS NULL")),
        Index("ix_notification_mail", "mail_at", postgresql_where=text("mail_at IS NOT NULL")),
        Index("ix_notification_chat", "chat_at", postgresql_where=text("chat_at IS NOT NULL")),
    )

    id: Mapped[Key]
    agent_id: Mapped[UUID] = mapped_column(ForeignKey("agent.id", ondelete="CASCADE"))
    ticket_id: Mapped[UUID] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"))
    notice: Mapped[str]
    by: Mapped[str]  # the actor
    detail: Mapped[str]  # a score, the kind of promise, what became of it
    created_at: Mapped[CreatedAt]
    read_at: Mapped[datetime | None]
    mail_at: Mapped[datetime | None]  # when it is mailed, unless it was read; none: not at all
    mailed_at: Mapped[datetime | None]
    chat_at: Mapped[datetime | None]  # when it is written to them in chat, unless it was read
    chat_batch: Mapped[UUID | None]  # with which others it was tried: they may have arrived


class AccessNotice(Base):
    """One thing that lets somebody in under an agent's name, and is told to them."""

    __tablename__ = "access_notice"
    __table_args__ = (
        Index("ix_access_notice_agent", "agent_id", "id"),
        Index("ix_access_notice_mail", "mail_at", postgresql_where=text("mail_at IS NOT NULL")),
    )

    id: Mapped[Key]
    agent_id: Mapped[UUID] = mapped_column(ForeignKey("agent.id", ondelete="CASCADE"))
    change: Mapped[str]  # an `AccessChange`
    by: Mapped[str]  # the actor
    remote: Mapped[str | None]  # the address it was done from
    detail: Mapped[str]  # a token's name; a new e-mail address
    email: Mapped[str]  # where it is mailed to: theirs before the change
    created_at: Mapped[CreatedAt]
    read_at: Mapped[datetime | None]
    mail_at: Mapped[datetime | None]  # when it is mailed; none: it was


class ChatCode(Base):
    """A code that an agent was written in chat, to prove that it is them."""

    __tablename__ = "chat_code"
    __table_args__ = (
        Index("ix_chat_code_agent", "agent_id", "requested_at"),
        Index(
            "uq_chat_code_good", "agent_id", unique=True, postgresql_where=text("ended_at IS NULL")
        ),
    )

    id: Mapped[Key]
    agent_id: Mapped[UUID] = mapped_column(ForeignKey("agent.id", ondelete="CASCADE"))
    account_id: Mapped[str]  # with `address`: where it was written to
    address: Mapped[str]
    name: Mapped[str]  # of whoever it was written to
    salt: Mapped[bytes] = mapped_column(LargeBinary)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    requested_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    wrong: Mapped[int] = mapped_column(SmallInteger, server_default="0")  # attempts so far
    ended_at: Mapped[datetime | None]


class NotificationWish(Base):
    """How an agent wants to be told; those without a row get mail of what they did not see."""

    __tablename__ = "notification_wish"

    agent_id: Mapped[UUID] = mapped_column(
        ForeignKey("agent.id", ondelete="CASCADE"), primary_key=True
    )
    mail: Mapped[str] = mapped_column(server_default="unread")
    chat: Mapped[str] = mapped_column(server_default="never")
    kinds: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))  # how far each goes
    chat_account_id: Mapped[str | None]  # where they are written to: an account of the desk's
    chat_address: Mapped[str | None]  # and who they are there
    chat_name: Mapped[str | None]
    chat_problem: Mapped[str | None]  # why what was last due did not arrive
    quiet_from: Mapped[clock | None] = mapped_column(Time())
    quiet_until: Mapped[clock | None] = mapped_column(Time())
    time_zone: Mapped[str | None]
