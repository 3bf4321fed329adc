"""What notices to agents say; English, keys of the catalogue."""

from __future__ import annotations

from collections.abc import Mapping

from core.domain.access import AccessChange
from core.domain.notification import Notice, Reach, Turn, Wish

NOTICE: Mapping[str, str] = {
    Notice.ASSIGNED: "It was assigned to you",
    Notice.ANSWERED: "The requester wrote",
    Notice.MENTIONED: "You were mentioned in a note",
    Notice.WATCHED: "Something was said in it",
    Notice.CHANGED: "It was solved, reopened or reassigned",
    Notice.QUEUED: "It waits in your team's queue",
    Notice.PASSED: "It was passed to your team",
    Notice.NO_ROOM: "Nobody who is there has room for it",
    Notice.AT_RISK: "An SLA is about to be breached",
    Notice.BROKEN: "An SLA was breached",
    Notice.DUE: "Its due date comes near",
    Notice.LOW_SCORE: "The requester was not content",
    Notice.ESCALATED: "It came up to you",
    Notice.STUCK: "Its time is up, and nobody is above",
    Notice.APPROVAL: "It waits for your approval",
    Notice.TASK: "Your task can begin",
    Notice.BY_RULE: "A rule or macro tells you",
    Notice.HELD_BACK: "A rule applied to it too often and was held back",
}

ACCESS: Mapping[str, str] = {
    AccessChange.PASSWORD: "A new password was set for you",
    AccessChange.LINK: "A sign-in link was made for you",
    AccessChange.TOKEN: "An API token was issued in your name",
    AccessChange.ADDRESS: "The address you sign in with was changed",
}
"""What an agent is told of what lets somebody in under their name."""

TURN: Mapping[str, str] = {
    Turn.SOLVED: "It was solved",
    Turn.CLOSED: "It was closed",
    Turn.REOPENED: "It was reopened",
    Turn.REASSIGNED: "It was assigned to somebody else",
    Turn.RELEASED: "It went back to the queue",
    Turn.SIDE_LOST: "A letter to a third party may not have arrived",
}
"""What a notice of a change says, by its detail."""

KINDS: Mapping[str, str] = {
    Notice.ASSIGNED: "A ticket is assigned to me",
    Notice.ANSWERED: "The requester of my ticket writes",
    Notice.MENTIONED: "I am mentioned in a note",
    Notice.WATCHED: "Something is said in a ticket that I watch",
    Notice.CHANGED: "A ticket that I watch or had is solved, reopened or reassigned",
    Notice.QUEUED: "A ticket waits in my team's queue",
    Notice.PASSED: "A ticket is passed to my team",
    Notice.NO_ROOM: "Nobody who is there has room for a ticket of my team",
    Notice.ESCALATED: "A ticket comes up to me",
    Notice.AT_RISK: "An SLA is about to be breached",
    Notice.BROKEN: "An SLA is breached",
    Notice.DUE: "The due date of my ticket comes near",
    Notice.LOW_SCORE: "A requester is not content",
    Notice.STUCK: "A ticket of a team that I lead can go on to nobody",
    Notice.APPROVAL: "A request waits for my approval",
    Notice.TASK: "My task can begin",
    Notice.BY_RULE: "A rule or macro tells me",
    Notice.HELD_BACK: "A rule applies too often and is held back (told to admins)",
}
"""What an agent chooses for, in this order."""

REACH: Mapping[str, str] = {
    Reach.EVERYWHERE: "Here and outside",
    Reach.HERE: "Only here",
    Reach.NOWHERE: "Not at all",
}

MANY: Mapping[str, str] = {
    Notice.QUEUED: "{count} tickets wait in your team's queue",
    Notice.PASSED: "{count} tickets were passed to your team",
    Notice.NO_ROOM: "{count} tickets find nobody who is there and has room",
    Notice.ESCALATED: "{count} tickets came up to you",
}
"""What several notices of one queue say together."""

OUTSIDE: Mapping[str, str] = {
    Wish.UNREAD: "What I did not see here",
    Wish.URGENT: "Of that, only mentions, SLAs, low scores, escalations and what rules tell",
    Wish.NEVER: "Nothing",
}

IN_CHAT: Mapping[str, str] = {
    "welcome": "From now on you are told here what concerns you at the desk.",
    "code": (
        "{name} wants to be told here what concerns them at the desk. If that is you, enter "
        "**{code}** in the console within 15 minutes. If not, there is nothing to do."
    ),
}
"""What is written to agents in chat, besides their notices."""

SAID = (
    "there is no such time zone",
    "quiet hours have a beginning and an end",
    "quiet hours end at another time than they begin",
    "a time is written like 22:30",
    "choose whether you want to be told",
    "this is not the code, or it is no longer good",
)
"""What errors about notices say for themselves."""
