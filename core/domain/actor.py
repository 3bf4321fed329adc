"""Who does something in the desk, for records that must name them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

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

_WITHIN: Mapping[Role, frozenset[Role]] = MappingProxyType(
    {
        Role.AGENT: frozenset({Role.AGENT}),
        Role.LEAD: frozenset({Role.AGENT, Role.LEAD}),
        Role.ADMIN: frozenset({Role.AGENT, Role.LEAD, Role.AUDITOR, Role.ADMIN}),
        Role.AUDITOR: frozenset({Role.AUDITOR}),
    }
)
"""The roles that may do nothing which one role may not."""


def narrowed(role: Role, scopes: Iterable[Scope], to: Role) -> tuple[Role, list[Scope]]:
    """Return role and scopes of a token of `role` once its agent's role is `to`.

    It may never do more than before. Of working roles and auditors neither is within the other:
    what is left are an agent's looks.
    """
    if role in _WITHIN[to]:
        return role, list(scopes)
    if to in _WITHIN[role]:
        return to, list(scopes)
    return Role.AGENT, [scope for scope in scopes if scope == Scope.READ]


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
