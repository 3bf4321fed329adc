"""Articles and the passages that searches look through."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from pgvector.sqlalchemy import HALFVEC
from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from core.storage.tables.base import Base, CreatedAt, Key

DIMENSIONS = 384


class ArticleRow(Base):
    """An article as its author wrote it."""

    __tablename__ = "article"

    id: Mapped[str] = mapped_column(primary_key=True)
    language: Mapped[str]
    title: Mapped[str]
    body: Mapped[str]
    questions: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))
    tags: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))
    audience: Mapped[str] = mapped_column(server_default="public")
    translation_of: Mapped[str | None]
    valid_from: Mapped[date | None]
    valid_until: Mapped[date | None]
    digest: Mapped[str]  # of the content, so that an import knows what changed
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[CreatedAt]


class Passage(Base):
    """A searchable piece of an article: its title, one of its questions, or a part of its body."""

    __tablename__ = "passage"
    __table_args__ = (
        Index("ix_passage_words", "words", postgresql_using="gin"),
        Index(
            "ix_passage_vector",
            "vector",
            postgresql_using="hnsw",
            postgresql_ops={"vector": "halfvec_cosine_ops"},
        ),
        Index("ix_passage_unembedded", "id", postgresql_where=text("vector IS NULL")),
    )

    id: Mapped[Key]
    article_id: Mapped[str] = mapped_column(
        ForeignKey("article.id", ondelete="CASCADE"), index=True
    )
    kind: Mapped[str]  # "title", "question", "body"
    position: Mapped[int]
    language: Mapped[str]
    text: Mapped[str]
    words: Mapped[Any] = mapped_column(TSVECTOR)
    vector: Mapped[Any | None] = mapped_column(HALFVEC(DIMENSIONS))
    vector_model: Mapped[str | None]


class ArticleFeedback(Base):
    """Whether an article helped, as the requester said."""

    __tablename__ = "article_feedback"

    id: Mapped[Key]
    article_id: Mapped[str] = mapped_column(index=True)
    conversation_id: Mapped[UUID]
    helped: Mapped[bool]
    at: Mapped[datetime]
