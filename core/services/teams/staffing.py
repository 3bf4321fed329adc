"""The services by which tickets find their people, put together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from core.services.ledger import Accounts
from core.services.teams.assignment import Assignment
from core.services.teams.crew import Crew
from core.services.teams.escalation import Escalations
from core.services.teams.returning import Returning
from core.services.teams.rulebook import RuleBook
from core.services.teams.teams import Teams
from core.storage.engine import Sessions


@dataclass(frozen=True, slots=True, kw_only=True)
class Staffing:
    """Teams, agents at work, and what brings tickets to them."""

    teams: Teams
    crew: Crew
    rules: RuleBook
    assignment: Assignment
    escalations: Escalations
    returning: Returning


def staffing_of(
    sessions: Sessions,
    accounts: Accounts,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Staffing:
    """Build the services on one database."""
    return Staffing(
        teams=Teams(sessions),
        crew=Crew(sessions, now),
        rules=RuleBook(sessions),
        assignment=Assignment(sessions, accounts, now),
        escalations=Escalations(sessions, accounts, now),
        returning=Returning(sessions, accounts, now),
    )
