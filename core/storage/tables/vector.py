"""pgvector's `halfvec` as a column type."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Dialect
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.types import UserDefinedType


class HalfVector(UserDefinedType[Sequence[float]]):
    """A vector of half-precision numbers, given as a sequence and kept by pgvector's extension.

    pgvector's own Python package has the same type, but needs NumPy at import: 23 MB in every
    process of the desk, for a text form of one line.
    """

    cache_ok = True

    def __init__(self, dim: int | None = None) -> None:
        self.dim = dim  # None where the database does not tell, as in reflection

    def get_col_spec(self, **_: Any) -> str:
        """See SQLAlchemy's `UserDefinedType`."""
        return "halfvec" if self.dim is None else f"halfvec({self.dim})"

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], str | None]:  # noqa: ARG002
        """Return what turns a sequence into the extension's text form."""
        return lambda value: None if value is None else vector_text(value)


ischema_names["halfvec"] = HalfVector  # so that a database's tables can be compared with ours


def vector_text(vector: Sequence[float]) -> str:
    """Return `vector` as pgvector reads it."""
    return "[" + ",".join(f"{value:.6g}" for value in vector) + "]"
