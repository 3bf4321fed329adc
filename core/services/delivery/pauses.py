"""Accounts whose messages wait, and the one message that finds out whether they still have to."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum, auto

from sqlalchemy import or_, update
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.account import AccountState, Health
from core.domain.channel import Receipt
from core.domain.errors import DeliveryError, Unavailable, Uncertain
from core.domain.ids import AccountId
from core.storage.queries.accounts.accounts import write_health
from core.storage.tables import Account

PROBED_EVERY = timedelta(seconds=60)
"""How often a paused account is tried, and how long a probe may take."""


class Gate(Enum):
    """Whether an account's messages may leave."""

    OPEN = auto()
    CLOSED = auto()  # paused
    PROBE = auto()  # the pause is over: one message goes first


async def gate_of(session: AsyncSession, account: str, now: datetime) -> Gate:
    """Say whether messages of `account` may leave; one that may as a probe is claimed."""
    row = await session.get(Account, account)
    if row is not None and not row.is_enabled:
        return Gate.CLOSED  # by an admin
    if row is None or row.paused_until is None:
        return Gate.OPEN
    if row.paused_until > now:
        return Gate.CLOSED
    # Of all that waited, one goes first; should its worker die, another does after a while.
    claimed = await session.execute(
        update(Account)
        .where(Account.id == account, Account.paused_until <= now)
        .values(paused_until=now + PROBED_EVERY)
        .returning(Account.id)
        .execution_options(synchronize_session=False)
    )
    return Gate.CLOSED if claimed.first() is None else Gate.PROBE


async def resume(
    session: AsyncSession, account: AccountId, outcome: Receipt | DeliveryError, now: datetime
) -> None:
    """Let everything of `account` leave again, unless `outcome` leaves its credentials in doubt."""
    row = await session.get(Account, account, with_for_update=True, populate_existing=True)
    if row is None:
        return
    nobody_looked = isinstance(outcome, Unavailable | Uncertain)
    if row.health == AccountState.BAD_CREDENTIALS and nobody_looked:
        return  # another probe follows
    row.paused_until, row.pause_reason = None, None
    if row.health == AccountState.BAD_CREDENTIALS:
        await write_health(session, account, Health(state=AccountState.CONNECTED), now)


async def pause(session: AsyncSession, account: str, until: datetime, reason: str | None) -> None:
    """Let nothing of `account` leave before `until`; a longer pause stays."""
    await session.execute(
        update(Account)
        .where(
            Account.id == account,
            or_(Account.paused_until.is_(None), Account.paused_until < until),
        )
        .values(paused_until=until, pause_reason=reason)
    )
