"""Reads words that mean the same."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.ids import OrganisationId, SynonymsId
from core.domain.knowledge import Synonyms
from core.storage.tables import SynonymsRow


def synonyms_of(row: SynonymsRow) -> Synonyms:
    """Return what `row` keeps."""
    return Synonyms(
        id=SynonymsId(row.id),
        terms=tuple(row.terms),
        organisation=None if row.organisation_id is None else OrganisationId(row.organisation_id),
    )


async def all_synonyms(session: AsyncSession) -> Sequence[Synonyms]:
    """Return the synonyms of the whole desk, the oldest first."""
    rows = await session.scalars(select(SynonymsRow).order_by(SynonymsRow.id))
    return [synonyms_of(row) for row in rows]


async def synonyms_for(
    session: AsyncSession, organisation: OrganisationId | None
) -> Sequence[Synonyms]:
    """Return the synonyms that count in questions of `organisation`."""
    rows = await session.scalars(
        select(SynonymsRow)
        .where(
            or_(
                SynonymsRow.organisation_id.is_(None),
                SynonymsRow.organisation_id == organisation,
            )
        )
        .order_by(SynonymsRow.id)
    )
    return [synonyms_of(row) for row in rows]
