"""What notices to agents say; English, keys of the catalogue."""

from __future__ import annotations

from collections.abc import Mapping

from core.domain.notification import Notice, Wish

NOTICE: Mapping[str, str] = {
    Notice.ASSIGNED: "It was given to you",
    Notice.ANSWERED: "The requester wrote",
    Notice.MENTIONED: "You were mentioned in a note",
    Notice.WATCHED: "Something was said in it",
    Notice.AT_RISK: "A promise is about to be broken",
    Notice.BROKEN: "A promise was broken",
    Notice.LOW_SCORE: "The requester was not content",
    Notice.ESCALATED: "It came up to your level",
    Notice.APPROVAL: "It waits for your approval",
    Notice.TASK: "Your task can begin",
}

OUTSIDE: Mapping[str, str] = {
    Wish.UNREAD: "What I did not see here",
    Wish.URGENT: "Of that, only mentions, promises and low scores",
    Wish.NEVER: "Nothing",
}

SAID = (
    "there is no such time zone",
    "quiet hours have a beginning and an end",
    "quiet hours end at another time than they begin",
    "a time is written like 22:30",
    "choose whether you want to be told",
)
"""What errors about notices say for themselves."""
