"""Words of tickets that agents register; English, the keys of the catalogue."""

from __future__ import annotations

from collections.abc import Sequence

REGISTERING_ERRORS: Sequence[str] = (
    "a ticket needs a subject",
    "a requester needs a name",
    "this address is another requester's",
    "choose whom it is for",
    "no letters can be sent from this account",
    "this contact was merged into another",
)
"""Why a ticket or a requester was not written down."""
