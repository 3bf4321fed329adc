"""Sends a ticket to its team when it is opened, and again when its category changes."""

from __future__ import annotations

from core.domain.ids import TicketId
from core.domain.routing import Rule, first_that_fits
from core.services.case import Case
from core.services.reactions.reactor import TicketChange
from core.services.teams.wanting import routing_row
from core.storage.queries.routing import routed_ticket, rules_in_force

ACTOR = "reactor:routing"


class RoutingOfTickets:
    """Follows the rules, unless a person has chosen the team or has the ticket already."""

    name = "routing"

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
        rules = await rules_in_force(case.session)
        if not rules:
            return
        ticket = await routed_ticket(case.session, TicketId(case.ticket.id))
        rule = first_that_fits(rules, ticket.facts)
        if rule is not None:
            await _follow(case, rule)


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
