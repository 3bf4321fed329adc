"""How many answers may be wrong, and what the base's own questions found."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from core.storage.tables.base import Base


class AnswerTolerance(Base):
    """How many of a hundred answers may be wrong, where an admin has said so; one row."""

    __tablename__ = "answer_tolerance"

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    wrong_per_hundred: Mapped[float | None]  # None: as installed
    revision: Mapped[int] = mapped_column(BigInteger)


class OwnFinding(Base):
    """What one of the knowledge base's own questions found while it was left out of the base."""

    __tablename__ = "own_finding"

    place: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    language: Mapped[str]
    scores: Mapped[list[Any]]  # of the best three, best first
    # Where among them the right article stands, from 0; None where it does not.
    right_at: Mapped[int | None] = mapped_column(SmallInteger)
    is_lost: Mapped[bool]  # its article was left out too: nothing there answers it
