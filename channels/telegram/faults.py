"""Faults of the Bot API that the desk's own errors do not tell apart."""

from __future__ import annotations

from core.domain.errors import Unavailable


class TakenElsewhere(Unavailable):
    """Somebody else polls this bot, or a webhook is set for it (409)."""
