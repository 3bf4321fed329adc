"""How a ticket that was closed without being done becomes a ticket to work on again."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import exists, select

from core.domain.conversation import Responder, Speaker
from core.domain.ticket import TicketStatus
from core.services.case import Case
from core.services.intake.placing import begin_episode
from core.storage.tables import Message

MERGE_UNDONE = "merge_undone"
NOT_SPAM = "not_spam"
RESTORED = frozenset({MERGE_UNDONE, NOT_SPAM})
"""Reasons for which a ticket has a status again that it had come to before."""

_WAITED = (TicketStatus.PENDING, TicketStatus.ON_HOLD, TicketStatus.SOLVED)


async def revive(
    case: Case,
    status: TicketStatus,
    responder: Responder,
    since: datetime,
    *,
    actor: str,
    reason: str,
) -> None:
    """Give a ticket and its conversation back the status and the responder they had `since`.

    Where its requester wrote meanwhile and it had waited or was solved, it is open. When its
    conversation ended, if it had, is the caller's to say.
    """
    ticket, conversation = case.ticket, case.conversation
    wrote = await case.session.scalar(
        select(
            exists().where(
                Message.conversation_id == conversation.id,
                Message.speaker == Speaker.CUSTOMER,
                Message.is_automatic.is_(False),
                Message.created_at > since,
            )
        )
    )
    if wrote:
        status = TicketStatus.OPEN if status in _WAITED else status
        responder = Responder.QUEUED if ticket.assignee_id is None else Responder.HUMAN
    ticket.closed_as = None
    if status != ticket.status:
        case.ledger.record(ticket, "status", ticket.status, status, actor=actor, reason=reason)
        ticket.status, ticket.closed_at = status, None
        if status != TicketStatus.SOLVED:
            ticket.solved_at = None
    if responder == Responder.BOT:
        begin_episode(conversation, responder)
    conversation.responder = responder
    if responder != Responder.CLOSED:
        conversation.closed_at = None
