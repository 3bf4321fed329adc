"""What links between tickets are called; English keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from core.domain.links import LinkKind
from core.storage.queries.tickets.tickets import Change

LINK: Mapping[str, str] = {
    LinkKind.CHILD: "Part of",
    LinkKind.DUPLICATE: "Duplicate of",
    LinkKind.RELATED: "Related to",
    LinkKind.INCIDENT: "Incident of the problem",
}
"""What a ticket can be made to another."""

SIDE: Mapping[str, str] = {
    **LINK,
    "has_child": "Has the part",
    "has_duplicate": "Has the duplicate",
    "has_related": "Related to",
    "has_incident": "Has the incident",
}

LINK_ERRORS = (
    "a ticket cannot be linked with itself",
    "these tickets are linked already",
    "incidents are linked with a ticket of the type problem",
    "a ticket cannot be a part of its own part",
    "a ticket cannot be a duplicate of its own duplicate",
    "a problem is no incident of another",
    "only a ticket of the type problem has incidents",
    "no incident of this problem is open",
    "there is no such ticket",
    "another ticket follows this one already",
    "its requester has gone on in another conversation since",
    "no requester reported this problem: there is nobody to reply to",
)


def linked_in_words(change: Change, who: str, t: Callable[..., str]) -> str | None:
    """Return a change of a ticket's links as a sentence; None where it is no such change."""
    if change.field == "update":
        return t("{who} told {count} requesters of its incidents", who=who, count=change.new)
    if change.field != "link":
        return None
    side, _, number = (change.new or change.old or "").partition(" ")
    link = f"{t(SIDE.get(side, side))} #{number}"
    if change.new is None:
        return t("{who} took away the link: {link}", who=who, link=link)
    return t("{who} linked it: {link}", who=who, link=link)
