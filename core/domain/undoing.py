"""How long what agents did to tickets and contacts can be undone."""

from __future__ import annotations

from datetime import timedelta

UNDONE_WITHIN = timedelta(days=30)
