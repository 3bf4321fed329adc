"""What the search knows of words: how they are written, and how far it has read."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.storage.tables.base import Base


class SearchWord(Base):
    """A word that somebody wrote or is called by, without accents, in lower case."""

    __tablename__ = "search_word"
    __table_args__ = (Index("ix_search_word_forms", "forms", postgresql_using="gin"),)

    word: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    forms: Mapped[list[str]] = mapped_column(ARRAY(Text()))  # itself, and with one letter left out
    uses: Mapped[int] = mapped_column(BigInteger)  # in how many texts


class SearchProgress(Base):
    """Up to where the words of a table have been learnt."""

    __tablename__ = "search_progress"

    source: Mapped[str] = mapped_column(primary_key=True)
    last_id: Mapped[UUID]
