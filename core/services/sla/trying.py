"""Which policy a ticket falls under by the rules as they are now, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.errors import NotFound
from core.domain.ids import TicketId
from core.domain.sla.policy import Policy, TicketFacts, misfits
from core.services.sla.histories import facts_on
from core.services.sla.rules import PromiseBook
from core.storage.tables import Conversation, Ticket


@dataclass(frozen=True, slots=True, kw_only=True)
class Considered:
    """A policy that was looked at, and which of its conditions the ticket does not fit."""

    policy: Policy
    misfits: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What conditions looked at, and the policies in their order up to the one that fits."""

    facts: TicketFacts
    considered: Sequence[Considered]

    @property
    def policy(self) -> Policy | None:
        """Return the policy that the ticket falls under."""
        last = self.considered[-1] if self.considered else None
        return last.policy if last is not None and not last.misfits else None


async def try_policies(session: AsyncSession, ticket: TicketId, day: date) -> Trial:
    """Return which policy a ticket falls under on `day`, and why.

    Raises:
        NotFound: there is no such ticket.
    """
    found = (
        await session.execute(
            select(Ticket, Conversation.account_id)
            .join(Conversation, Conversation.id == Ticket.conversation_id)
            .where(Ticket.id == ticket)
        )
    ).one_or_none()
    if found is None:
        raise NotFound("there is no such ticket")
    row, account = found
    rules = await PromiseBook().current(session)
    facts = await facts_on(session, row, account, rules, day)
    considered = []
    for policy in rules.policies:
        lacks = misfits(policy.conditions, facts)
        considered.append(Considered(policy=policy, misfits=lacks))
        if not lacks:
            break
    return Trial(facts=facts, considered=considered)
