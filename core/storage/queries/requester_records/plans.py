"""Reads support plans, and which organisations have them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.errors import NotFound
from core.domain.plans import Held, PlanId, Term
from core.storage.tables import Organisation, SupportPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanView:
    """A support plan."""

    id: PlanId
    name: str
    channels: Sequence[str]  # that it covers; none: all of them
    notes: str
    revision: int
    is_archived: bool
    organisations: int  # that have it


async def list_plans(session: AsyncSession, *, with_archived: bool = False) -> Sequence[PlanView]:
    """Return plans by name."""
    count = (
        select(func.count())
        .where(Organisation.plan_id == SupportPlan.id, Organisation.archived_at.is_(None))
        .correlate(SupportPlan)
        .scalar_subquery()
    )
    query = select(SupportPlan, count).order_by(func.lower(SupportPlan.name))
    if not with_archived:
        query = query.where(SupportPlan.archived_at.is_(None))
    return [
        PlanView(
            id=PlanId(row.id),
            name=row.name,
            channels=row.channels,
            notes=row.notes,
            revision=row.revision,
            is_archived=row.archived_at is not None,
            organisations=organisations,
        )
        for row, organisations in await session.execute(query)
    ]


async def plan_view(session: AsyncSession, plan: PlanId) -> PlanView:
    """Return one plan.

    Raises:
        NotFound: there is none.
    """
    for one in await list_plans(session, with_archived=True):
        if one.id == plan:
            return one
    raise NotFound("there is no such plan")


async def plan_named(session: AsyncSession, name: str) -> PlanId:
    """Return the plan that `name`, its id or what it is called, means.

    Raises:
        NotFound: there is none.
    """
    try:
        wanted = SupportPlan.id == UUID(name)
    except ValueError:
        wanted = func.lower(SupportPlan.name) == " ".join(name.split()).lower()
    found = await session.scalar(select(SupportPlan.id).where(wanted))
    if found is None:
        raise NotFound("there is no such plan")
    return PlanId(found)


async def plans_held(session: AsyncSession) -> Mapping[UUID, Held]:
    """Return the plan of each organisation that has one, in force or not."""
    rows = await session.execute(
        select(
            Organisation.id, Organisation.plan_id, Organisation.plan_from, Organisation.plan_until
        ).where(Organisation.plan_id.is_not(None))
    )
    return {
        row.id: Held(plan=PlanId(row.plan_id), term=Term(starts=row.plan_from, ends=row.plan_until))
        for row in rows
    }


def in_force() -> ColumnElement[bool]:
    """Return the condition that an `Organisation`'s plan is in force today."""
    today = func.current_date()
    return and_(
        or_(Organisation.plan_from.is_(None), Organisation.plan_from <= today),
        or_(Organisation.plan_until.is_(None), today <= Organisation.plan_until),
    )
