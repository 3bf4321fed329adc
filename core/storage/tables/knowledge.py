"""Articles and the passages that searches look through."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import REAL, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from core.storage.tables.base import Base, CreatedAt, Key
from core.storage.tables.vector import HalfVector

DIMENSIONS = 384


class ArticleRow(Base):
    """An article as its author wrote it."""

    __tablename__ = "article"
    # An article and its translations are one family.
    __table_args__ = (Index("ix_article_family", text("coalesce(translation_of, id)")),)

    id: Mapped[str] = mapped_column(primary_key=True)
    language: Mapped[str] = mapped_column(index=True)  # counted by every search now and then
    title: Mapped[str]
    body: Mapped[str]
    questions: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))
    tags: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))
    audience: Mapped[str] = mapped_column(server_default="public")
    translation_of: Mapped[str | None]
    valid_from: Mapped[date | None]
    valid_until: Mapped[date | None]
    # Ids of those whose requesters may read it; with none, everybody may.
    organisations: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))
    imported_digest: Mapped[str | None]  # of the source last imported; None: made in the console
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[CreatedAt]


class Passage(Base):
    """A piece of an article with one vector: its title, one of its questions, a part of its body.

    Passages are never changed, only replaced, so a vector always belongs to its text.
    """

    __tablename__ = "passage"
    __table_args__ = (
        Index(
            "ix_passage_vector",
            "vector",
            postgresql_using="hnsw",
            postgresql_ops={"vector": "halfvec_cosine_ops"},
        ),
        # Finds what has no vector, or one of another model, without reading the rest.
        Index("ix_passage_vector_model", "vector_model"),
        Index("ix_passage_second_model", "second_model", postgresql_where=text("kind <> 'body'")),
    )

    id: Mapped[Key]
    article_id: Mapped[str] = mapped_column(
        ForeignKey("article.id", ondelete="CASCADE"), index=True
    )
    kind: Mapped[str]  # "title", "question", "body"
    text: Mapped[str]
    vector: Mapped[Any | None] = mapped_column(HalfVector(DIMENSIONS))
    vector_model: Mapped[str | None]
    # Of another encoder, which ranks what the first one finds: of titles and questions in the
    # languages that it knows.
    second_vector: Mapped[Any | None] = mapped_column(HalfVector(DIMENSIONS))
    second_model: Mapped[str | None]


class Posting(Base):
    """How much an article says with one lexeme: an entry of the inverted index.

    A `tsvector` with its GIN index finds rows but cannot rank them by how rare a lexeme is.
    """

    __tablename__ = "posting"
    __table_args__ = (
        Index(
            "ix_posting_lexeme",
            "configuration",
            "lexeme",
            text("weight DESC"),
            postgresql_include=["article_id"],
        ),
    )

    article_id: Mapped[str] = mapped_column(
        ForeignKey("article.id", ondelete="CASCADE"), primary_key=True
    )
    lexeme: Mapped[str] = mapped_column(primary_key=True)
    configuration: Mapped[str]  # PostgreSQL's text search configuration that made the lexeme
    weight: Mapped[float] = mapped_column(REAL)  # 0 to 1: saturated frequency, length considered


class NearWord(Base):
    """A word that articles have, under itself and under each form that lacks one letter.

    A mistyped word is found by the forms that it shares with what was meant. Words that no article
    has any more stay: they lead to nothing.
    """

    __tablename__ = "near_word"

    configuration: Mapped[str] = mapped_column(primary_key=True)
    form: Mapped[str] = mapped_column(primary_key=True)
    word: Mapped[str] = mapped_column(primary_key=True)


class OfferThreshold(Base):
    """From how much on articles are offered, as the base's own questions tell."""

    __tablename__ = "offer_threshold"

    language: Mapped[str] = mapped_column(primary_key=True)  # "": all together
    offer_from: Mapped[float]
    of_index: Mapped[str]  # the state of the passages when it was learned


class SynonymsRow(Base):
    """Words that mean the same in the questions of an organisation; of none: everywhere."""

    __tablename__ = "synonyms"

    id: Mapped[Key]
    organisation_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("organisation.id", ondelete="CASCADE"), index=True
    )
    terms: Mapped[list[Any]]
    created_at: Mapped[CreatedAt]


class ArticleFeedback(Base):
    """Whether an article helped, as the requester said."""

    __tablename__ = "article_feedback"

    id: Mapped[Key]
    article_id: Mapped[str] = mapped_column(index=True)
    conversation_id: Mapped[UUID] = mapped_column(index=True)
    helped: Mapped[bool]
    at: Mapped[datetime] = mapped_column(index=True)
