"""The request catalogue: what can be asked for, who approves it, and what was asked for."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.storage.tables.base import Base, CreatedAt, Key


class CatalogueItem(Base):
    """Something that can be asked for; its form is in `form_field`."""

    __tablename__ = "catalogue_item"

    id: Mapped[Key]
    name: Mapped[str]  # in the desk's default language
    names: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))  # by language
    description: Mapped[str] = mapped_column(server_default="")
    descriptions: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    words: Mapped[dict[str, Any]] = mapped_column(  # by language: what people call it, too
        server_default=text("'{}'")
    )
    icon: Mapped[str] = mapped_column(server_default="")
    category_id: Mapped[UUID | None] = mapped_column(ForeignKey("category.id"))
    team_id: Mapped[UUID | None] = mapped_column(ForeignKey("team.id"))
    approval_role_id: Mapped[UUID | None] = mapped_column(ForeignKey("approval_role.id"))
    answers: Mapped[dict[str, Any]] = mapped_column(  # by occasion, then by language
        server_default=text("'{}'")
    )
    revision: Mapped[int] = mapped_column(server_default=text("1"))
    created_at: Mapped[CreatedAt]
    archived_at: Mapped[datetime | None]


class CatalogueTask(Base):
    """What is to be done for an item; a request gets a copy of its own."""

    __tablename__ = "catalogue_task"

    item_id: Mapped[UUID] = mapped_column(
        ForeignKey("catalogue_item.id", ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    title: Mapped[str]
    team_id: Mapped[UUID | None] = mapped_column(ForeignKey("team.id"))
    agent_id: Mapped[UUID | None] = mapped_column(ForeignKey("agent.id"))


class ApprovalRole(Base):
    """A named group of people of whom one approves or rejects requests."""

    __tablename__ = "approval_role"

    id: Mapped[Key]
    name: Mapped[str] = mapped_column(unique=True)
    revision: Mapped[int] = mapped_column(server_default=text("1"))
    created_at: Mapped[CreatedAt]


class Approver(Base):
    """Somebody of an approval role: an agent, or an e-mail address outside the desk."""

    __tablename__ = "approver"
    __table_args__ = (
        CheckConstraint("(agent_id IS NULL) <> (email IS NULL)", name="who"),
        UniqueConstraint("role_id", "agent_id"),
        UniqueConstraint("role_id", "email"),
    )

    id: Mapped[Key]
    role_id: Mapped[UUID] = mapped_column(ForeignKey("approval_role.id", ondelete="CASCADE"))
    agent_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("agent.id", ondelete="CASCADE"), index=True
    )
    email: Mapped[str | None]  # in lower case


class ItemRequest(Base):
    """What a ticket asks for of the catalogue; the form's values are in the ticket's `fields`."""

    __tablename__ = "item_request"
    __table_args__ = (
        Index("ix_item_request_approval", "role_id", postgresql_where=text("stage = 'approval'")),
    )

    id: Mapped[Key]
    ticket_id: Mapped[UUID] = mapped_column(
        ForeignKey("ticket.id", ondelete="CASCADE"), unique=True
    )
    item_id: Mapped[UUID] = mapped_column(ForeignKey("catalogue_item.id"), index=True)
    role_id: Mapped[UUID | None] = mapped_column(ForeignKey("approval_role.id"))  # who approves
    stage: Mapped[str]
    decided_by: Mapped[str | None]  # the actor
    decided_name: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(server_default="")  # what the decider said
    created_at: Mapped[CreatedAt]


class ApprovalAsk(Base):
    """Somebody who was asked to decide on a request, by console, mail or chat."""

    __tablename__ = "approval_ask"
    __table_args__ = (
        Index("ix_approval_ask_mail", "mail_at", postgresql_where=text("mail_at IS NOT NULL")),
        Index("ix_approval_ask_chat", "chat_at", postgresql_where=text("chat_at IS NOT NULL")),
    )

    id: Mapped[Key]  # what their link and buttons name
    request_id: Mapped[UUID] = mapped_column(
        ForeignKey("item_request.id", ondelete="CASCADE"), index=True
    )
    agent_id: Mapped[UUID | None] = mapped_column(ForeignKey("agent.id", ondelete="CASCADE"))
    email: Mapped[str]  # theirs, in lower case
    name: Mapped[str]
    language: Mapped[str]
    asked_at: Mapped[CreatedAt]
    expires_at: Mapped[datetime]
    mail_at: Mapped[datetime | None]  # when the letter is to be sent; none: not any more
    mailed_at: Mapped[datetime | None]
    mail_problem: Mapped[str | None]  # why their address takes no letter
    chat_at: Mapped[datetime | None]  # when their conversation with the desk is to be looked for
    conversation_id: Mapped[UUID | None] = mapped_column(ForeignKey("conversation.id"))
    address: Mapped[str | None]  # whose press of a button counts there


class RequestTask(Base):
    """Something that is to be done for one request."""

    __tablename__ = "request_task"
    __table_args__ = (
        UniqueConstraint("request_id", "position"),
        Index("ix_request_task_agent", "agent_id", postgresql_where=text("state = 'open'")),
    )

    id: Mapped[Key]
    request_id: Mapped[UUID] = mapped_column(ForeignKey("item_request.id", ondelete="CASCADE"))
    position: Mapped[int] = mapped_column(SmallInteger)
    title: Mapped[str]
    team_id: Mapped[UUID | None] = mapped_column(ForeignKey("team.id"))
    agent_id: Mapped[UUID | None] = mapped_column(ForeignKey("agent.id"))
    state: Mapped[str]
    opened_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    done_by: Mapped[str | None]  # the actor
