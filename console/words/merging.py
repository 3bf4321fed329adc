"""What merges of tickets are called; English keys."""

from __future__ import annotations

from collections.abc import Callable

from core.storage.queries.tickets.tickets import Change

MERGE_ERRORS = (
    "a ticket cannot be merged with itself",
    "this ticket was merged into another one already",
    "the other ticket was merged itself: choose the one that it is in now",
    "a closed ticket cannot be merged",
    "these tickets are of the same conversation",
    "this ticket was not merged",
    "a merge can be undone within 30 days",
    "its requester has gone on in another ticket since",
    "this conversation is not one of the ticket's",
)


def merged_in_words(change: Change, who: str, t: Callable[..., str]) -> str | None:
    """Return a merge in a ticket's history as a sentence; None where it is no such change."""
    match change.field:
        case "merged":
            return t("{who} merged #{number} into it", who=who, number=change.new)
        case "merged_into":
            return t("{who} merged it into #{number}", who=who, number=change.new)
        case "unmerged":
            return t("{who} undid the merge of #{number} into it", who=who, number=change.new)
        case "unmerged_from":
            return t("{who} undid its merge into #{number}", who=who, number=change.new)
        case _:
            return None
