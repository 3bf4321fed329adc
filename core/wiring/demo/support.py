"""What the demonstration's organisations have agreed on, and a ticket that came by telephone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from core.domain.actor import Agent
from core.domain.ids import ContactId, TicketId
from core.domain.plans import PlanId, Term
from core.domain.ticket import CameBy
from core.services.classification.sorting import Sorting
from core.services.requester_records.plans import PlanDraft, SupportPlans
from core.services.tickets.registrations import Registration, Registrations
from core.storage.engine import Sessions

PRIORITY, STANDARD = "Priority support", "Standard support"

PLANS = (
    PlanDraft(name=PRIORITY, notes="All channels; an answer within the hour in office hours."),
    PlanDraft(name=STANDARD, channels=("email", "webchat"), notes="Web chat and e-mail."),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreed:
    """Which plan an organisation has, and how many days it has had it and will have it."""

    plan: str
    since_days: int
    days_left: int | None = None  # none: until somebody ends it

    def term(self, today: date) -> Term:
        """Return from which day to which the plan is in force."""
        ends = None if self.days_left is None else today + timedelta(days=self.days_left)
        return Term(starts=today - timedelta(days=self.since_days), ends=ends)


AGREED: Mapping[str, Agreed] = {
    "Clínica del Valle": Agreed(plan=PRIORITY, since_days=400, days_left=45),
    "Northwind Books": Agreed(plan=STANDARD, since_days=200),
}
"""By organisation; the others have agreed on nothing."""

CALLED = "The projector in lecture hall 2 shows no picture"
CALL = (
    "Called from the porter's lodge: the projector in lecture hall 2 shows no picture, lamp and "
    "cable are fine. The next lecture is tomorrow at nine. Call back on extension 412."
)


async def add_plans(sessions: Sessions, by: Agent) -> Mapping[str, PlanId]:
    """Add the plans; return them by name."""
    plans = SupportPlans(sessions)
    return {draft.name: await plans.add(draft, by) for draft in PLANS}


async def register_call(
    registrations: Registrations, requester: ContactId, sorting: Sorting, by: Agent
) -> TicketId:
    """Register what a requester told `by` on the telephone."""
    wanted = Registration(
        requester=requester,
        subject=CALLED,
        text=CALL,
        came_by=CameBy.PHONE,
        sorting=sorting,
        tells=False,
    )
    return await registrations.open(wanted, by)
