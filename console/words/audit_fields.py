"""What the fields of audit entries are called, as forms call them; English, of the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from console.words.automation import MAPPING
from console.words.catalogue import OCCASION
from console.words.states import CLOCK

LABEL: Mapping[str, str] = MappingProxyType(
    {
        **MAPPING,
        **CLOCK,
        **OCCASION,
        "account": "Account",
        "accounts": "Accounts",
        "actions": "Actions",
        "added": "Added",
        "address": "Address",
        "agent": "Agent",
        "answers": "Answers",
        "approval role": "Who approves",
        "approvers": "Who approves",
        "article": "Article",
        "asked_by": "Who asked for the code",
        "asks_of_assistant": "Ask also where the assistant finished a conversation alone",
        "assets": "Assets",
        "calendar": "Hours that count",
        "call": "Call",
        "capacity": "Open tickets that the desk gives them at most",
        "categories": "Categories",
        "changed": "Changed",
        "channels": "Channels",
        "choice labels": "Choices in other languages",
        "choices": "Choices",
        "close_after_days": "A solved ticket: close it, after days",
        "conditions": "Conditions",
        "country": "Closed on public holidays of",
        "default_team": "Tickets that no rule is for go to",
        "delay": "From solving, or the end of a conversation with the assistant, to asking",
        "description": "Description",
        "descriptions": "Description in other languages",
        "domains": "Mail domains",
        "email": "E-mail",
        "entries": "Entries",
        "escalates_to": "After its highest level, tickets go on to",
        "event": "Event",
        "events": "Tell it of",
        "every": "All of these hold",
        "expires_at": "Valid until",
        "field": "Field",
        "fields": "Fields",
        "format": "Form",
        "from": "From",
        "icon": "Icon",
        "intent": "Intent",
        "into": "Into",
        "is_default": "The usual calendar: it counts where no policy fits a ticket",
        "is_on": "On",
        "kind": "Kind",
        "labels": "Name in other languages",
        "language": "Language",
        "languages": "Languages",
        "lasts": "Until the survey ends",
        "lead": "Leads it",
        "left out": "Left out",
        "level": "Level",
        "low_score": "A lead is told of scores up to",
        "mapping": "Mapping",
        "model": "Model",
        "name": "Name",
        "names": "Name in other languages",
        "notes": "Notes",
        "offer_again_minutes": "Minutes after which a ticket that waits for an agent who is"
        " offline is offered to others",
        "old_secret": "The old secret",
        "order": "Order",
        "organisation": "Organisation",
        "organisations": "Organisations",
        "over_values": "Values that say so",
        "own_days": "Days of its own",
        "own_tickets_only": "Agents see only the tickets of their teams, and those of no team",
        "owner": "Owner",
        "parent": "Below",
        "place": "Place",
        "plan": "Support plan",
        "plan_from": "Plan from",
        "plan_until": "Plan until",
        "plans": "Support plans",
        "presence": "Presence",
        "priorities": "Priorities",
        "problem": "Problem",
        "question": "Question",
        "quiet": "How long a person is not asked again",
        "raises_priority": "Raise the priority by one step at a breach",
        "reason": "Reason",
        "reasons": "Reasons",
        "region": "Region",
        "remind_after": "Until one reminder",
        "remind_after_days": "A pending ticket: remind the requester once, after days of silence",
        "request": "Request",
        "required": "Required",
        "role": "Role",
        "scopes": "May be used for",
        "search": "Search",
        "secret": "Secret",
        "sender": "Sender",
        "serial": "Serial number",
        "skills": "Skills",
        "skills_required": "Only somebody with all of these",
        "solve_after_days": "A pending ticket: solve it, after days of silence",
        "some": "And at least one of these",
        "start": "The clock starts",
        "state": "State",
        "status": "Status",
        "stops": "Look at no later rule where this one applies",
        "strategy": "Tickets go to agents",
        "tag": "Tag",
        "targets": "What it promises",
        "tasks": "Tasks",
        "team": "Team",
        "teams": "Teams",
        "tells_hours": "Tell those who write outside these hours when somebody will be there",
        "text": "Text",
        "time zone": "Time zone",
        "title": "What is to be done",
        "trigger": "When",
        "unfinished_minutes": "Minutes after which it is offered to others although its agent"
        " answered last",
        "url": "Address",
        "vip": "VIP",
        "vip_only": "VIP only",
        "visibility": "Its tickets are seen by",
        "warn_percent": "Warn when so much of the time has passed (%)",
        "warranty": "Warranty until",
        "week": "Opening hours",
        "why": "Reason",
        "with": "With",
        "words": "Words",
        "wrong_per_hundred": "Of 100 answers, at most so many may be wrong:",
        "zone": "Time zone",
    }
)
"""By the field's name, whatever it belongs to."""

LABEL_HERE: Mapping[str, str] = MappingProxyType(
    {
        "agent.languages": "Languages they answer in",
        "catalogue.fields": "Form",
        "category.team": "Usual team",
        "rule.category": "Category, where it has none",
    }
)
"""By area and field, where forms of different things call a field differently."""

SAID: Mapping[str, str] = MappingProxyType(
    {
        "set": "set",
        "changed": "changed",
        "void": "is void at once",
        "valid for a day": "stays valid for a day",
        "blocked": "blocked",
        "forged": "the link was not made here",
        "not an approver": "no approver",
    }
)
"""What entries say in a word of their own."""

TOPIC_STATE: Mapping[str, str] = MappingProxyType(
    {"open": "Open", "done": "Something was made of it", "dismissed": "Nothing to do here"}
)
