"""What is said about linking addresses by a code; English keys."""

from __future__ import annotations

LINKING_ERRORS = (
    "codes are entered in a chat: this ticket is of none",
    "no e-mail account is connected",
)
