"""Organisations: whose a ticket is."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from core.services.case import Case
from core.services.reactions.reactor import TicketChange
from core.services.requester_records.organisations import organisations_of


class OrganisationOfTickets:
    """Gives a new ticket its requester's organisation, which it keeps when they change theirs."""

    name = "organisation"

    async def prepare(
        self, session: AsyncSession, changes: Sequence[tuple[Case, TicketChange]]
    ) -> None:
        """Find out whose the requesters of new tickets are."""
        contacts = {case.ticket.contact_id for case, change in changes if _is_without(case, change)}
        session.info[self] = await organisations_of(session, contacts)

    async def react(self, case: Case, change: TicketChange) -> None:
        """Look at tickets that were just opened."""
        if not _is_without(case, change):
            return
        contact = case.ticket.contact_id
        known = case.session.info.get(self, {})
        if contact not in known:
            known = await organisations_of(case.session, {contact})
        case.ticket.organisation_id = known[contact]


def _is_without(case: Case, change: TicketChange) -> bool:
    return change.is_opening and case.ticket.organisation_id is None
