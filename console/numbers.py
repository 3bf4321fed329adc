"""Numbers as people read them, in their language."""

from __future__ import annotations

from babel.numbers import format_decimal


def decimal(language: str, value: float) -> str:
    """Return a number with one decimal place: 4.5, or 4,5 in Spanish."""
    return format_decimal(value, "#,##0.0", locale=language)
