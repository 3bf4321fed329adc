"""What the assistant understood and did, kept for people who teach it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, Sequence, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from core.storage.tables.base import Base, CreatedAt, Key
from core.storage.tables.knowledge import DIMENSIONS
from core.storage.tables.vector import HalfVector


class TurnRecord(Base):
    """What became of one turn; made when it is settled, `upshot` known later or never."""

    __tablename__ = "turn_record"
    __table_args__ = (
        Index("ix_turn_record_at", "at"),
        Index("ix_turn_record_episode", "conversation_id", "episode"),
        Index("ix_turn_record_missed", "at", postgresql_where=sql("is_missed")),
    )

    turn_id: Mapped[UUID] = mapped_column(
        ForeignKey("turn.id", ondelete="CASCADE"), primary_key=True
    )
    conversation_id: Mapped[UUID] = mapped_column(ForeignKey("conversation.id", ondelete="CASCADE"))
    episode: Mapped[int]
    at: Mapped[CreatedAt]
    language: Mapped[str]
    text: Mapped[str]  # as the assistant read it
    question: Mapped[str]  # the same, as it stands alone
    is_in_words: Mapped[bool]  # else a button was pressed
    intent: Mapped[str | None]
    confidence: Mapped[float | None]
    model: Mapped[str | None]
    guesses: Mapped[list[Any]] = mapped_column(server_default=sql("'[]'"))  # {intent,confidence}
    mentions: Mapped[list[Any]] = mapped_column(server_default=sql("'[]'"))  # {kind,value}
    # {question,outcome,hits: [{article,title,score}]}
    look_ups: Mapped[list[Any]] = mapped_column(server_default=sql("'[]'"))
    deed: Mapped[str]
    reason: Mapped[str | None]  # of a hand-off, or why it failed
    articles: Mapped[list[Any]] = mapped_column(server_default=sql("'[]'"))  # ids shown or offered
    upshot: Mapped[str | None]
    is_missed: Mapped[bool] = mapped_column(server_default=sql("false"))  # see core.domain.learning


class Topic(Base):
    """What several questions, or several tickets, are about.

    `vector` is the mean of its items' unit vectors: its product with another one's is the average
    similarity between the items of both.
    """

    __tablename__ = "topic"
    __table_args__ = (Index("ix_topic_kind", "kind", "vector_model"),)

    id: Mapped[Key]
    kind: Mapped[str]
    language: Mapped[str]  # of the most typical item
    title: Mapped[str]  # the most typical item
    words: Mapped[list[Any]]  # that tell it from the others
    vector: Mapped[Any] = mapped_column(HalfVector(DIMENSIONS), nullable=False)
    vector_model: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="open")
    # What it led to: an article written or extended, a problem, an example.
    article_id: Mapped[str | None]
    problem_id: Mapped[UUID | None] = mapped_column(ForeignKey("ticket.id", ondelete="SET NULL"))
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("agent.id"))
    decided_at: Mapped[datetime | None]
    created_at: Mapped[CreatedAt]


class TopicItem(Base):
    """A question that was missed, or a ticket: one of those that topics are made of."""

    __tablename__ = "topic_item"
    __table_args__ = (
        Index("ix_topic_item_topic", "topic_id", "at"),
        Index("ix_topic_item_at", "kind", "at"),
        Index("ix_topic_item_vector_model", "vector_model"),
        Index("ix_topic_item_loose", "kind", "at", postgresql_where=sql("topic_id IS NULL")),
    )

    id: Mapped[Key]  # the turn's or the ticket's
    kind: Mapped[str]
    conversation_id: Mapped[UUID] = mapped_column(
        ForeignKey("conversation.id", ondelete="CASCADE"), index=True
    )
    text: Mapped[str]
    language: Mapped[str]
    at: Mapped[datetime]
    vector: Mapped[Any | None] = mapped_column(HalfVector(DIMENSIONS))
    vector_model: Mapped[str | None]
    topic_id: Mapped[UUID | None] = mapped_column(ForeignKey("topic.id", ondelete="SET NULL"))


class TrainingExample(Base):
    """A message and what it means, added by people; the assistant learns those approved.

    `state`: pending → approved | rejected, and back.
    """

    __tablename__ = "training_example"
    __table_args__ = (
        UniqueConstraint("language", "text"),
        Index("ix_training_example_state", "state", "id"),
    )

    id: Mapped[Key]
    language: Mapped[str]
    intent: Mapped[str]
    text: Mapped[str]
    state: Mapped[str]
    added_by: Mapped[UUID] = mapped_column(ForeignKey("agent.id"))
    added_at: Mapped[CreatedAt]
    reviewed_by: Mapped[UUID | None] = mapped_column(ForeignKey("agent.id"))


model_number = Sequence("model_number", start=1, metadata=Base.metadata)


class ModelVersion(Base):
    """A model of the assistant: the examples that were taught, how it was judged, when it served.

    Number 0 is the release as it comes. `state` is a `core.domain.models.ModelState`.
    """

    __tablename__ = "model_version"
    __table_args__ = (
        Index(
            "uq_model_version_live", "state", unique=True, postgresql_where=sql("state = 'live'")
        ),
        Index(
            "ix_model_version_due",
            "number",
            postgresql_where=sql("state IN ('queued', 'training')"),
        ),
    )

    number: Mapped[int] = mapped_column(
        BigInteger, model_number, server_default=model_number.next_value(), primary_key=True
    )
    lessons: Mapped[str]  # names the set of examples, for the assistant
    examples: Mapped[list[Any]] = mapped_column(
        server_default=sql("'[]'")
    )  # {text,intent,language}
    held_back: Mapped[list[Any]] = mapped_column(server_default=sql("'[]'"))  # asked, not learned
    state: Mapped[str]
    goes_live: Mapped[bool] = mapped_column(server_default=sql("true"))  # once it has passed
    report: Mapped[dict[str, Any] | None]
    error: Mapped[str | None]
    intents: Mapped[list[Any]] = mapped_column(server_default=sql("'[]'"))  # that can be taught
    asked_by: Mapped[UUID | None] = mapped_column(ForeignKey("agent.id"))
    asked_at: Mapped[CreatedAt]
    ended_at: Mapped[datetime | None]  # of its training
    used_by: Mapped[UUID | None] = mapped_column(ForeignKey("agent.id"))  # None: it passed
    used_at: Mapped[datetime | None]  # when it was last made live
    served_at: Mapped[datetime | None]  # since when the assistant has said that it serves
