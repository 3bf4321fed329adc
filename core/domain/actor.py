"""Who does something in the desk, for records that must name them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from core.domain.ids import AgentId


class Role(StrEnum):
    """What a signed-in party may do."""

    AGENT = "agent"
    LEAD = "lead"  # an agent who also looks after teams, rules and figures
    ADMIN = "admin"
    AUDITOR = "auditor"  # reads everything, the audit log too; changes nothing
    ASSISTANT = "assistant"  # the bot's own credential: reads public knowledge, nothing else


class Scope(StrEnum):
    """What an API token may be used for."""

    READ = "read"  # every look, as far as its role goes
    TICKETS = "tickets"  # answer and change tickets
    KNOWLEDGE = "knowledge"  # change articles
    ADMIN = "admin"  # change how the desk is set up


LEADING = frozenset({Role.LEAD, Role.ADMIN})
"""Roles that may change how work is shared out."""

WORKING = frozenset({Role.AGENT, Role.LEAD, Role.ADMIN})
"""Roles that may answer requesters and change tickets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """A person who works in the console."""

    id: AgentId
    email: str
    name: str
    role: Role
    language: str = "en"

    @property
    def actor(self) -> str:
        """How records name this agent as the one who did something."""
        return f"agent:{self.id}"
