"""What all JSON of the API is made of: checked words, bodies, pages, people, problems."""

from __future__ import annotations

from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from fastapi import Query
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from core.storage.queries.tickets.tickets import Named, Person

T = TypeVar("T")

MAX_PAGE = 100


def _storable(words: str) -> str:
    if "\x00" in words:
        raise ValueError("must not hold NUL characters")
    try:
        words.encode()
    except UnicodeEncodeError:
        raise ValueError("must be valid Unicode") from None
    return words


Text = Annotated[str, AfterValidator(_storable)]
"""Words that the database can keep."""

Address = Annotated[Text, Field(max_length=320)]

Cursor = Annotated[Text | None, Query(max_length=100)]
"""Where in a list to go on, as its last part said."""

Limit = Annotated[int, Query(ge=1, le=MAX_PAGE)]
"""How much of a list is asked for."""


class Body(BaseModel):
    """Base of what callers send: a field that is not known is a mistake."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Nothing(Body):
    """An empty object."""


class NewPlace(Body):
    """Where in the order a rule is put, from 1."""

    place: Annotated[int, Field(ge=1, le=100_000)]


class Problem(BaseModel):
    """What went wrong (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[dict[str, str]] = Field(default_factory=list)


PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {
        "description": description,
        "content": {"application/problem+json": {"schema": Problem.model_json_schema()}},
    }
    for status, description in (
        (401, "The token is missing or not valid"),
        (403, "The token's role may not do this"),
        (422, "The request is not as described"),
        ("default", "Something else went wrong"),
    )
}


class Page(BaseModel, Generic[T]):
    """A part of a list, newest first."""

    items: list[T]
    next: str | None  # give it as `cursor` for the part after this


class PersonOut(BaseModel):
    """A requester or an agent."""

    id: UUID
    name: str | None
    email: str | None

    @classmethod
    def of(cls, person: Person) -> PersonOut:
        """Return what the API tells of `person`."""
        return cls(id=person.id, name=person.name, email=person.email)


class NamedOut(BaseModel):
    """A team, a category or an organisation."""

    id: UUID
    name: str

    @classmethod
    def of(cls, named: Named | None) -> NamedOut | None:
        """Return what the API tells of `named`."""
        return None if named is None else cls(id=named.id, name=named.name)
