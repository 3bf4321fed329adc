"""Organisations: whose a ticket is."""

from __future__ import annotations

from core.services.case import Case
from core.services.reactions.reactor import TicketChange
from core.services.requester_records.organisations import organisation_of


class OrganisationOfTickets:
    """Gives a new ticket its requester's organisation, which it keeps when they change theirs."""

    name = "organisation"

    async def react(self, case: Case, change: TicketChange) -> None:
        """Look at tickets that were just opened."""
        if not change.is_opening or case.ticket.organisation_id is not None:
            return
        case.ticket.organisation_id = await organisation_of(case.session, case.ticket.contact_id)
