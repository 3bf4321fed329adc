"""Reads what rules did, what became of the calls of webhooks, and where programs report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.ids import TicketId
from core.storage.queries.access.sight import Sight
from core.storage.queries.by_name import from_row
from core.storage.tables import AutomationRun, IncomingHook, Ticket, WebhookDelivery


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """That a rule applied to a ticket, why, and what it did."""

    id: int
    ticket: TicketId
    number: int
    at: datetime
    why: str  # what had changed; "idle" where the clock had the rule apply
    did: Sequence[Mapping[str, Any]]  # each action, with `core.services.automation.failures`


async def runs_of(
    session: AsyncSession,
    rule: UUID,
    *,
    sight: Sight | None = None,
    before: int | None = None,
    limit: int = 50,
) -> Sequence[RunView]:
    """Return when a rule applied to tickets that `sight` holds, latest first."""
    query = (
        select(AutomationRun, Ticket.number)
        .join(Ticket, Ticket.id == AutomationRun.ticket_id)
        .where(AutomationRun.rule_id == rule)
        .order_by(AutomationRun.id.desc())
        .limit(limit)
    )
    if sight is not None:
        query = query.where(sight.holds())
    if before is not None:
        query = query.where(AutomationRun.id < before)
    return [
        RunView(
            id=row.id,
            ticket=TicketId(row.ticket_id),
            number=number,
            at=row.at,
            why=row.why,
            did=row.did,
        )
        for row, number in await session.execute(query)
    ]


async def hooks_by_name(
    session: AsyncSession, *, start: UUID | None = None, limit: int = 50
) -> Sequence[IncomingHook]:
    """Return the addresses that programs report to by name, from `start` on where it is named.

    Raises:
        InvalidInput: that one is not there.
    """
    here = await from_row(session, IncomingHook.name, IncomingHook.id, start)
    order = (IncomingHook.name, IncomingHook.id)
    return (
        await session.scalars(select(IncomingHook).where(here).order_by(*order).limit(limit))
    ).all()


async def calls_of(
    session: AsyncSession,
    webhook: UUID,
    *,
    status: str | None = None,
    before: UUID | None = None,
    limit: int = 50,
) -> Sequence[WebhookDelivery]:
    """Return a webhook's calls, the latest first."""
    query = (
        select(WebhookDelivery)
        .where(WebhookDelivery.webhook_id == webhook)
        .order_by(WebhookDelivery.id.desc())
        .limit(limit)
    )
    if status is not None:
        query = query.where(WebhookDelivery.status == status)
    if before is not None:
        query = query.where(WebhookDelivery.id < before)
    return (await session.scalars(query)).all()
