"""What is asked in forms, what makes a ticket's priority, tags and watchers."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Computed, ForeignKey, Index, SmallInteger, Text, text
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from core.storage.tables.base import Base, CreatedAt, Key


class FormField(Base):
    """Something that is asked: of the tickets of a category, or with an item of the catalogue."""

    __tablename__ = "form_field"
    __table_args__ = (CheckConstraint("(category_id IS NULL) <> (item_id IS NULL)", name="owner"),)

    id: Mapped[Key]  # a ticket's `fields` have it as a key
    category_id: Mapped[UUID | None] = mapped_column(ForeignKey("category.id"), index=True)
    item_id: Mapped[UUID | None] = mapped_column(ForeignKey("catalogue_item.id"), index=True)
    label: Mapped[str]
    labels: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))  # by language
    kind: Mapped[str]
    choices: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))
    choice_labels: Mapped[dict[str, Any]] = mapped_column(  # by language, in the choices' order
        server_default=text("'{}'")
    )
    is_required: Mapped[bool] = mapped_column(server_default=text("false"))
    position: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    archived_at: Mapped[datetime | None]


class TicketField(Base):
    """What one field of a ticket holds: what tickets are found by.

    A trigger of `ticket.fields` keeps it, in the transaction that fills them in.
    """

    __tablename__ = "ticket_field"
    __table_args__ = (
        # A text may be longer than an index holds.
        Index("ix_ticket_field_words", "field_id", text("left(words, 100)"), "ticket_id"),
        Index(
            "ix_ticket_field_number",
            "field_id",
            "number",
            "ticket_id",
            postgresql_where=text("number IS NOT NULL"),
        ),
        Index(
            "ix_ticket_field_document",
            "document",
            postgresql_using="gin",
            postgresql_where=text("document IS NOT NULL"),
        ),
    )

    ticket_id: Mapped[UUID] = mapped_column(
        ForeignKey("ticket.id", ondelete="CASCADE"), primary_key=True
    )
    field_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]  # the field's
    # As `search_folded` has them; "yes", "no"; the digits of a number.
    words: Mapped[str | None] = mapped_column(Text(collation="C"))
    number: Mapped[float | None]
    document: Mapped[str | None] = mapped_column(  # what the search finds it by
        TSVECTOR,
        Computed(
            "CASE WHEN kind IN ('text', 'number') THEN search_filled(words, number) END",
            persisted=True,
        ),
        deferred=True,
    )


class PriorityRule(Base):
    """The priority of one impact and urgency, where admins have set it."""

    __tablename__ = "priority_rule"

    impact: Mapped[str] = mapped_column(primary_key=True)
    urgency: Mapped[str] = mapped_column(primary_key=True)
    priority: Mapped[str]


class Tag(Base):
    """A word that tickets carry; kept so that it is found again without reading them all."""

    __tablename__ = "tag"
    __table_args__ = (Index("ix_tag_used", "used_at"),)

    name: Mapped[str] = mapped_column(primary_key=True)
    used_at: Mapped[datetime]


class TicketWatcher(Base):
    """An agent who wants to hear of a ticket."""

    __tablename__ = "ticket_watcher"

    ticket_id: Mapped[UUID] = mapped_column(
        ForeignKey("ticket.id", ondelete="CASCADE"), primary_key=True
    )
    agent_id: Mapped[UUID] = mapped_column(
        ForeignKey("agent.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    since: Mapped[CreatedAt]
