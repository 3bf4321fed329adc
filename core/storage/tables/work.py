"""Items of work in lanes, and signs of life of those who do it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from core.storage.tables.base import Base, CreatedAt, Key


class Turn(Base):
    """An item of a conversation's `turns` lane: the assistant is to answer.

    `status`: waiting → running → done | dropped | failed. Which messages it answers is fixed when
    it first runs, so that a retry is the same turn.
    """

    __tablename__ = "turn"
    __table_args__ = (
        Index(
            "ix_turn_due",
            "conversation_id",
            "id",
            postgresql_where=text("status IN ('waiting', 'running')"),
        ),
        Index(
            "uq_turn_waiting",
            "conversation_id",
            unique=True,
            postgresql_where=text("status = 'waiting' AND first_seq IS NULL"),
        ),
    )

    id: Mapped[Key]
    conversation_id: Mapped[UUID] = mapped_column(ForeignKey("conversation.id"), index=True)
    episode: Mapped[int]
    status: Mapped[str] = mapped_column(server_default="waiting")
    attempts: Mapped[int] = mapped_column(server_default="0")
    available_at: Mapped[CreatedAt]
    first_seq: Mapped[int | None]
    last_seq: Mapped[int | None]
    first_tried_at: Mapped[datetime | None]
    created_at: Mapped[CreatedAt]
    finished_at: Mapped[datetime | None]
    intent: Mapped[str | None]
    confidence: Mapped[float | None]
    model: Mapped[str | None]
    error: Mapped[str | None]
    ignored: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))


class Delivery(Base):
    """An item of a conversation's `deliveries` lane: a message is to be sent.

    `status`: waiting → sending → sent | failed | parked | dropped. What is sent to the rest of
    its recipients (`rest`) holds up nothing that comes after it. One that waits or is being sent
    and has a `finished_at` was parked, and an agent had it sent again then.
    """

    __tablename__ = "delivery"
    __table_args__ = (
        Index(
            "ix_delivery_due",
            "conversation_id",
            "id",
            postgresql_where=text("status IN ('waiting', 'sending')"),
        ),
    )

    id: Mapped[Key]
    conversation_id: Mapped[UUID] = mapped_column(ForeignKey("conversation.id"))
    account_id: Mapped[str]
    message_id: Mapped[UUID] = mapped_column(ForeignKey("message.id"), index=True)
    action: Mapped[str] = mapped_column(server_default="send")  # or rest, edit, remove
    only_to: Mapped[list[Any] | None]  # the rest: addresses
    status: Mapped[str] = mapped_column(server_default="waiting")
    attempts: Mapped[int] = mapped_column(server_default="0")
    available_at: Mapped[CreatedAt]
    created_at: Mapped[CreatedAt]
    finished_at: Mapped[datetime | None]
    error: Mapped[str | None]


class ProcessBeat(Base):
    """When a process was last heard of."""

    __tablename__ = "process_beat"

    kind: Mapped[str] = mapped_column(primary_key=True)  # "worker"
    instance: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]


class FeedEntry(Base):
    """Something changed that a live page may show.

    `xid` says in which transaction: readers remember which of them they have seen the end of. Ids
    are taken before the commit, so one that only remembers the highest would miss late entries.
    """

    __tablename__ = "feed"
    __table_args__ = (Index("ix_feed_position", "xid", "id"),)

    id: Mapped[Key]
    xid: Mapped[int] = mapped_column(
        BigInteger, server_default=text("pg_current_xact_id()::text::bigint")
    )
    kind: Mapped[str]
    conversation_id: Mapped[UUID | None]
    ticket_id: Mapped[UUID | None]
    at: Mapped[CreatedAt]


class Milestone(Base):
    """Something that happens once in a desk's life, and has."""

    __tablename__ = "milestone"

    name: Mapped[str] = mapped_column(primary_key=True)
    reached_at: Mapped[CreatedAt]
