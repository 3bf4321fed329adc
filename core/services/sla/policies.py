"""Policies and the closing rule as admins keep them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.actor import Agent
from core.domain.errors import InvalidInput, NotFound, Outdated
from core.domain.ids import new_id
from core.domain.sla.policy import Policy, PolicyId, check
from core.services.audit import record
from core.services.sla.rules import Closing, begin_change, hours_of_row
from core.storage.engine import Sessions, storage_errors
from core.storage.tables import CalendarRow, ClosingRule, SlaPolicy

MAX_DAYS = 365
_MINUTE = 60


class Policies:
    """The policies of the desk, in their order, and the rule by which tickets end."""

    def __init__(
        self, sessions: Sessions, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._sessions = sessions
        self._now = now

    async def add(self, policy: Policy, by: Agent) -> PolicyId:
        """Add a policy at the end; the id that `policy` has is not looked at.

        Raises:
            InvalidInput: it cannot be kept, or names a calendar that is not there or hardly opens.
        """
        async with storage_errors(), self._sessions.begin() as session:
            await begin_change(session)
            last = await session.scalar(select(func.max(SlaPolicy.position)))
            row = SlaPolicy(id=new_id(), position=(last or 0) + 1, **_columns(check(policy)))
            session.add(row)
            await _flush(session)
            await self._check_reachable(session, policy)
            record(session, by.actor, "sla_policy.added", _subject(row), new=_said(row))
            return PolicyId(row.id)

    async def change(self, policy: Policy, by: Agent, *, revision: int | None = None) -> None:
        """Replace a policy; open tickets follow it within a short while.

        Raises:
            NotFound: there is none with its id.
            Outdated: it is not at `revision` any more.
            InvalidInput: it cannot be kept, or names a calendar that is not there.
        """
        async with storage_errors(), self._sessions.begin() as session:
            await begin_change(session)
            row = await _row(session, policy.id, revision)
            old = _said(row)
            for name, value in _columns(check(policy)).items():
                setattr(row, name, value)
            await _flush(session)
            await self._check_reachable(session, policy)
            await session.refresh(row)
            record(session, by.actor, "sla_policy.changed", _subject(row), old=old, new=_said(row))

    async def _check_reachable(self, session: AsyncSession, policy: Policy) -> None:
        """Refuse what would never be due: clocks of tickets could not be worked out."""
        if policy.calendar is not None:
            calendar = await session.get_one(CalendarRow, policy.calendar)
            hours_of_row(calendar).later(self._now(), max(policy.targets.values()))

    async def archive(self, policy: PolicyId, by: Agent, *, revision: int | None = None) -> None:
        """Take a policy out of use; tickets fall under the next one that fits them.

        Raises:
            NotFound: there is none.
            Outdated: it is not at `revision` any more.
        """
        async with storage_errors(), self._sessions.begin() as session:
            await begin_change(session)
            row = await _row(session, policy, revision)
            row.archived_at = self._now()
            record(session, by.actor, "sla_policy.removed", _subject(row), old=_said(row))

    async def put_in_order(self, policies: Sequence[PolicyId], by: Agent) -> None:
        """Let policies be looked at in this order; those not named come after them.

        Raises:
            InvalidInput: one is named twice, or is not there.
        """
        async with storage_errors(), self._sessions.begin() as session:
            await begin_change(session)
            rows = (
                await session.scalars(
                    select(SlaPolicy)
                    .where(SlaPolicy.archived_at.is_(None))
                    .order_by(SlaPolicy.position, SlaPolicy.id)
                    .with_for_update()
                )
            ).all()
            known = {row.id: row for row in rows}
            if len(set(policies)) != len(policies) or not known.keys() >= set(policies):
                raise InvalidInput("the order names a policy twice, or one that is not there")
            old = [row.name for row in rows]
            wanted = [known[policy] for policy in policies]
            wanted += [row for row in rows if row.id not in set(policies)]
            for position, row in enumerate(wanted, 1):
                row.position = position
            record(
                session,
                by.actor,
                "sla_policy.reordered",
                ("sla_policy", "*", "*"),
                old={"order": old},
                new={"order": [row.name for row in wanted]},
            )

    async def set_closing(
        self, closing: Closing, by: Agent, *, revision: int | None = None
    ) -> None:
        """Say when tickets that nobody writes in come to their end.

        Raises:
            InvalidInput: a number of days is out of range, or the reminder comes too late.
            Outdated: the rule is not at `revision` any more.
        """
        for days in (
            closing.remind_after_days, closing.solve_after_days, closing.close_after_days
        ):  # fmt: skip
            if days is not None and not 1 <= days <= MAX_DAYS:
                raise InvalidInput("a number of days lies between 1 and 365")
        remind, solve = closing.remind_after_days, closing.solve_after_days
        if remind is not None and solve is not None and remind >= solve:
            raise InvalidInput("the reminder comes before the end")
        async with storage_errors(), self._sessions.begin() as session:
            await begin_change(session)
            row = await session.get_one(ClosingRule, 1, with_for_update=True)
            if revision is not None and row.revision != revision:
                raise Outdated
            old = _closing_said(row)
            row.remind_after_days, row.solve_after_days = remind, solve
            row.close_after_days = closing.close_after_days
            record(
                session,
                by.actor,
                "closing_rule.changed",
                ("closing_rule", "1", ""),
                old=old,
                new=_closing_said(row),
            )


def _columns(policy: Policy) -> dict[str, Any]:
    wanted = policy.conditions
    return {
        "name": policy.name.strip(),
        "conditions": {
            name: sorted(str(each) for each in getattr(wanted, name))
            for name in (
                "organisations",
                "priorities",
                "categories",
                "channels",
                "teams",
                "plans",
            )
            if getattr(wanted, name)
        },
        "targets": {
            kind.value: int(target.total_seconds()) // _MINUTE
            for kind, target in policy.targets.items()
        },
        "start": policy.start,
        "calendar_id": policy.calendar,
        "warn_percent": policy.warn_percent,
        "raises_priority": policy.raises_priority,
        "tells_hours": policy.tells_hours,
    }


async def _row(session: AsyncSession, policy: PolicyId, revision: int | None) -> SlaPolicy:
    row = await session.get(SlaPolicy, policy, with_for_update=True)
    if row is None or row.archived_at is not None:
        raise NotFound("there is no such policy")
    if revision is not None and row.revision != revision:
        raise Outdated
    return row


async def _flush(session: AsyncSession) -> None:
    try:
        await session.flush()
    except IntegrityError as error:
        if "calendar_id" in str(error.orig):
            raise InvalidInput("there is no such calendar") from None
        raise


def _subject(row: SlaPolicy) -> tuple[str, str, str]:
    return "sla_policy", str(row.id), row.name


def _said(row: SlaPolicy) -> dict[str, Any]:
    return {
        "name": row.name,
        "conditions": dict(row.conditions),
        "targets": dict(row.targets),
        "start": str(row.start),
        "calendar": None if row.calendar_id is None else str(row.calendar_id),
        "warn_percent": row.warn_percent,
        "raises_priority": row.raises_priority,
        "tells_hours": row.tells_hours,
    }


def _closing_said(row: ClosingRule) -> dict[str, Any]:
    return {
        "remind_after_days": row.remind_after_days,
        "solve_after_days": row.solve_after_days,
        "close_after_days": row.close_after_days,
    }
