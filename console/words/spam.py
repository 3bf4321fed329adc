"""What is said about spam; English keys."""

from __future__ import annotations

from collections.abc import Callable

from core.storage.queries.tickets.tickets import Change

SPAM_ERRORS = (
    "this ticket is marked as spam already",
    "this ticket is not marked as spam",
    "this conversation is not in the spam",
    "part the tickets that were merged into it first",
    "its conversation goes on in another ticket",
    "the sender's address is not known: mark it without blocking",
)


def spam_in_words(change: Change, who: str, t: Callable[..., str]) -> str | None:
    """Return a change of the status as a sentence where spam is the reason; else None."""
    match change.reason:
        case "spam":
            return t("{who} marked it as spam", who=who)
        case "not_spam" if change.old is not None:
            return t("{who} brought it back from the spam", who=who)
        case _:
            return None
