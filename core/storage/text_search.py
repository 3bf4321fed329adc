"""Which of PostgreSQL's text search configurations reads which language."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

CONFIGURATIONS: Mapping[str, str] = MappingProxyType({"en": "english", "es": "spanish"})
"""Text search configuration of each language that has one; others are searched word by word."""


def configuration_of(language: str | None, default: str = "simple") -> str:
    """Return the text search configuration for texts in `language`."""
    return CONFIGURATIONS.get(language or "", default)
