"""What teams, presence and assignment are called; English, the keys of the catalogue."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from core.domain.actor import Scope
from core.domain.routing import LanguageNeed
from core.domain.teams import Presence, Strategy, Visibility
from core.storage.queries.teams import routing
from core.storage.queries.tickets.tickets import Change

STRATEGY: Mapping[str, str] = {
    Strategy.MANUAL: "Manual",
    Strategy.ROUND_ROBIN: "Round robin",
    Strategy.LEAST_LOADED: "Load balanced",
}

STRATEGY_HINT: Mapping[str, str] = {
    Strategy.MANUAL: "Nothing is assigned automatically: agents take tickets from the queue.",
    Strategy.ROUND_ROBIN: "Agents take turns: the next ticket goes to whoever has waited longest "
    "for one.",
    Strategy.LEAST_LOADED: "The next ticket goes to the agent with the fewest open tickets.",
}

VISIBILITY: Mapping[str, str] = {
    Visibility.EVERYBODY: "Everybody",
    Visibility.MEMBERS: "Its agents",
}

VISIBILITY_HINT: Mapping[str, str] = {
    Visibility.EVERYBODY: "Colleagues of other teams see its tickets and can help with them.",
    Visibility.MEMBERS: "For others there are no such tickets; acting on one by its number is "
    "refused. Whoever has a ticket, or is to approve what it asks for, sees that one. "
    "Admins and auditors see all.",
}

PRESENCE: Mapping[str, str] = {
    Presence.ONLINE: "Online",
    Presence.AWAY: "Away",
    Presence.OFFLINE: "Offline",
}

PRESENCE_HINT: Mapping[str, str] = {
    Presence.ONLINE: "New tickets are assigned to you while the console is open",
    Presence.AWAY: "You keep yours, and no more are assigned to you",
    Presence.OFFLINE: "You are not there; what waits may go to others",
}

LANGUAGE_NEED: Mapping[str, str] = {
    LanguageNeed.PREFERRED: "If possible, somebody who answers in the ticket's language",
    LanguageNeed.REQUIRED: "Only somebody who answers in the ticket's language",
    LanguageNeed.ANY: "Whoever is next, whatever their languages",
}

CONDITION: Mapping[str, str] = {
    "categories": "Category",
    "channels": "Channel",
    "accounts": "Account",
    "organisations": "Organisation",
    "plans": "Support plan",
    "languages": "Language",
    "words": "Words",
    "reasons": "Reason",
}

RULE_OF_ITSELF: Mapping[str, str] = {
    routing.DEFAULT_RULE: "All others",
    routing.CATEGORY_RULE: "The category's team",
}
"""What those rules are called that nobody made."""

SCOPE: Mapping[str, str] = {
    Scope.READ: "Reading",
    Scope.TICKETS: "Changing tickets",
    Scope.KNOWLEDGE: "Changing articles",
    Scope.ADMIN: "Changing settings",
}
"""What tokens may be used for."""

ESCALATED: Mapping[str, str] = {
    "untouched": "nobody wrote in time",
    "unsolved": "not solved in time",
}
"""Why tickets go on by themselves."""

RETURNED: Mapping[str | None, str] = {
    "offered_again": "its agent was not there",
    "agent_disabled": "its agent is not here any more",
}
"""Why tickets leave an agent by themselves."""

ERRORS = (
    "a team's name has 1 to 60 characters",
    "a team's description has 500 characters at most",
    "levels are 1, 2 and 3",
    "a time is 1 minute at least and 90 days at most",
    "there is a team of this name already",
    "there is no such team",
    "there is no such team to go on to",
    "tickets would go round in a circle",
    "rules or other teams still lead to this team: change them first",
    "auditors are in no team: they change nothing",
    "only the leads of this team and admins may do this",
    "only admins say who sees a team's tickets",
    "an agent's capacity is 0 to 1,000 open tickets",
    "these are 40 at most",
    "a skill has 40 characters at most",
    "an agent needs a name",
    "a language is written as a code such as en or es: {name}",
    "you cannot change your own role",
    "this is not a whole number",
    "there is no such rule",
    "there is no such category",
    "there is no such organisation",
    "a rule's name has 1 to 80 characters",
    "a rule looks for 100 words at most, each of 100 characters at most",
    "a rule looks for words: signs alone are none",
    "a time is 1 minute at least and 7 days at most",
    "an agent is online, away or offline",
    "say why it goes on",
    "a reason has 500 characters at most",
    "there is nobody that this ticket could go on to",
    "this ticket is in no team",
    "this ticket is in that team already",
    "this team has no lead that the ticket could go to",
    "this ticket belongs to another team",
    "you see the figures of your own teams: tell them apart by team",
    "a token's role is agent, lead, admin or auditor",
    "a token's name has 80 characters at most",
    "a token is for one thing at least",
    "a token lasts 1 to 3,650 days",
)
"""What errors say for themselves that an agent may come to see."""


def passed_in_words(change: Change, who: str, t: Callable[..., str]) -> str | None:
    """Return how a ticket was sent on, or taken from its agent, as a sentence; else None."""
    match change.field:
        case "escalated":
            reason = t(ESCALATED.get(change.reason or "", change.reason or ""))
            name = change.new or "?"
            return t("{who} sent it on to {name}: {reason}", who=who, name=name, reason=reason)
        case "stuck":
            reason = t(ESCALATED.get(change.reason or "", change.reason or ""))
            return t("There was nobody it could go on to: {reason}", reason=reason)
        case "assignee" if change.reason in RETURNED and change.new is None:
            return t(
                "{who} put it back in the queue: {reason}",
                who=who,
                reason=t(RETURNED[change.reason]),
            )
        case "assignee" if change.reason in RETURNED:
            name, reason = change.new_name or "?", t(RETURNED[change.reason])
            return t("{who} assigned it to {name}: {reason}", who=who, name=name, reason=reason)
        case "level":
            return t("{who} brought it to level {level}", who=who, level=change.new)
        case _:
            return None
