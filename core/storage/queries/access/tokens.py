"""Reads which API tokens there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.actor import Role
from core.domain.errors import InvalidInput
from core.storage.tables import AgentRow, ApiToken


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenView:
    """A token as admins see it; the token itself is nowhere kept."""

    id: UUID
    name: str
    email: str  # of its agent
    role: Role
    scopes: Sequence[str]
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None
    revoked_at: datetime | None

    def is_valid(self, now: datetime) -> bool:
        """Say whether programs may still come in with it."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)


async def list_tokens(
    session: AsyncSession, *, start: UUID | None = None, limit: int | None = None
) -> Sequence[TokenView]:
    """Return tokens, the newest first, those revoked last.

    Raises:
        InvalidInput: there is no token `start`, from which on they are wanted.
    """
    query = (
        select(ApiToken, AgentRow.email)
        .join(AgentRow, AgentRow.id == ApiToken.agent_id)
        .order_by(ApiToken.revoked_at.is_not(None), ApiToken.created_at.desc(), ApiToken.id)
        .limit(limit)
    )
    if start is not None:
        first = await session.scalar(select(ApiToken).where(ApiToken.id == start))
        query = query.where(_from(first))
    return [
        TokenView(
            id=row.id,
            name=row.name,
            email=email,
            role=Role(row.role),
            scopes=row.scopes,
            created_at=row.created_at,
            last_used_at=row.last_used_at,
            expires_at=row.expires_at,
            revoked_at=row.revoked_at,
        )
        for row, email in await session.execute(query)
    ]


def _from(first: ApiToken | None) -> ColumnElement[bool]:
    if first is None:
        raise InvalidInput("the cursor is not one that a list gave")
    alike = and_(ApiToken.created_at == first.created_at, ApiToken.id >= first.id)
    later = or_(ApiToken.created_at < first.created_at, alike)
    if first.revoked_at is not None:
        return and_(ApiToken.revoked_at.is_not(None), later)
    return or_(ApiToken.revoked_at.is_not(None), later)
