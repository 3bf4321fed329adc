"""What one ticket can be to another."""

from __future__ import annotations

from enum import StrEnum


class LinkKind(StrEnum):
    """What a ticket is to the other one."""

    CHILD = "child"  # a part of it
    DUPLICATE = "duplicate"  # the same once more
    RELATED = "related"
    INCIDENT = "incident"  # caused by the problem that the other one is
