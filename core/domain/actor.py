"""Who does something in the desk, for records that must name them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from core.domain.ids import AgentId


class Role(StrEnum):
    """What a signed-in party may do."""

    AGENT = "agent"
    ADMIN = "admin"
    ASSISTANT = "assistant"  # the bot's own credential: reads public knowledge, nothing else


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """A person who works in the console."""

    id: AgentId
    email: str
    name: str
    role: Role
    language: str = "en"
