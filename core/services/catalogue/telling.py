"""What a requester is told about their request, in their language: the item's words, or ours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from types import MappingProxyType
from typing import Any

from babel.dates import format_date

from core.domain.catalogue import Occasion
from core.domain.classification import FieldKind, FieldSpec
from core.domain.conversation import Speaker
from core.domain.ids import TicketId
from core.domain.languages import spoken
from core.services.automation.facts import values_of
from core.services.automation.templates import fill_in
from core.services.case import Case
from core.storage.queries.catalogue.items import ItemView
from core.texts import text

STANDARD: Mapping[Occasion, str] = MappingProxyType(
    {
        Occasion.RECEIVED: "Your request **{item}** is registered as ticket **#{number}**.",
        Occasion.APPROVED: (
            "Your request **{item}** (ticket **#{number}**) is approved. We are working on it."
        ),
        Occasion.REJECTED: "Your request **{item}** (ticket **#{number}**) was not approved.",
        Occasion.DONE: "Your request **{item}** (ticket **#{number}**) is done.",
    }
)
"""What is said where an item has no words of its own."""

WAITS = "It needs an approval first. You are told here as soon as it is decided."
REASON = "The reason: {reason}"
NOTE = "They add: {reason}"


async def tell_requester(case: Case, item: ItemView, occasion: Occasion, *more: str) -> None:
    """Tell the requester of the locked `case` how their request stands, and what is `more`."""
    language = case.conversation.language
    own = item.answer(occasion, language)
    if own is None:
        words = text(
            language, STANDARD[occasion], item=item.named(language), number=case.ticket.number
        )
    else:
        values = await values_of(case.session, TicketId(case.ticket.id), "")
        words = fill_in(own, values).strip()
    parts = [part for part in (words, *more) if part]
    case.ledger.say(case.conversation, Speaker.SYSTEM, "\n\n".join(parts))


def filled_in(values: Iterable[tuple[FieldSpec, Any]], language: str | None) -> str:
    """Return what was filled in as lines for people: names in bold, values as they are called."""
    lines = (f"- **{s.named(language)}**: {in_words(s, value, language)}" for s, value in values)
    return "\n".join(lines)


def in_words(spec: FieldSpec, value: Any, language: str | None) -> str:
    """Return a value of a form as it is called in `language`, in one line."""
    match spec.kind:
        case FieldKind.YES_NO:
            return text(language, "Yes") if value else text(language, "No")
        case FieldKind.CHOICE:
            return spec.choice_named(str(value), language)
        case FieldKind.DATE:
            return format_date(date.fromisoformat(value), "d MMM y", locale=spoken(language))
        case _:
            return " ".join(str(value).split())
