"""What is said about linking addresses by a code; English keys."""

from __future__ import annotations

LINKING_ERRORS = (
    "codes are entered in a chat: this ticket is of none",
    "others read this chat: codes are entered in private messages",
    "no e-mail account is connected",
)
