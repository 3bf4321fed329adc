"""Reads which API tokens there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.actor import Role
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


async def list_tokens(session: AsyncSession) -> Sequence[TokenView]:
    """Return all tokens, the newest first, those revoked last."""
    rows = await session.execute(
        select(ApiToken, AgentRow.email)
        .join(AgentRow, AgentRow.id == ApiToken.agent_id)
        .order_by(ApiToken.revoked_at.is_not(None), ApiToken.created_at.desc(), ApiToken.id)
    )
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
        for row, email in rows
    ]
