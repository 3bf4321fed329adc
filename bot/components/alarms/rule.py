"""The form of a rule, which each language fills for each alarm."""

from __future__ import annotations

from typing import NamedTuple


class Rule(NamedTuple):
    """One alarm in one language: what states it, and the wordings to cross out before looking."""

    said: tuple[str, ...]
    apart_from: tuple[str, ...] = ()
