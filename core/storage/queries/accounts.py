"""Connected accounts and how they are doing."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import or_, update
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.account import Health
from core.domain.ids import AccountId
from core.storage.tables import Account


async def write_health(
    session: AsyncSession, account: AccountId, health: Health, now: datetime
) -> None:
    """Note how an account is doing; `health_at` is when this began."""
    await session.execute(
        update(Account)
        .where(
            Account.id == account,
            or_(
                Account.health != health.state,
                Account.health_reason != health.reason,
                Account.health_remedy != health.remedy,
            ),
        )
        .values(
            health=health.state,
            health_reason=health.reason,
            health_remedy=health.remedy,
            health_at=now,
        )
    )
