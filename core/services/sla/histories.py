"""A ticket as its clocks see it: what conditions look at, and what happened when."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.calendars.arithmetic import BusinessHours
from core.domain.conversation import Speaker
from core.domain.ids import TicketId
from core.domain.sla.clocks import History, Moment, Turn, turn_of_status
from core.domain.sla.policy import Policy, TicketFacts
from core.domain.ticket import ClosedAs, Priority, TicketStatus
from core.services.case import Case
from core.services.sla.rules import Rules
from core.storage.once import once
from core.storage.tables import (
    Account,
    Category,
    Conversation,
    Message,
    SlaTicket,
    Ticket,
    TicketEvent,
)

_SPOKE = {"customer": Turn.ASKED, "agent": Turn.ANSWERED}
_LEFT = frozenset({ClosedAs.MERGED, ClosedAs.SPAM})
"""Reasons of a ticket's end that can be taken back."""

ONE_OF_TICKETS = any_(bindparam("tickets", type_=ARRAY(Uuid())))
"""What an id is compared with, in statements that are given `tickets`."""

_MOMENTS = (
    select(
        TicketEvent.ticket_id,
        TicketEvent.field,
        TicketEvent.new,
        TicketEvent.reason,
        TicketEvent.at,
    )
    .where(TicketEvent.ticket_id == ONE_OF_TICKETS, TicketEvent.field.in_(("status", "message")))
    .order_by(TicketEvent.id)
)
_ASKED = (
    select(Ticket.id, func.least(Ticket.created_at, func.min(Message.created_at)).label("at"))
    .join(Conversation, Conversation.id == Ticket.conversation_id)
    .outerjoin(
        Message,
        (Message.conversation_id == Conversation.id)
        & (Message.speaker == Speaker.CUSTOMER)
        & (Message.seq >= Conversation.episode_first_seq)
        & Message.is_automatic.is_(False),
    )
    .where(Ticket.id == ONE_OF_TICKETS)
    .group_by(Ticket.id)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkedOut:
    """What was found while working out a ticket's clocks."""

    row: SlaTicket
    policy: Policy | None
    hours: BusinessHours
    history: History


async def facts_of(case: Case, rules: Rules) -> TicketFacts:
    """Return what policies' conditions look at, of which `rules` know the support plans."""
    account, day = case.conversation.account_id, case.ledger.now.date()
    return await facts_on(case.session, case.ticket, account, rules, day)


async def facts_on(
    session: AsyncSession, ticket: Ticket, account: str, rules: Rules, day: date
) -> TicketFacts:
    """Return what policies' conditions look at on `day`; `account` is the conversation's."""
    channel = await once(
        session,
        ("channel", account),
        lambda: session.scalar(select(Account.channel).where(Account.id == account)),
    )
    category = ticket.category_id
    categories = frozenset[UUID]()
    if category is not None:
        categories = await once(
            session, ("category", category), lambda: _with_those_above(session, category)
        )
    return TicketFacts(
        organisation=ticket.organisation_id,
        priority=Priority(ticket.priority),
        categories=categories,
        channel=channel,
        team=ticket.team_id,
        plan=rules.plan_of(ticket.organisation_id, day),
    )


async def asked_at(
    session: AsyncSession, tickets: Collection[TicketId]
) -> Mapping[TicketId, datetime]:
    """Return of each ticket when its requester first wrote about this matter.

    That is its opening where they did not.
    """
    if not tickets:
        return {}
    rows = await session.execute(_ASKED, {"tickets": list(tickets)})
    return {TicketId(row.id): row.at for row in rows}


async def moments_of(
    session: AsyncSession, tickets: Collection[TicketId]
) -> Mapping[TicketId, Sequence[Moment]]:
    """Return of each ticket what its history says of its status, and of who wrote when.

    What the transaction has only gathered so far is not in it.
    """
    found: dict[TicketId, list[Moment]] = {ticket: [] for ticket in tickets}
    events = await session.execute(_MOMENTS, {"tickets": list(tickets)})
    for name, field, new, reason, at in events:
        ticket = TicketId(name)
        if field == "status" and new is not None:
            status = TicketStatus(new)
            has_left = status == TicketStatus.CLOSED and reason in _LEFT
            turn = Turn.LEAVES if has_left else turn_of_status(status)
            found[ticket].append(Moment(at=at, turn=turn))
        elif spoke := _SPOKE.get(reason or ""):
            found[ticket].append(Moment(at=at, turn=spoke))
    return found


def history_of(ticket: Ticket, asked: datetime, moments: Sequence[Moment]) -> History:
    """Return what happened in a ticket since the requester `asked`."""
    return History(
        asked_at=asked, opened_at=ticket.created_at, moments=_with_first_answer(ticket, moments)
    )


def _with_first_answer(ticket: Ticket, moments: Sequence[Moment]) -> Sequence[Moment]:
    """Return `moments` with an answer that was given when answers were not in the history."""
    answered = ticket.first_response_at
    if answered is None or any(moment.turn == Turn.ANSWERED for moment in moments):
        return moments
    return sorted([*moments, Moment(at=answered, turn=Turn.ANSWERED)], key=lambda moment: moment.at)


async def _with_those_above(session: AsyncSession, category: UUID) -> frozenset[UUID]:
    tree = (
        select(Category.id, Category.parent_id).where(Category.id == category).cte(recursive=True)
    )
    tree = tree.union(
        select(Category.id, Category.parent_id).join(tree, Category.id == tree.c.parent_id)
    )
    return frozenset(await session.scalars(select(tree.c.id)))
