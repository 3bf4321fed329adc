"""The rules as admins keep them: added, changed, put in order, removed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.actor import Agent
from core.domain.automation.actions import HANDS_OVER
from core.domain.automation.fields import Comparison, Field
from core.domain.automation.rule import Rule
from core.domain.errors import InvalidInput, NotFound
from core.domain.ids import new_id
from core.services import audit
from core.services.automation.forms import actions_json, conditions_json, rule_of
from core.services.revisions import check_revision
from core.storage.engine import Sessions, storage_errors
from core.storage.queries.access.sight import sight_of
from core.storage.tables import AutomationRule


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptRule:
    """A rule with its name in the book."""

    id: UUID
    rule: Rule
    revision: int


class AutomationRules:
    """The book of rules; `core.services.automation.rules` applies them."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def list(self) -> Sequence[KeptRule]:
        """Return all rules in their order."""
        async with storage_errors(), self._sessions() as session:
            rows = await session.scalars(
                select(AutomationRule).order_by(AutomationRule.position, AutomationRule.id)
            )
            return [KeptRule(id=row.id, rule=rule_of(row), revision=row.revision) for row in rows]

    async def kept(self, rule: UUID) -> KeptRule:
        """Return one rule with its revision.

        Raises:
            NotFound: there is none.
        """
        async with storage_errors(), self._sessions() as session:
            row = await session.get(AutomationRule, rule)
        if row is None:
            raise NotFound("there is no such rule")
        return KeptRule(id=row.id, rule=rule_of(row), revision=row.revision)

    async def get(self, rule: UUID) -> Rule:
        """Return one rule.

        Raises:
            NotFound: there is none.
        """
        return (await self.kept(rule)).rule

    async def save(
        self, rule: UUID | None, wanted: Rule, by: Agent, *, revision: int | None = None
    ) -> UUID:
        """Replace a rule, or add one behind the others; return its id.

        Raises:
            Outdated: it is not of revision `revision` any more.
            InvalidInput: it would pass on tickets that `by` does not see.
        """
        async with storage_errors(), self._sessions.begin() as session:
            await _check_reach(session, wanted, by)
            old = None
            if rule is None:
                last = await session.scalar(select(func.max(AutomationRule.position)))
                row = AutomationRule(id=new_id(), position=(last or 0) + 1)
                session.add(row)
            else:
                row = await _locked(session, rule)
                check_revision(row, revision)
                old = _said(row)
            row.name, row.trigger = wanted.name.strip(), wanted.trigger
            row.is_on, row.stops = wanted.is_on, wanted.stops
            row.conditions = conditions_json(wanted.conditions)
            row.actions = actions_json(wanted.actions)
            audit.record(
                session,
                by.actor,
                "rule.added" if old is None else "rule.changed",
                ("rule", row.id, row.name),
                old=old,
                new=_said(row),
            )
            return row.id

    async def remove(self, rule: UUID, by: Agent) -> None:
        """Delete a rule with its log."""
        async with storage_errors(), self._sessions.begin() as session:
            row = await _locked(session, rule)
            audit.record(
                session, by.actor, "rule.removed", ("rule", rule, row.name), old=_said(row)
            )
            await session.delete(row)

    async def move(self, rule: UUID, step: int, by: Agent) -> None:
        """Put a rule `step` places down, or up where that is negative; at the ends it stays.

        Raises:
            NotFound: there is none.
        """
        await self._move(rule, lambda at: at + step, by)

    async def put_at(self, rule: UUID, place: int, by: Agent) -> None:
        """Put a rule at `place`, from 1; behind the others where there are not as many.

        Raises:
            NotFound: there is none.
        """
        await self._move(rule, lambda _: place - 1, by)

    async def _move(self, rule: UUID, to_place: Callable[[int], int], by: Agent) -> None:
        async with storage_errors(), self._sessions.begin() as session:
            rows = list(
                await session.scalars(
                    select(AutomationRule)
                    .order_by(AutomationRule.position, AutomationRule.id)
                    .with_for_update()
                )
            )
            at = next((n for n, row in enumerate(rows) if row.id == rule), None)
            if at is None:
                raise NotFound("there is no such rule")
            to = min(max(to_place(at), 0), len(rows) - 1)
            if to == at:
                return
            row = rows.pop(at)
            rows.insert(to, row)
            # The others stay as they were read: only the rule that was moved is another now.
            others = [
                {"id": one.id, "position": number, "revision": one.revision}
                for number, one in enumerate(rows)
                if one is not row
            ]
            await session.execute(update(AutomationRule), others)
            row.position = to
            audit.record(
                session,
                by.actor,
                "rule.moved",
                ("rule", rule, row.name),
                old={"place": at + 1},
                new={"place": to + 1},
            )


async def _check_reach(session: AsyncSession, wanted: Rule, by: Agent) -> None:
    """Refuse a rule by which `by` could come to see, or show, what is out of their sight."""
    if not any(action.kind in HANDS_OVER for action in wanted.actions):
        return
    sight = await sight_of(session, by)
    if sight is None:
        return
    seen = {str(team) for team in sight.teams}
    for condition in wanted.conditions.every:
        if condition.field is not Field.TEAM:
            continue
        if condition.comparison is Comparison.EMPTY:  # a ticket in no team is everybody's
            return
        if condition.comparison is Comparison.IS and seen.issuperset(condition.values):
            return
    raise InvalidInput("a rule that passes tickets on names, as a condition, teams that you see")


async def _locked(session: AsyncSession, rule: UUID) -> AutomationRule:
    row = await session.get(AutomationRule, rule, with_for_update=True)
    if row is None:
        raise NotFound("there is no such rule")
    return row


def _said(row: AutomationRule) -> dict[str, Any]:
    return {
        "name": row.name,
        "trigger": str(row.trigger),
        "is_on": row.is_on,
        "stops": row.stops,
        "conditions": row.conditions,
        "actions": row.actions,
    }
