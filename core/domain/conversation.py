"""Who answers in a conversation, as a table of what may follow what."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from core.domain.errors import IllegalTransition


class Responder(StrEnum):
    """Who is to answer the requester's next message."""

    BOT = "bot"
    QUEUED = "queued"  # waits for a human; the assistant is silent
    HUMAN = "human"
    CLOSED = "closed"


class Cause(StrEnum):
    """What moves a conversation from one responder to another."""

    HANDED_OFF = "handed_off"  # the assistant asks for a human
    AGENT_TOOK = "agent_took"  # by taking the ticket or by a first word
    RELEASED = "released"  # the agent puts it back into the queue
    HANDED_BACK = "handed_back"  # explicitly, to the assistant
    CLOSED = "closed"
    CUSTOMER_RETURNED = "customer_returned"  # wrote in a closed conversation within the window
    TICKET_REOPENED = "ticket_reopened"  # wrote after the ticket was solved


class Speaker(StrEnum):
    """Who said a message."""

    CUSTOMER = "customer"
    BOT = "bot"
    AGENT = "agent"
    SYSTEM = "system"


_R, _C = Responder, Cause

TRANSITIONS: Mapping[tuple[Responder, Cause], Responder] = MappingProxyType(
    {
        (_R.BOT, _C.HANDED_OFF): _R.QUEUED,
        (_R.BOT, _C.AGENT_TOOK): _R.HUMAN,
        (_R.BOT, _C.CLOSED): _R.CLOSED,
        (_R.BOT, _C.TICKET_REOPENED): _R.QUEUED,  # by an agent, after a hand-back
        (_R.QUEUED, _C.AGENT_TOOK): _R.HUMAN,
        (_R.QUEUED, _C.HANDED_BACK): _R.BOT,
        (_R.QUEUED, _C.CLOSED): _R.CLOSED,
        (_R.HUMAN, _C.AGENT_TOOK): _R.HUMAN,
        (_R.HUMAN, _C.RELEASED): _R.QUEUED,
        (_R.HUMAN, _C.HANDED_BACK): _R.BOT,
        (_R.HUMAN, _C.CLOSED): _R.CLOSED,
        (_R.CLOSED, _C.CUSTOMER_RETURNED): _R.BOT,
        (_R.CLOSED, _C.HANDED_OFF): _R.QUEUED,  # what it closed with never arrived
        (_R.CLOSED, _C.TICKET_REOPENED): _R.QUEUED,
        (_R.CLOSED, _C.AGENT_TOOK): _R.HUMAN,
        (_R.CLOSED, _C.HANDED_BACK): _R.BOT,
    }
)


def next_responder(responder: Responder, cause: Cause) -> Responder:
    """Return the responder that `cause` leads to, or raise `IllegalTransition`."""
    try:
        return TRANSITIONS[responder, cause]
    except KeyError:
        raise IllegalTransition("conversation", responder, cause) from None
