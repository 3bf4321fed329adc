"""What came in: events by their keys, pollers' cursors, and what could not be understood."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, LargeBinary, Sequence, text
from sqlalchemy.orm import Mapped, mapped_column

from core.storage.tables.base import Base, CreatedAt, Key

account_revision = Sequence("account_revision", metadata=Base.metadata)
"""Shared by all accounts, so that one that was removed and made again is seen to be another."""


class InboundEvent(Base):
    """An occurrence on a platform. The primary key is the dedupe."""

    __tablename__ = "inbound_event"
    __table_args__ = (Index("ix_inbound_event_message_id", "message_id"),)

    account_id: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    message_id: Mapped[UUID]  # of the message it makes, if it makes one
    refusal: Mapped[str | None]
    raw_blob: Mapped[str | None]  # "<blob key>#<line>"
    received_at: Mapped[CreatedAt]


class ChannelCursor(Base):
    """How far a poller has read."""

    __tablename__ = "channel_cursor"

    account_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]
    updated_at: Mapped[datetime]


class Quarantined(Base):
    """A payload that could not be understood; replayable."""

    __tablename__ = "quarantine"
    __table_args__ = (
        Index("ix_quarantine_open", "id", postgresql_where=text("settled_at IS NULL")),
        Index(
            "uq_quarantine_open",
            "account_id",
            "digest",
            unique=True,
            postgresql_where=text("settled_at IS NULL"),
        ),
    )

    id: Mapped[Key]
    account_id: Mapped[str]
    raw_blob: Mapped[str]
    digest: Mapped[bytes | None] = mapped_column(LargeBinary)  # SHA-256; none of older rows
    reason: Mapped[str]
    received_at: Mapped[CreatedAt]
    settled_at: Mapped[datetime | None]
    settled_as: Mapped[str | None]  # "replayed", "ignored" or "discarded"


class Account(Base):
    """The state of one connected account that all processes share."""

    __tablename__ = "account"

    id: Mapped[str] = mapped_column(primary_key=True)
    channel: Mapped[str]
    origin: Mapped[str] = mapped_column(server_default="settings")  # or console, rehearsal
    settings: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))  # no secrets
    secrets: Mapped[bytes | None]  # encrypted with a key derived from the desk's
    identity: Mapped[str | None]  # whom it speaks for on the platform, where the settings tell
    is_enabled: Mapped[bool] = mapped_column(server_default=text("true"))
    revision: Mapped[int] = mapped_column(  # another with every change of settings
        BigInteger, account_revision, server_default=account_revision.next_value()
    )
    health: Mapped[str] = mapped_column(server_default="connecting")
    health_reason: Mapped[str] = mapped_column(server_default="")
    health_remedy: Mapped[str] = mapped_column(server_default="")
    health_at: Mapped[CreatedAt]
    paused_until: Mapped[datetime | None]
    pause_reason: Mapped[str | None]


class EarlyEvent(Base):
    """An event about a message that has not arrived yet; applied when it does."""

    __tablename__ = "early_event"
    __table_args__ = (
        Index("ix_early_event_message", "account_id", "remote_id"),
        Index("ix_early_event_received_at", "received_at"),
    )

    account_id: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    remote_id: Mapped[str]
    event: Mapped[dict[str, Any]]
    received_at: Mapped[CreatedAt]
