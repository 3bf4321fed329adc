"""Why an action of a rule or macro was left out, as it is kept and as agents read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from core.domain.classification import FieldsMissing, WrongField
from core.domain.errors import Conflict, IllegalTransition, InvalidInput
from core.domain.ticket import TicketStatus
from core.texts import text

STATUS: Mapping[str, str] = MappingProxyType(
    {
        TicketStatus.NEW: "new",
        TicketStatus.OPEN: "open",
        TicketStatus.PENDING: "pending",
        TicketStatus.ON_HOLD: "on hold",
        TicketStatus.SOLVED: "solved",
        TicketStatus.CLOSED: "closed",
    }
)

SENTENCES = (
    "fill in before solving: {names}",
    "this is no value for “{field}”",
    "this does not fit a ticket that is {status}",
    "this category asks for no such field",
    "there is no such category",
    "there is no such team",
    "there is no such agent",
    "the agent is not there any more",
    "this ticket is in no team",
    "this ticket is in that team already",
    "this team has no lead that the ticket could go to",
    "there is nobody that this ticket could go on to",
    "there is nobody to be told",
    "a tag has 40 characters at most",
    "a ticket has 30 tags at most",
    "the reply would be empty",
    "the requester gets no more automatic messages for now",
    "the webhook is not there any more, or is off",
    "this ticket is marked as spam already",
    "this ticket was merged into another one already",
    "its conversation goes on in another ticket",
    "part the tickets that were merged into it first",
)
"""What can be said; keys of the catalogue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why an action was left out: an English sentence, with values for its `{holes}`."""

    sentence: str
    values: Mapping[str, str] = field(default_factory=dict)


def failure_of(error: InvalidInput | IllegalTransition | Conflict) -> Failure:
    """Return what is kept of why an action was left out."""
    match error:
        case FieldsMissing():
            names = ", ".join(spec.label for spec in error.specs)
            return Failure(sentence="fill in before solving: {names}", values={"names": names})
        case WrongField():
            values = {"field": error.spec.label}
            return Failure(sentence="this is no value for “{field}”", values=values)
        case IllegalTransition():
            sentence = "this does not fit a ticket that is {status}"
            return Failure(sentence=sentence, values={"status": str(error.state)})
        case _:
            return Failure(sentence=str(error))


def failure_in_words(failure: Failure, language: str) -> str:
    """Return a failure in a language that the desk speaks, or in English."""
    values = dict(failure.values)
    if "status" in values:
        values["status"] = text(language, STATUS.get(values["status"], values["status"]))
    return text(language, failure.sentence, **values)


def failure_json(failure: Failure | None) -> dict[str, Any]:
    """Return a failure as a rule's log keeps it."""
    if failure is None:
        return {"failure": ""}
    return {"failure": failure.sentence, "values": dict(failure.values)}


def failure_from_json(kept: Mapping[str, Any]) -> Failure | None:
    """Return what `failure_json` made; entries from before there were values have none."""
    if not kept.get("failure"):
        return None
    return Failure(sentence=kept["failure"], values=kept.get("values", {}))
