"""The routing rules and what holds for all teams, as admins and leads change them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.actor import LEADING, Agent, Role
from core.domain.audited import Deed
from core.domain.errors import Forbidden, InvalidInput, NotFound
from core.domain.ids import TeamId, new_id
from core.domain.languages import language_codes
from core.domain.routing import Conditions, Rule, folded
from core.domain.teams import LEVELS
from core.services import audit
from core.services.revisions import revise
from core.storage.engine import Sessions, storage_errors
from core.storage.tables import (
    AssignmentPolicy,
    Category,
    Organisation,
    RoutingRule,
    SupportPlan,
    Team,
)

_MAX_NAME_CHARS = 80
_MOST_WORDS = 100
_MAX_WORDS_CHARS = 100
_MOST_MINUTES = 60 * 24 * 7
_LOCK = 0x72_75_6C_65_73  # "rules": their order is one thing


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What holds for all teams."""

    default_team: TeamId | None  # for tickets that no rule is for
    offer_again_minutes: int | None  # none: what an absent agent has stays theirs
    unfinished_minutes: int | None = 3 * 24 * 60  # the same where they spoke last
    own_tickets_only: bool = False  # agents see the tickets of their teams and of no team alone


class RuleBook:
    """Adds, changes, moves and removes routing rules. Every change is in the audit log."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def add(self, rule: Rule, by: Agent) -> UUID:
        """Add a rule after all others.

        Raises:
            InvalidInput: it names what there is not, or asks for nothing sensible.
        """
        async with self._at_work(by) as session:
            last = await session.scalar(select(func.max(RoutingRule.position)))
            row = RoutingRule(id=new_id(), position=(last or 0) + 1)
            await _give(session, row, rule)
            session.add(row)
            audit.record(session, by.actor, "rule.added", _subject(row), new=_as_audited(row))
        return row.id

    async def change(
        self, name: UUID, rule: Rule, by: Agent, *, revision: int | None = None
    ) -> None:
        """Replace what a rule says.

        Raises:
            Outdated: it is not of revision `revision` any more.
            NotFound: there is no such rule.
            InvalidInput: it names what there is not, or asks for nothing sensible.
        """
        async with self._at_work(by) as session:
            row = await _row(session, name)
            revise(row, revision)
            old = _as_audited(row)
            await _give(session, row, rule)
            audit.record(
                session, by.actor, "rule.changed", _subject(row), old=old, new=_as_audited(row)
            )

    async def enable(self, name: UUID, by: Agent, *, enabled: bool) -> None:
        """Let a rule count, or not.

        Raises:
            NotFound: there is no such rule.
        """
        async with self._at_work(by) as session:
            row = await _row(session, name)
            if row.is_enabled != enabled:
                revise(row, None)
                row.is_enabled = enabled
                action: Deed = "rule.enabled" if enabled else "rule.disabled"
                audit.record(session, by.actor, action, _subject(row))

    async def move(self, name: UUID, to: int, by: Agent) -> None:
        """Put a rule at place `to`, from 0, of the order.

        Raises:
            NotFound: there is no such rule.
        """
        async with self._at_work(by) as session:
            row = await _row(session, name)
            rows = list(
                await session.scalars(
                    select(RoutingRule).order_by(RoutingRule.position, RoutingRule.id)
                )
            )
            old = rows.index(row)
            new = min(max(to, 0), len(rows) - 1)
            if new == old:
                return
            rows.insert(new, rows.pop(old))
            for position, each in enumerate(rows, 1):
                each.position = position
            audit.record(
                session,
                by.actor,
                "rule.moved",
                _subject(row),
                old={"place": old + 1},
                new={"place": new + 1},
            )

    async def remove(self, name: UUID, by: Agent) -> None:
        """Remove a rule; where its tickets went they stay.

        Raises:
            NotFound: there is no such rule.
        """
        async with self._at_work(by) as session:
            row = await _row(session, name)
            await session.delete(row)
            audit.record(session, by.actor, "rule.removed", _subject(row), old=_as_audited(row))

    async def set_policy(self, policy: Policy, by: Agent, *, revision: int | None = None) -> None:
        """Set what holds for all teams. Who sees what is for admins to set.

        Raises:
            Outdated: it is not of revision `revision` any more.
            InvalidInput: there is no such team, or a time is none.
        """
        for minutes in (policy.offer_again_minutes, policy.unfinished_minutes):
            if minutes is not None and not 1 <= minutes <= _MOST_MINUTES:
                raise InvalidInput("a time is 1 minute at least and 7 days at most")
        async with self._at_work(by) as session:
            row = await session.get_one(AssignmentPolicy, 1, with_for_update=True)
            if policy.own_tickets_only != row.own_tickets_only and by.role != Role.ADMIN:
                raise Forbidden("only admins may do this")
            if policy.default_team is not None:
                await _team(session, policy.default_team)
            revise(row, revision)
            old = await _policy_as_audited(session, row)
            row.default_team_id = policy.default_team
            row.offer_again_minutes = policy.offer_again_minutes
            row.unfinished_minutes = policy.unfinished_minutes
            row.own_tickets_only = policy.own_tickets_only
            new = await _policy_as_audited(session, row)
            if new != old:
                subject = ("setting", "assignment", "assignment")
                audit.record(session, by.actor, "setting.changed", subject, old=old, new=new)

    @asynccontextmanager
    async def _at_work(self, by: Agent) -> AsyncIterator[AsyncSession]:
        if by.role not in LEADING:
            raise Forbidden("only leads and admins may do this")
        async with storage_errors(), self._sessions.begin() as session:
            await session.execute(select(func.pg_advisory_xact_lock(_LOCK)))
            yield session


async def _row(session: AsyncSession, name: UUID) -> RoutingRule:
    row = await session.get(RoutingRule, name, with_for_update=True)
    if row is None:
        raise NotFound("there is no such rule")
    return row


async def _team(session: AsyncSession, team: TeamId) -> Team:
    row = await session.get(Team, team)
    if row is None or row.archived_at is not None:
        raise InvalidInput("there is no such team")
    return row


async def _give(session: AsyncSession, row: RoutingRule, rule: Rule) -> None:
    name = " ".join(rule.name.split())
    if not name or len(name) > _MAX_NAME_CHARS or not name.isprintable():
        raise InvalidInput("a rule's name has 1 to 80 characters")
    if rule.level not in LEVELS:
        raise InvalidInput("levels are 1, 2 and 3")
    await _team(session, rule.team)
    conditions = replace(
        rule.conditions,
        words=_words(rule.conditions.words),
        languages=_languages(row, rule.conditions),
    )
    wanted = {*conditions.categories, *({rule.category} if rule.category else ())}
    known = set(await session.scalars(select(Category.id).where(Category.id.in_(wanted))))
    if wanted - known:
        raise InvalidInput("there is no such category")
    asked = set(conditions.organisations)
    known = set(await session.scalars(select(Organisation.id).where(Organisation.id.in_(asked))))
    if asked - known:
        raise InvalidInput("there is no such organisation")
    plans = set(conditions.plans)
    if plans - set(await session.scalars(select(SupportPlan.id).where(SupportPlan.id.in_(plans)))):
        raise InvalidInput("there is no such plan")
    row.name, row.conditions = name, conditions.as_json()
    row.team_id, row.level, row.category_id = rule.team, rule.level, rule.category
    row.skills = list(dict.fromkeys(" ".join(s.split()).lower() for s in rule.skills if s.strip()))
    row.skills_required, row.language = rule.skills_required, rule.language


def _languages(row: RoutingRule, wanted: Conditions) -> frozenset[str]:
    # Words that were kept before languages had to be codes are in nobody's way until they change.
    if row.conditions and wanted.languages == Conditions.from_json(row.conditions).languages:
        return wanted.languages
    return frozenset(language_codes(wanted.languages))


def _words(words: Sequence[str]) -> tuple[str, ...]:
    kept = tuple(dict.fromkeys(w for word in words if (w := " ".join(word.split()))))
    if len(kept) > _MOST_WORDS or any(len(word) > _MAX_WORDS_CHARS for word in kept):
        raise InvalidInput("a rule looks for 100 words at most, each of 100 characters at most")
    if any(not folded(word).strip() for word in kept):
        raise InvalidInput("a rule looks for words: signs alone are none")
    return kept


def _subject(row: RoutingRule) -> tuple[str, object, str]:
    return ("rule", row.id, row.name)


def _as_audited(row: RoutingRule) -> dict[str, Any]:
    return {
        "name": row.name,
        "conditions": Conditions.from_json(row.conditions).as_json(),
        "team": str(row.team_id),
        "level": row.level,
        "category": None if row.category_id is None else str(row.category_id),
        "skills": row.skills,
        "skills_required": row.skills_required,
        "language": str(row.language),
    }


async def _policy_as_audited(session: AsyncSession, row: AssignmentPolicy) -> dict[str, Any]:
    team = None if row.default_team_id is None else await session.get(Team, row.default_team_id)
    return {
        "default_team": None if team is None else team.name,
        "offer_again_minutes": row.offer_again_minutes,
        "unfinished_minutes": row.unfinished_minutes,
        "own_tickets_only": row.own_tickets_only,
    }
