"""Reads what forms send: whole numbers, lists and ids."""

from __future__ import annotations

from uuid import UUID

from starlette.datastructures import FormData

from console.pages.session import text_field
from core.domain.errors import InvalidInput

_MOST_VERSION_DIGITS = 18  # of a bigint


def number_field(form: FormData, name: str) -> int | None:
    """Return a form's whole number; None where the field is empty.

    Raises:
        InvalidInput: it is something else.
    """
    words = text_field(form, name).strip()
    if not words:
        return None
    if not (words.isascii() and words.isdigit()) or len(words) > 9:
        raise InvalidInput("this is not a whole number")
    return int(words)


def version_field(form: FormData) -> int | None:
    """Return which state of a thing a form was shown for; None where it does not say.

    Raises:
        InvalidInput: it is no version.
    """
    words = text_field(form, "version")
    if not words:
        return None
    if not (words.isascii() and words.isdigit()) or len(words) > _MOST_VERSION_DIGITS:
        raise InvalidInput("this page is too old: load it again")
    return int(words)


def list_field(form: FormData, name: str) -> list[str]:
    """Return what a form's field lists, with commas or a line each."""
    words = text_field(form, name).replace("\n", ",").split(",")
    return [word.strip() for word in words if word.strip()]


def id_field(form: FormData, name: str) -> UUID | None:
    """Return the id in a form's field; None where it is empty.

    Raises:
        InvalidInput: it is no id.
    """
    words = text_field(form, name)
    try:
        return UUID(words) if words else None
    except ValueError:
        raise InvalidInput("this page is too old: load it again") from None
