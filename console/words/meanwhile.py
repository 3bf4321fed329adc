"""What records of automation consist of, as the audit log has it; English, of the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

CHANGED: Mapping[str, str] = MappingProxyType(
    {
        "name": "Name",
        "trigger": "When it looks",
        "conditions": "Conditions",
        "text": "Text",
        "actions": "Actions",
        "stops": "Whether later rules are looked at",
        "place": "Its place among the others",
        "url": "Address",
        "address": "Address",
        "events": "What it is told of",
        "secret": "Secret",
        "format": "Format",
        "mapping": "Mapping",
        "language": "Language",
        "team": "Team",
        "is_on": "Whether it is on",
        "delay": "Send the survey after",
        "remind_after": "Send a reminder after",
        "lasts": "The survey expires after",
        "quiet": "Minimum time between surveys to a person",
        "low_score": "Alert leads at this score or below",
        "asks_of_assistant": "Ask also where the assistant finished a conversation alone",
        "wrong_per_hundred": "Tolerance",
    }
)
