"""Reads organisations by name."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.ids import OrganisationId
from core.storage.tables import Organisation


async def organisation_names(
    session: AsyncSession, *, also: Collection[OrganisationId] = ()
) -> dict[OrganisationId, str]:
    """Return the names of the organisations in use, and of those in `also`, in order."""
    rows = await session.execute(
        select(Organisation.id, Organisation.name)
        .where(or_(Organisation.archived_at.is_(None), Organisation.id.in_(also)))
        .order_by(Organisation.name)
    )
    return {OrganisationId(key): name for key, name in rows}
