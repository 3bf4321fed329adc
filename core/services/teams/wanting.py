"""Keeps of each ticket whether the desk is to find an agent for it."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import ARRAY, Uuid, any_, bindparam, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.ids import TicketId
from core.domain.ticket import CATEGORY, StatusCategory, TicketStatus
from core.services.case import Case
from core.services.reactions.reactor import TicketChange
from core.storage.tables import TeamMember, TicketRouting

ACTOR = "reactor:wanting"
_MOVES_IT = frozenset({"status", "assignee", "team", "level"})
_BEGIN = text(
    "INSERT INTO ticket_routing (ticket_id) SELECT unnest(CAST(:tickets AS uuid[]))"
    " ON CONFLICT DO NOTHING"
)
_OF_TICKETS = select(TicketRouting).where(
    TicketRouting.ticket_id == any_(bindparam("tickets", type_=ARRAY(Uuid())))
)


async def routing_row(case: Case) -> TicketRouting:
    """Return what is kept of the way of a ticket, which `case` has locked."""
    row = await case.session.get(TicketRouting, case.ticket.id)
    if row is None:
        row = TicketRouting(
            ticket_id=case.ticket.id,
            is_by_hand=False,
            skills=[],
            skills_required=False,
            language="preferred",
            passed_over=[],
        )
        case.session.add(row)
    return row


async def routing_rows(
    session: AsyncSession, tickets: Collection[TicketId]
) -> Sequence[TicketRouting]:
    """Return what is kept of the ways of several locked tickets, begun where nothing is yet."""
    if not tickets:
        return ()
    await session.execute(_BEGIN, {"tickets": list(tickets)})
    rows = await session.scalars(_OF_TICKETS, {"tickets": list(tickets)})
    return rows.all()


def _comes_to_us(change: TicketChange) -> bool:
    """Say whether a ticket is opened, or waits for us again."""
    was_open = change.old is not None and _category(change.old) == StatusCategory.OPEN
    return not was_open and _category(change.new or "") == StatusCategory.OPEN


def _category(status: str) -> StatusCategory:
    return CATEGORY[TicketStatus(status)]


async def _begin_in_team(case: Case) -> None:
    """Let whoever has a ticket that a person passed to another team give it up."""
    holder, team = case.ticket.assignee_id, case.ticket.team_id
    if holder is None or team is None or case.is_done:
        return
    if await case.session.get(TeamMember, (team, holder)) is None:
        case.release(actor=ACTOR)


class WantingTickets:
    """Marks tickets of teams that wait for us and that nobody has; the assignment looks there."""

    name = "wanting"

    async def prepare(
        self, session: AsyncSession, changes: Sequence[tuple[Case, TicketChange]]
    ) -> Sequence[TicketRouting]:
        """Read what is kept of the ways of all these tickets."""
        moved = {TicketId(case.ticket.id) for case, change in changes if change.field in _MOVES_IT}
        return await routing_rows(session, moved)

    async def react(self, case: Case, change: TicketChange) -> None:
        """Look at changes that may leave a ticket without an agent, or give it one."""
        if change.field not in _MOVES_IT:
            return
        ticket = case.ticket
        row = await routing_row(case)
        if change.field in {"team", "level"}:
            row.passed_over = []
            row.at_level_since = change.at
            if change.field == "team" and change.actor.startswith("agent:"):
                await _begin_in_team(case)
        elif change.field == "status" and _comes_to_us(change):
            row.at_level_since = change.at
        elif change.field == "assignee" and change.actor == f"agent:{change.old}":
            # They gave it back: it is not to come to them again at once.
            row.passed_over = [*row.passed_over, change.old]
        is_open = _category(ticket.status) == StatusCategory.OPEN
        if is_open and ticket.assignee_id is None and ticket.team_id is not None:
            row.wanting_since = row.wanting_since or change.at
        else:
            row.wanting_since = None
        if not is_open or ticket.assignee_id is not None:
            row.untold_since = None
        elif change.field != "status" or _comes_to_us(change):
            row.untold_since = change.at
