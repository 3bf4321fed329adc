"""What becomes of the assistant's commands, by the same commit as its words."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.assistant import (
    AddToTicket,
    Close,
    Handoff,
    HandoffReason,
    OpenTicket,
    Step,
    TicketKind,
    TurnReply,
)
from core.domain.conversation import Cause, Responder, Speaker, next_responder
from core.domain.errors import Conflict, InvalidInput, NotFound
from core.domain.ids import ContactId, ConversationId, ItemId, TicketId
from core.domain.ticket import (
    CATEGORY,
    Priority,
    StatusCategory,
    TicketStatus,
    TicketTrigger,
    next_status,
)
from core.services.catalogue.asking import Wish, ask_in
from core.services.ledger import Ledger
from core.services.satisfaction.of_assistant import plan_survey
from core.services.tickets.handoff import SUMMARY_CHARS, hand_off
from core.storage.feed import FeedKind
from core.storage.tables import Conversation, Ticket
from core.texts import text

_LOGGER = logging.getLogger(__name__)

_FIELD_TITLES: Mapping[str, str] = MappingProxyType(
    {
        "device": "Device",
        "product": "Product",
        "location": "Location",
        "asset_tag": "Asset tag",
        "date": "Date",
        "person": "Person",
    }
)
"""Details the assistant gathers by itself; a field of another name is shown under that name."""


async def tickets_to_add_to(
    session: AsyncSession, steps: Sequence[Step], known: frozenset[int]
) -> dict[int, ConversationId]:
    """Return the tickets among `known` that `steps` add to, with their conversations.

    `known` are the numbers the assistant was told of: tickets of the requester, and none where
    nobody vouches for who is writing. Any other number is nothing the assistant can have.
    """
    wanted = {step.number for step in steps if isinstance(step, AddToTicket)} & known
    if not wanted:
        return {}
    rows = await session.execute(
        select(Ticket.number, Ticket.conversation_id).where(Ticket.number.in_(wanted))
    )
    return {number: ConversationId(conversation) for number, conversation in rows}


async def obey(
    session: AsyncSession,
    ledger: Ledger,
    conversation: Conversation,
    reply: TurnReply,
    addressed: Mapping[int, ConversationId],
    requester: ContactId | None,
) -> None:
    """Carry out the commands of `reply`; after the first that ends the assistant's part, none.

    A ticket that it opens is that of `requester`, who wrote, whoever began the conversation. Where
    nobody vouches for who wrote there is none, and nothing of the catalogue is asked for: those who
    approve would be told of somebody who may not have asked. A human reads it instead.

    The conversations of the tickets `addressed` are locked already.
    """
    for step in reply.steps:
        match step:
            case AddToTicket() if step.number in addressed:
                if await _add(session, ledger, conversation, step, reply.confidence):
                    return
            case Handoff():
                await hand_off(
                    session,
                    ledger,
                    conversation,
                    reason=step.reason,
                    priority=step.priority,
                    summary=step.summary,
                    confidence=reply.confidence,
                    requester=requester,
                )
                return
            case OpenTicket(item=str()) if requester is not None and await _ask_for_item(
                session, ledger, conversation, step, reply.confidence, requester
            ):
                return
            case OpenTicket():
                await _open(session, ledger, conversation, step, reply.confidence, requester)
                return
            case Close():
                await _close(session, ledger, conversation)
                return
            case _:
                pass


async def _open(
    session: AsyncSession,
    ledger: Ledger,
    conversation: Conversation,
    step: OpenTicket,
    confidence: float | None,
    requester: ContactId | None,
) -> None:
    is_request = step.kind == TicketKind.REQUEST
    ticket = await hand_off(
        session,
        ledger,
        conversation,
        reason=HandoffReason.REQUEST_FILED if is_request else HandoffReason.PROBLEM_REPORTED,
        priority=step.urgency,
        subject=step.subject,
        summary=_report(step, conversation.language),
        kind=step.kind,
        confidence=confidence,
        requester=requester,
    )
    since = {"since": step.since} if step.since else {}
    ticket.fields = {**ticket.fields, **since, **step.fields}


async def _close(session: AsyncSession, ledger: Ledger, conversation: Conversation) -> None:
    conversation.responder = next_responder(Responder(conversation.responder), Cause.CLOSED)
    conversation.closed_at = ledger.now
    ledger.changed(conversation, FeedKind.CONVERSATION)
    await plan_survey(session, ledger, conversation)


async def _add(
    session: AsyncSession,
    ledger: Ledger,
    conversation: Conversation,
    step: AddToTicket,
    confidence: float | None,
) -> bool:
    """Leave what the requester adds with their ticket, and let it be open again.

    Say whether that brings the humans back into this very conversation.
    """
    ticket = (
        await session.scalars(
            select(Ticket)
            .where(Ticket.number == step.number)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    ).one()
    home = await session.get_one(Conversation, ticket.conversation_id)
    ledger.remark(
        home, Speaker.BOT, text(ticket.language, "The requester adds: {words}", words=step.text)
    )
    ledger.changed(home, FeedKind.TICKET, TicketId(ticket.id))
    old = TicketStatus(ticket.status)
    was_done = CATEGORY[old] == StatusCategory.DONE
    if was_done and old != TicketStatus.CLOSED and home.id == conversation.id:
        await hand_off(
            session,
            ledger,
            conversation,
            reason=HandoffReason.FOLLOW_UP,
            priority=Priority(ticket.priority),
            confidence=confidence,
        )
        return True
    new = old if old == TicketStatus.CLOSED else next_status(old, TicketTrigger.CUSTOMER_WROTE)
    if new != old:
        ticket.status, ticket.solved_at = new, None
        ledger.record(ticket, "status", old, new, actor="requester", reason="added")
        if was_done and home.responder == Responder.CLOSED:
            home.responder = next_responder(Responder.CLOSED, Cause.TICKET_REOPENED)
            if ticket.assignee_id is not None:
                home.responder = next_responder(Responder(home.responder), Cause.AGENT_TOOK)
            home.closed_at = None
    ticket.updated_at = ledger.now
    return False


async def _ask_for_item(
    session: AsyncSession,
    ledger: Ledger,
    conversation: Conversation,
    step: OpenTicket,
    confidence: float | None,
    requester: ContactId,
) -> bool:
    """Ask for the item of the catalogue that the form was about; say whether that could be.

    The catalogue may have changed while the form was filled in. Then what was said becomes a
    request like any other, for a human to read: nobody fills in a form for nothing.
    """
    try:
        wish = Wish(
            item=ItemId(UUID(step.item)),
            values=step.values,
            priority=step.urgency,
            confidence=confidence,
        )
        case = await ask_in(
            session, ledger, conversation, wish, actor="assistant", requester=requester
        )
    except (ValueError, NotFound, InvalidInput, Conflict) as error:
        _LOGGER.info("an item could not be asked for: %s", type(error).__name__)
        return False
    case.ticket.fields = {**step.fields, **case.ticket.fields}
    return True


def _report(step: OpenTicket, language: str | None) -> str:
    """Return what the form collected, for the agent; the details stay whole."""
    lines = [f"{text(language, 'Urgency')}: {step.urgency}"]
    if step.since:
        lines.append(f"{text(language, 'Since')}: {step.since}")
    lines += [
        f"{text(language, _FIELD_TITLES[name]) if name in _FIELD_TITLES else name}: {value}"
        for name, value in step.fields.items()
    ]
    lines += step.values.values()
    details = "\n".join(lines)[: SUMMARY_CHARS // 2]
    return f"{step.description[: SUMMARY_CHARS - len(details) - 1]}\n{details}"
