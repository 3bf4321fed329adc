"""A ticket as its clocks see it: what conditions look at, and what happened when."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.conversation import Speaker
from core.domain.sla.clocks import History, Moment, Turn, turn_of_status
from core.domain.sla.policy import TicketFacts
from core.domain.ticket import Priority, TicketStatus
from core.services.case import Case
from core.storage.once import once
from core.storage.tables import Account, Category, Message, Ticket, TicketEvent

_SPOKE = {"customer": Turn.ASKED, "agent": Turn.ANSWERED}


async def facts_of(case: Case) -> TicketFacts:
    """Return what policies' conditions look at."""
    ticket, account = case.ticket, case.conversation.account_id
    channel = await once(
        case.session,
        ("channel", account),
        lambda: case.session.scalar(select(Account.channel).where(Account.id == account)),
    )
    return TicketFacts(
        organisation=ticket.organisation_id,
        priority=Priority(ticket.priority),
        categories=await _with_those_above(case.session, ticket.category_id),
        channel=channel,
        team=ticket.team_id,
    )


async def asked_at(case: Case) -> datetime:
    """Return when the requester first wrote about this matter; the opening where they did not."""
    said = await case.session.scalar(
        select(func.min(Message.created_at)).where(
            Message.conversation_id == case.conversation.id,
            Message.speaker == Speaker.CUSTOMER,
            Message.seq >= case.conversation.episode_first_seq,
            Message.is_automatic.is_(False),
        )
    )
    opened = case.ticket.created_at
    return opened if said is None else min(said, opened)


async def history_of(case: Case, asked: datetime) -> History:
    """Return what happened in a ticket since the requester `asked`.

    What the transaction has only gathered so far is not in it.
    """
    ticket = case.ticket
    events = await case.session.execute(
        select(TicketEvent.field, TicketEvent.new, TicketEvent.reason, TicketEvent.at)
        .where(TicketEvent.ticket_id == ticket.id, TicketEvent.field.in_(("status", "message")))
        .order_by(TicketEvent.id)
    )
    moments: list[Moment] = []
    for field, new, reason, at in events:
        if field == "status" and new is not None:
            moments.append(Moment(at=at, turn=turn_of_status(TicketStatus(new))))
        elif turn := _SPOKE.get(reason or ""):
            moments.append(Moment(at=at, turn=turn))
    return History(
        asked_at=asked, opened_at=ticket.created_at, moments=_with_first_answer(ticket, moments)
    )


def _with_first_answer(ticket: Ticket, moments: list[Moment]) -> list[Moment]:
    """Return `moments` with an answer that was given when answers were not in the history."""
    answered = ticket.first_response_at
    if answered is None or any(moment.turn == Turn.ANSWERED for moment in moments):
        return moments
    return sorted([*moments, Moment(at=answered, turn=Turn.ANSWERED)], key=lambda moment: moment.at)


async def _with_those_above(session: AsyncSession, category: UUID | None) -> frozenset[UUID]:
    if category is None:
        return frozenset()
    tree = (
        select(Category.id, Category.parent_id).where(Category.id == category).cte(recursive=True)
    )
    tree = tree.union(
        select(Category.id, Category.parent_id).join(tree, Category.id == tree.c.parent_id)
    )
    return frozenset(await session.scalars(select(tree.c.id)))
