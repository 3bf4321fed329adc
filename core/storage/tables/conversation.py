"""Conversations and what is said in them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Computed, ForeignKey, Index, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.storage.tables.base import Base, CreatedAt, Key


class Conversation(Base):
    """One stream of messages with one requester in one remote place.

    A thread has one current conversation; earlier ones stay for history. Where two matters were
    parted, others go on beside it. Message numbers go on counting along the thread, so that a
    reader's position survives a new conversation.
    """

    __tablename__ = "conversation"
    __table_args__ = (
        Index(
            "uq_conversation_current_thread",
            "account_id",
            "thread",
            unique=True,
            postgresql_where=sql("is_current"),
        ),
        Index("ix_conversation_thread", "account_id", "thread"),
        Index("ix_conversation_contact", "contact_id", "last_message_at"),
        Index("ix_conversation_created_at", "created_at"),
        Index(
            "ix_conversation_answering",
            "responder",
            "id",
            postgresql_where=sql("responder <> 'closed'"),
        ),
        Index(
            "ix_conversation_held_by_assistant",
            "last_message_at",
            postgresql_where=sql("(is_current OR is_beside) AND responder = 'bot'"),
        ),
        Index(
            "ix_conversation_beside",
            "account_id",
            "thread",
            postgresql_where=sql("is_beside"),
        ),
        Index("ix_conversation_without_ticket", "id", postgresql_where=sql("NOT has_ticket")),
        Index("ix_conversation_spam", "last_message_at", "id", postgresql_where=sql("is_spam")),
        Index(
            "ix_conversation_counted_by",
            "counted_by",
            postgresql_where=sql("counted_by IS NOT NULL"),
        ),
        Index(
            "ix_conversation_merged_into",
            "merged_into",
            postgresql_where=sql("merged_into IS NOT NULL"),
        ),
    )

    id: Mapped[Key]
    account_id: Mapped[str]
    thread: Mapped[str]
    is_current: Mapped[bool] = mapped_column(server_default=sql("true"))
    is_beside: Mapped[bool] = mapped_column(  # goes on in the thread beside the current one
        server_default=sql("false")
    )
    counted_by: Mapped[UUID | None] = mapped_column(  # whose `last_seq` numbers its messages
        ForeignKey("conversation.id")
    )
    contact_id: Mapped[UUID] = mapped_column(ForeignKey("contact.id"))
    side_of: Mapped[UUID | None] = mapped_column(  # the conversation it is held beside
        ForeignKey("conversation.id"), index=True
    )
    merged_into: Mapped[UUID | None] = mapped_column(  # whose ticket its messages belong to
        ForeignKey("conversation.id")
    )
    has_ticket: Mapped[bool] = mapped_column(  # or ever had one
        server_default=sql("false")
    )
    is_spam: Mapped[bool] = mapped_column(server_default=sql("false"))
    address: Mapped[str | None]  # of the contact: the one this conversation began with
    responder: Mapped[str]
    episode: Mapped[int] = mapped_column(server_default="1")
    episode_first_seq: Mapped[int] = mapped_column(server_default="1")
    turned_seq: Mapped[int] = mapped_column(server_default="0")  # last message in any turn
    episode_summary: Mapped[str | None]  # what the assistant should know of earlier episodes
    language: Mapped[str | None]
    language_is_chosen: Mapped[bool] = mapped_column(server_default=sql("false"))
    subject: Mapped[str | None]
    last_seq: Mapped[int] = mapped_column(server_default="0")
    talked_seq: Mapped[int] = mapped_column(  # the last message of the requester or an agent
        server_default="0"
    )
    last_order: Mapped[str | None]  # the greatest `order` of the requester's messages
    unreachable_since: Mapped[datetime | None]  # the requester blocked the account
    reach_known_at: Mapped[datetime | None]  # when the latest thing happened that tells
    first_seq: Mapped[int] = mapped_column(server_default="1")
    created_at: Mapped[CreatedAt]
    last_message_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    # Locked with this one, always (`core.services.locks`): it is never fetched by itself.
    counter: Mapped[Conversation | None] = relationship(
        remote_side=lambda: Conversation.id, foreign_keys=[counted_by], lazy="raise_on_sql"
    )

    @property
    def greatest_seq(self) -> int:
        """The number of the thread's last message, as far as this conversation knows."""
        return (self.counter or self).last_seq

    def next_seq(self) -> int:
        """Count one more message; return its number."""
        number = self.greatest_seq + 1
        if self.counter is not None:
            self.counter.last_seq = number
        self.last_seq = number
        return number


class Participant(Base):
    """Somebody in a thread besides the contact that opened it."""

    __tablename__ = "participant"

    conversation_id: Mapped[UUID] = mapped_column(ForeignKey("conversation.id"), primary_key=True)
    address: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str | None]
    joined_at: Mapped[datetime]
    left_at: Mapped[datetime | None]


class Message(Base):
    """Something said, by anybody; internal notes too."""

    __tablename__ = "message"
    __table_args__ = (
        UniqueConstraint("conversation_id", "seq"),
        Index("ix_message_document", "document", postgresql_using="gin"),
        # Tells which pages hold the latest: of all rows with a word only those need be read.
        Index(
            "ix_message_age",
            "id",
            postgresql_using="brin",
            postgresql_with={"pages_per_range": "64", "autosummarize": "on"},
        ),
    )

    id: Mapped[Key]
    conversation_id: Mapped[UUID] = mapped_column(ForeignKey("conversation.id"))
    seq: Mapped[int]  # by arrival
    position: Mapped[float]  # by the platform's order: `seq`, or between two others if it came late
    order: Mapped[str | None]
    speaker: Mapped[str]
    agent_id: Mapped[UUID | None] = mapped_column(ForeignKey("agent.id"))
    author: Mapped[str | None]  # address of the requester or participant who said it
    is_internal: Mapped[bool] = mapped_column(server_default=sql("false"))
    text: Mapped[str]
    html: Mapped[str | None]
    quoted: Mapped[str | None]
    signature: Mapped[str | None]
    unsupported: Mapped[list[Any]] = mapped_column(server_default=sql("'[]'"))
    choices: Mapped[list[Any]] = mapped_column(server_default=sql("'[]'"))  # {id,label}
    pressed_choice: Mapped[UUID | None]  # a customer's message that is a pressed button
    intent: Mapped[dict[str, Any] | None]  # of the pressed button, or of a command
    reactions: Mapped[dict[str, Any]] = mapped_column(server_default=sql("'{}'"))
    turn_id: Mapped[UUID | None]
    language: Mapped[str | None]
    envelope: Mapped[dict[str, Any] | None]  # {to,cc,bcc,subject}
    forwarded_from: Mapped[dict[str, Any] | None]  # {address,name}
    caution: Mapped[str | None]
    is_automatic: Mapped[bool] = mapped_column(server_default=sql("false"))
    delivery: Mapped[str] = mapped_column(server_default="not_sent")
    delivery_detail: Mapped[str | None]
    # What became of it for single recipients: {address: {outcome, detail}}.
    reported: Mapped[dict[str, Any]] = mapped_column(server_default=sql("'{}'"))
    at: Mapped[datetime]  # by the platform's clock
    created_at: Mapped[CreatedAt]
    edited_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]
    document: Mapped[str | None] = mapped_column(  # what it is found by
        TSVECTOR, Computed("search_document(language, text)", persisted=True), deferred=True
    )


class MessageRevision(Base):
    """What a message said before an edit."""

    __tablename__ = "message_revision"

    id: Mapped[Key]
    message_id: Mapped[UUID] = mapped_column(ForeignKey("message.id"), index=True)
    text: Mapped[str]
    html: Mapped[str | None]
    replaced_at: Mapped[datetime]


class RemoteMessage(Base):
    """A platform's name for a message of ours."""

    __tablename__ = "remote_message"

    account_id: Mapped[str] = mapped_column(primary_key=True)
    remote_id: Mapped[str] = mapped_column(primary_key=True)
    message_id: Mapped[UUID] = mapped_column(ForeignKey("message.id"), index=True)
    part: Mapped[int] = mapped_column(server_default="0")  # of a message that was split


class Attachment(Base):
    """A file of a message; its bytes are in the blob store once fetched.

    `status`: waiting → fetched | refused | failed. A file that an agent sends is fetched at once.
    """

    __tablename__ = "attachment"
    __table_args__ = (
        Index("ix_attachment_due", "available_at", postgresql_where=sql("status = 'waiting'")),
    )

    id: Mapped[Key]
    message_id: Mapped[UUID] = mapped_column(ForeignKey("message.id"), index=True)
    position: Mapped[int]
    name: Mapped[str]
    media_type: Mapped[str]
    size_bytes: Mapped[int | None] = mapped_column(BigInteger)
    remote: Mapped[str]
    content_id: Mapped[str | None]
    is_inline: Mapped[bool] = mapped_column(server_default=sql("false"))
    status: Mapped[str] = mapped_column(server_default="waiting")
    detail: Mapped[str | None]  # why it was refused or failed
    removed_at: Mapped[datetime | None]  # when an edit took it out of its message
    attempts: Mapped[int] = mapped_column(server_default="0")
    available_at: Mapped[CreatedAt]
    blob_key: Mapped[str | None]


class ChoiceRow(Base):
    """A button under a message, found by what the platform sends back."""

    __tablename__ = "choice"

    id: Mapped[Key]
    message_id: Mapped[UUID] = mapped_column(ForeignKey("message.id"), index=True)
    conversation_id: Mapped[UUID] = mapped_column(ForeignKey("conversation.id"))
    label: Mapped[str]
    intent: Mapped[str]
    entities: Mapped[dict[str, Any]] = mapped_column(server_default=sql("'{}'"))
