"""What splits of tickets are called; English keys."""

from __future__ import annotations

from collections.abc import Callable

from core.storage.queries.tickets.tickets import Change

SPLIT_ERRORS = (
    "a closed ticket cannot be split",
    "some of these messages are in another ticket: look at it again",
    "what was said in an earlier ticket stays there",
    "choose what the other matter is about",
    "choose something that the requester said, too",
    "leave something that the requester said in this ticket",
    "200 messages can be split off at once",
    "this chat has gone on in another ticket: it cannot be split here",
    "a conversation cannot be split at its beginning",
    "wait until what is being sent has left",
    "this ticket was not split off another one",
    "it was split off more than 30 days ago",
    "the ticket it was split off from is closed",
    "another ticket was merged into it: part them first",
    "something was said here since: it cannot go back",
    "somebody was written to beside it since: it cannot go back",
    "these tickets are of one chat: put back what was split instead",
)


def split_in_words(change: Change, who: str, t: Callable[..., str]) -> str | None:
    """Return a split in a ticket's history as a sentence; None where it is no such change."""
    match change.field:
        case "split":
            return t("{who} split it; the other ticket is #{number}", who=who, number=change.new)
        case "rejoined":
            return t(
                "{who} put back what was split; the other ticket is #{number}",
                who=who,
                number=change.new,
            )
        case _:
            return None
