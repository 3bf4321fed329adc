"""How a form says between whom a letter goes, and what is enclosed."""

from __future__ import annotations

import re
from uuid import UUID

from starlette.datastructures import FormData

from console.pages.session import text_field
from core.domain.content import Envelope
from core.domain.errors import InvalidInput
from core.domain.ids import Address, UploadId

_BETWEEN = re.compile(r"[,;\r\n]+")


def envelope_in(form: FormData) -> Envelope | None:
    """Return the envelope that `form` has, unchecked; None where it has none."""
    if "to" not in form:
        return None
    return Envelope(
        to=_addresses(form, "to"),
        cc=_addresses(form, "cc"),
        bcc=_addresses(form, "bcc"),
        subject=text_field(form, "subject").strip() or None,
    )


def files_in(form: FormData) -> list[UploadId]:
    """Return the files that `form` names, which were handed in before."""
    try:
        return [UploadId(UUID(str(name))) for name in form.getlist("file")]
    except ValueError:
        raise InvalidInput("a file is not there any more: attach it again") from None


def _addresses(form: FormData, name: str) -> tuple[Address, ...]:
    words = (word.strip() for word in _BETWEEN.split(text_field(form, name)))
    return tuple(Address(word) for word in words if word)
