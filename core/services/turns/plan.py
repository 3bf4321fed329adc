"""What a worker is to ask the assistant in one turn, and within what bounds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from core.domain.assistant import (
    TurnRequest,
)
from core.domain.ids import (
    AccountId,
    ContactId,
    ConversationId,
    ThreadKey,
    TurnId,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnRules:
    """Settings that bound a turn."""

    deadline: timedelta
    turn_cap: int
    base_url: str
    default_language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnPlan:
    """A turn that this worker runs. `attempt` proves it: a later attempt takes the turn away."""

    turn: TurnId
    conversation: ConversationId
    account: AccountId
    thread: ThreadKey
    attempt: int
    waiting_since: datetime
    request: TurnRequest
    requester: ContactId | None  # who wrote, where somebody vouches for them: it is theirs
    known_language: str | None  # of who wrote
    language_is_open: bool  # the words may tell the language; nobody has chosen one
    told_language: str | None = None  # by the words, where it is news of who wrote
    is_last: bool = False  # no other is under way; one that comes later wakes the lane itself

    @property
    def is_in_words(self) -> bool:
        """Whether the requester wrote, rather than pressed a button."""
        return self.request.intent is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Nothing to do now; the next turn is due in `seconds`."""

    seconds: float


def with_language(plan: TurnPlan, language: str | None) -> TurnPlan:
    """Return `plan` asking in `language`, where the words tell one and nobody has chosen."""
    if language is None or not plan.language_is_open:
        return plan
    told = None if language == plan.known_language else language
    request = replace(plan.request, language=language)
    return replace(plan, request=request, told_language=told)
