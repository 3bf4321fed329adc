"""Lets somebody see a message that never arrived, or perhaps not: its ticket is opened."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from core.domain.assistant import HandoffReason
from core.domain.channel import DeliveryState
from core.domain.conversation import Cause, Responder, Speaker, next_responder
from core.domain.ids import ConversationId, TicketId
from core.domain.ticket import CATEGORY, StatusCategory, TicketStatus, TicketTrigger, next_status
from core.services.ledger import Ledger
from core.services.locks import locked
from core.services.tickets.handoff import hand_off
from core.storage.feed import FeedKind
from core.storage.queries.links.merges import ticket_above
from core.storage.tables import Conversation, Message, Ticket

SIDE_LOST = "side_lost"
"""Field of a ticket's history: a letter beside it does not arrive, or perhaps not, with whose."""


async def home_of(session: AsyncSession, conversation: ConversationId) -> set[ConversationId]:
    """Return the conversations that are to be locked with one because its ticket is theirs.

    It was merged into one, or is held beside one, which may have been merged itself.
    """
    main = aliased(Conversation)
    homes = (
        await session.execute(
            select(Conversation.merged_into, Conversation.side_of, main.merged_into)
            .outerjoin(main, main.id == Conversation.side_of)
            .where(Conversation.id == conversation)
        )
    ).one_or_none()
    return {ConversationId(home) for home in homes or () if home is not None}


async def is_awaited(session: AsyncSession, conversation: Conversation, message: Message) -> bool:
    """Say whether `message` is an answer that the requester still expects of the assistant.

    Also where the assistant has closed the conversation since: no human has seen it.
    """
    if message.speaker != Speaker.BOT:
        return False
    if conversation.responder == Responder.CLOSED:
        is_here = Ticket.conversation_id == conversation.id
        was_seen = exists().where(is_here, Ticket.solved_at >= message.at)
        is_alone = conversation.merged_into is None and conversation.side_of is None
        return is_alone and not await session.scalar(select(was_seen))
    return conversation.responder == Responder.BOT


async def show_lost(
    session: AsyncSession,
    conversation: Conversation,
    lost: Message,
    ledger: Ledger,
    *,
    tells: bool,
) -> None:
    """Let agents see that `lost`, of a locked conversation, failed or is parked.

    An answer that the requester expects of the assistant opens a ticket where there is none; with
    `tells` the requester is told its number. Of what else was said, the ticket is opened again.
    """
    if not await is_awaited(session, conversation, lost):
        await reopen_ticket_of(session, conversation, lost, ledger)
        return
    await hand_off(
        session,
        ledger,
        conversation,
        reason=_why(lost),
        actor="platform",
        silent=not tells,
    )


async def reopen_ticket_of(
    session: AsyncSession, conversation: Conversation, lost: Message, ledger: Ledger
) -> None:
    """Open the ticket again of `lost` in a locked conversation, also one it was merged into.

    Of a letter to a third party, it is the ticket that this is held beside.
    """
    if conversation.side_of is not None:
        await wake_main(session, ledger, conversation, lost=lost)
        return
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


async def wake_main(
    session: AsyncSession, ledger: Ledger, side: Conversation, *, lost: Message | None = None
) -> None:
    """Let the ticket that waits for a third party be looked at.

    They have answered, or `lost`, which was written to them, does not arrive.
    """
    main = await session.get_one(Conversation, side.side_of)
    above = None if main.merged_into is None else await ticket_above(session, main.id)
    is_theirs = Ticket.conversation_id == main.id if above is None else Ticket.id == above
    ticket = await session.scalar(
        select(Ticket).where(is_theirs, Ticket.status != TicketStatus.CLOSED).with_for_update()
    )
    if ticket is None:
        return
    actor, reason = ("third_party", "side_answer") if lost is None else ("platform", _why(lost))
    old = TicketStatus(ticket.status)
    if CATEGORY[old] == StatusCategory.WAITING:
        ticket.status = next_status(old, TicketTrigger.REOPENED)
        ledger.record(ticket, "status", old, ticket.status, actor=actor, reason=reason)
    if lost is not None:
        ledger.record(ticket, SIDE_LOST, None, side.address or "?", actor=actor, reason=reason)
    home = await session.get_one(Conversation, ticket.conversation_id)
    ledger.changed(home, FeedKind.TICKET, TicketId(ticket.id))


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
    ledger.record(ticket, "status", old, new, actor="platform", reason=_why(lost))
    ledger.changed(conversation, FeedKind.TICKET, TicketId(ticket.id))
    if was_done and conversation.responder == Responder.CLOSED:
        conversation.responder = next_responder(Responder.CLOSED, Cause.TICKET_REOPENED)
        if ticket.assignee_id is not None:
            conversation.responder = next_responder(
                Responder(conversation.responder), Cause.AGENT_TOOK
            )
        conversation.closed_at = None
        ledger.changed(conversation, FeedKind.CONVERSATION)


def _why(lost: Message) -> HandoffReason:
    is_parked = lost.delivery == DeliveryState.PARKED
    return HandoffReason.IN_DOUBT if is_parked else HandoffReason.NOT_DELIVERED


def _is_afterword(message: Message, solved_at: datetime) -> bool:
    """Say whether a machine said `message` once all was done: that it is so, or a survey."""
    return message.speaker != Speaker.AGENT and message.at >= solved_at
