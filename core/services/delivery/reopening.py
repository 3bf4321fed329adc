"""Opens the ticket again of a message that never arrived."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.conversation import Cause, Responder, Speaker, next_responder
from core.domain.ids import ConversationId, TicketId
from core.domain.ticket import CATEGORY, StatusCategory, TicketStatus, TicketTrigger, next_status
from core.services.ledger import Ledger
from core.services.locks import locked
from core.storage.feed import FeedKind
from core.storage.queries.links.merges import ticket_above
from core.storage.tables import Conversation, Message, Ticket


async def home_of(session: AsyncSession, conversation: ConversationId) -> set[ConversationId]:
    """Return the conversation that a merged one goes on in, to be locked with it."""
    home = await session.scalar(
        select(Conversation.merged_into).where(Conversation.id == conversation)
    )
    return set() if home is None else {ConversationId(home)}


async def reopen_ticket_of(
    session: AsyncSession, conversation: Conversation, lost: Message, ledger: Ledger
) -> None:
    """Open the ticket again of `lost` in a locked conversation, also one it was merged into."""
    home = conversation
    if conversation.merged_into is not None:
        home = await locked(session, ConversationId(conversation.merged_into))
    ticket = await session.scalar(
        select(Ticket)
        .where(Ticket.conversation_id == home.id, Ticket.status != TicketStatus.CLOSED)
        .with_for_update()
    )
    if ticket is None:
        return
    if home is not conversation and ticket.id != await ticket_above(session, conversation.id):
        return  # another that was begun since in the conversation it went on in
    reopen(ticket, home, lost, ledger)


def reopen(
    ticket: Ticket | None, conversation: Conversation, lost: Message, ledger: Ledger
) -> None:
    """Let agents see a ticket again whose requester never got their answer, which is `lost`.

    `conversation` is the ticket's own; both are locked.
    """
    if ticket is None or CATEGORY[TicketStatus(ticket.status)] == StatusCategory.OPEN:
        return
    if ticket.solved_at is not None and _is_afterword(lost, ticket.solved_at):
        return
    was_done = CATEGORY[TicketStatus(ticket.status)] == StatusCategory.DONE
    old, new = ticket.status, next_status(TicketStatus(ticket.status), TicketTrigger.REOPENED)
    ticket.status, ticket.solved_at = new, None
    ledger.record(ticket, "status", old, new, actor="platform", reason="not_delivered")
    ledger.changed(conversation, FeedKind.TICKET, TicketId(ticket.id))
    if was_done and conversation.responder == Responder.CLOSED:
        conversation.responder = next_responder(Responder.CLOSED, Cause.TICKET_REOPENED)
        if ticket.assignee_id is not None:
            conversation.responder = next_responder(
                Responder(conversation.responder), Cause.AGENT_TOOK
            )
        conversation.closed_at = None
        ledger.changed(conversation, FeedKind.CONVERSATION)


def _is_afterword(message: Message, solved_at: datetime) -> bool:
    """Say whether a machine said `message` once all was done: that it is so, or a survey."""
    return message.speaker != Speaker.AGENT and message.at >= solved_at
