"""Reading of JSON that somebody else made, where everything may be missing or of another type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.domain.content import UNSTORABLE
from core.domain.errors import UnknownPayload


@dataclass(frozen=True, slots=True)
class Fields:
    """A JSON object; what it is called is said in errors."""

    values: Mapping[str, Any] = field(default_factory=dict)
    name: str = "payload"

    @classmethod
    def of(cls, value: object, name: str = "payload") -> Fields:
        """Return `value` as an object.

        Raises:
            UnknownPayload: it is none.
        """
        if not isinstance(value, dict):
            raise UnknownPayload(f"{name} is not a JSON object")
        return cls(value, name)

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def text(self, name: str) -> str:
        """Return a string, free of what no database holds; empty where there is none."""
        value = self.values.get(name)
        return UNSTORABLE.sub("", value) if isinstance(value, str) else ""

    def required(self, name: str) -> str:
        """Return a string that is not empty.

        Raises:
            UnknownPayload: there is none.
        """
        value = self.text(name)
        if not value:
            raise UnknownPayload(f"{self.name} without {name!r}")
        return value

    def number(self, name: str) -> int | None:
        """Return a whole number that is not negative."""
        value = self.values.get(name)
        if not isinstance(value, int) or isinstance(value, bool):
            return None
        return value if 0 <= value < 2**63 else None

    def flag(self, name: str) -> bool:
        """Return whether something is said to be so."""
        return self.values.get(name) is True

    def inner(self, name: str) -> Fields:
        """Return an object inside; an empty one where there is none."""
        value = self.values.get(name)
        return Fields(value if isinstance(value, dict) else {}, f"{self.name}.{name}")

    def each(self, name: str) -> list[Fields]:
        """Return the objects of a list inside."""
        value = self.values.get(name)
        items = value if isinstance(value, list) else []
        return [Fields(item, f"{self.name}.{name}") for item in items if isinstance(item, dict)]
