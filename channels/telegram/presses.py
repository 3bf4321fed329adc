"""How a pressed button is answered: until then Telegram shows that something is under way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from channels.telegram.texts import text
from core.domain.languages import spoken
from core.ports import Acceptance, Refusal

_WORDS: Mapping[Refusal, str] = MappingProxyType(
    {
        Refusal.ALREADY_CHOSEN: "This was answered already. Write to us if you need anything else.",
        Refusal.UNKNOWN_CHOICE: "This can no longer be chosen. Please write to us instead.",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """A pressed button, to be answered once what it says is stored."""

    callback: str
    language: str | None  # of the person's program, as Telegram tells it


def press_in(update: Any) -> Press | None:
    """Return the pressed button in `update`, where it is one."""
    query = update.get("callback_query")
    callback = query.get("id") if isinstance(query, dict) else None
    if not isinstance(callback, str):
        return None
    person = query.get("from")
    language = person.get("language_code") if isinstance(person, dict) else None
    return Press(callback=callback, language=language if isinstance(language, str) else None)


def answer_to(
    press: Press, acceptances: Iterable[Acceptance], default_language: str
) -> dict[str, str]:
    """Return the arguments of `answerCallbackQuery`; what changed nothing is told, once."""
    answer = {"callback_query_id": press.callback}
    refusals = [one.refusal for one in acceptances if one.refusal is not None]
    words = next((_WORDS[refusal] for refusal in refusals if refusal in _WORDS), None)
    if words is not None:
        language = (press.language or "").replace("_", "-")
        answer["text"] = text(spoken(language, default=default_language), words)
    return answer
