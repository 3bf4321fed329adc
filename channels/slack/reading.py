"""What a payload was read as: events, and what must hold for them to be the desk's business."""

from __future__ import annotations

from dataclasses import dataclass

from core.domain.events import Event
from core.domain.ids import RemoteId, ThreadKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Events of one payload."""

    events: tuple[Event, ...]
    only_in: ThreadKey | None = None  # counts only if the desk takes part in this thread
    only_about: RemoteId | None = None  # counts only if the desk knows this message
    wants_context: bool = False  # asks about a thread that may have begun without the desk


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Who the desk is in the workspace, as far as is known."""

    bot_user: str | None = None  # empty: what mentions somebody may mention the desk

    def is_mentioned_in(self, text: str) -> bool:
        """Say whether a message's text, as Slack sends it, mentions the desk."""
        return self.bot_user is not None and (
            f"<@{self.bot_user}>" in text or f"<@{self.bot_user}|" in text
        )
