"""Sends a ticket to its team when it is opened, and again when its category changes."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.ids import TicketId
from core.domain.routing import Rule, first_that_fits
from core.services.case import Case
from core.services.reactions.reactor import TicketChange
from core.services.teams.shelf import RoutingShelf
from core.services.teams.wanting import routing_row, routing_rows
from core.storage.queries.teams.routing import beside, facts_for_routing
from core.storage.tables import TicketRouting

ACTOR = "reactor:routing"
_LOOKED_AT = frozenset({"status", "team", "category"})


class RoutingOfTickets:
    """Follows the rules, unless a person has chosen the team or has the ticket already."""

    name = "routing"

    def __init__(self) -> None:
        self._shelf = RoutingShelf()

    async def prepare(
        self, session: AsyncSession, changes: Sequence[tuple[Case, TicketChange]]
    ) -> Sequence[TicketRouting]:
        """Read what is kept of the ways of tickets that may be routed, and what rules look at."""
        session.info[self] = await beside(
            session, {TicketId(case.ticket.id) for case, change in changes if _is_routed(change)}
        )
        ways = {TicketId(case.ticket.id) for case, change in changes if change.field in _LOOKED_AT}
        return await routing_rows(session, ways)

    async def react(self, case: Case, change: TicketChange) -> None:
        """Look at tickets that were opened or got another category, and at what people choose."""
        if change.field == "team" and change.actor.startswith("agent:"):
            (await routing_row(case)).is_by_hand = True
        elif change.is_opening:
            if case.ticket.team_id is None:
                await self._route(case)
        elif (
            change.field == "category"
            and change.actor != ACTOR
            and case.ticket.assignee_id is None
            and not case.is_done
        ):
            row = await routing_row(case)
            if not row.is_by_hand:
                await self._route(case)

    async def _route(self, case: Case) -> None:
        in_force = await self._shelf.current(case.session)
        if not in_force.rules:
            return
        ticket = TicketId(case.ticket.id)
        known = case.session.info.get(self, {})
        if ticket not in known:
            known = await beside(case.session, {ticket})
        facts = facts_for_routing(
            case.ticket,
            case.conversation,
            known[ticket],
            in_force.parents,
            in_force.plans,
            case.ledger.now.date(),
        )
        rule = first_that_fits(in_force.rules, facts)
        if rule is not None:
            await _follow(case, rule)


def _is_routed(change: TicketChange) -> bool:
    return change.is_opening or (change.field == "category" and change.actor != ACTOR)


async def _follow(case: Case, rule: Rule) -> None:
    ticket = case.ticket
    row = await routing_row(case)
    row.rule_id = rule.id
    row.skills, row.skills_required = list(rule.skills), rule.skills_required
    row.language = rule.language
    case.pass_to(rule.team, actor=ACTOR, reason=rule.name)
    case.put_at(rule.level, actor=ACTOR)
    if rule.category is not None and ticket.category_id is None:
        ticket.category_id = rule.category
        case.ledger.record(ticket, "category", None, str(rule.category), actor=ACTOR)
    case.changed()
