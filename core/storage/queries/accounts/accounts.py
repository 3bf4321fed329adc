"""Connected accounts as the database has them: settings, and how they are doing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.account import AccountState, Health, Origin
from core.domain.ids import AccountId
from core.storage.tables import Account


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountMark:
    """What tells whether an account is another than the one last seen."""

    revision: int
    origin: Origin
    is_enabled: bool
    identity: str | None  # whom it speaks for on the platform


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAccount:
    """An account whose settings are in the database."""

    id: AccountId
    kind: str
    revision: int
    settings: Mapping[str, Any]
    secrets: bytes | None  # encrypted


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountView:
    """An account as admins see it; no secret is in it."""

    id: AccountId
    kind: str
    origin: Origin
    is_enabled: bool
    health: Health  # paused, where an admin switched it off
    since: datetime
    paused_until: datetime | None  # the platform asked the desk to wait
    pause_reason: str | None
    settings: Mapping[str, Any]


async def account_marks(session: AsyncSession) -> dict[AccountId, AccountMark]:
    """Return a mark for each account; cheap enough for every second."""
    rows = await session.execute(
        select(Account.id, Account.revision, Account.origin, Account.is_enabled, Account.identity)
    )
    return {
        AccountId(name): AccountMark(
            revision=revision,
            origin=Origin(origin),
            is_enabled=is_enabled,
            identity=identity,
        )
        for name, revision, origin, is_enabled, identity in rows
    }


async def stored_accounts(
    session: AsyncSession, accounts: Collection[AccountId]
) -> Sequence[StoredAccount]:
    """Return those of `accounts` that exist."""
    rows = await session.scalars(select(Account).where(Account.id.in_(accounts)))
    return [
        StoredAccount(
            id=AccountId(row.id),
            kind=row.channel,
            revision=row.revision,
            settings=row.settings,
            secrets=row.secrets,
        )
        for row in rows
    ]


async def list_accounts(session: AsyncSession) -> Sequence[AccountView]:
    """Return all accounts, by name."""
    rows = await session.scalars(select(Account).order_by(Account.id))
    return [_view(row) for row in rows]


def _view(row: Account) -> AccountView:
    state = AccountState(row.health)
    health = Health(state=state, reason=row.health_reason, remedy=row.health_remedy)
    return AccountView(
        id=AccountId(row.id),
        kind=row.channel,
        origin=Origin(row.origin),
        is_enabled=row.is_enabled,
        health=health if row.is_enabled else Health(state=AccountState.PAUSED),
        since=row.health_at,
        paused_until=row.paused_until,
        pause_reason=row.pause_reason,
        settings=row.settings,
    )


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
