"""Reads the audit log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    cast,
    false,
    func,
    literal,
    or_,
    select,
    text,
    union_all,
)
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.ext.asyncio import AsyncSession

from core.storage.queries.search.terms import read_terms
from core.storage.tables import AgentRow, AuditEntry, AutomationRule, IncomingHook

_MAX_WORDS = 6
_ACTORS: Mapping[str, type[AgentRow] | type[AutomationRule] | type[IncomingHook]] = {
    "agent:": AgentRow,
    "rule:": AutomationRule,
    "hook:": IncomingHook,
}
"""Whose names are known, by how the log names them."""
_ACTOR_NAME = func.coalesce(AgentRow.name, AutomationRule.name, IncomingHook.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditView:
    """One entry, with the agent, rule or incoming webhook that did it by name."""

    id: int
    at: datetime
    actor: str
    actor_name: str | None
    remote: str | None
    action: str
    subject_kind: str
    subject_id: str
    subject_name: str
    old: Mapping[str, Any] | None
    new: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """Which entries are wanted; an empty filter wants all."""

    words: str = ""  # each begins one of the action, the subject, the actor's name or the values
    actor: str = ""  # as entries keep it: "agent:<id>", "contact:<address>", "command"
    action: str = ""  # "team.changed"; "team." is everything about teams
    since: datetime | None = None
    until: datetime | None = None  # not included


async def audit_entries(
    session: AsyncSession, wanted: AuditFilter, *, before: int | None = None, limit: int = 100
) -> Sequence[AuditView]:
    """Return entries that fit, newest first, from those before entry `before`."""
    query = _entries()
    if words := wanted.words.split()[:_MAX_WORDS]:
        # A plan for any words would be a bad one for most: how often they occur decides.
        await session.execute(text("SET LOCAL plan_cache_mode = force_custom_plan"))
        query = query.where(*await _with_words(session, words))
    if wanted.actor:
        query = query.where(AuditEntry.actor == wanted.actor)
    if wanted.action.endswith("."):
        query = query.where(AuditEntry.action.startswith(wanted.action, autoescape=True))
    elif wanted.action:
        query = query.where(AuditEntry.action == wanted.action)
    if wanted.since is not None:
        query = query.where(AuditEntry.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(AuditEntry.at < wanted.until)
    if before is not None:
        query = query.where(AuditEntry.id < before)
    rows = await session.execute(query.order_by(AuditEntry.id.desc()).limit(limit))
    return [_view(entry, known) for entry, known in rows]


async def _with_words(session: AsyncSession, words: Sequence[str]) -> Sequence[ColumnElement[bool]]:
    """Return the conditions that an entry has each of `words`; signs alone are passed over."""
    found: list[ColumnElement[bool]] = []
    for word, (_, beginnings) in zip(words, await read_terms(session, words), strict=True):
        if not beginnings:
            continue
        named = (
            select(literal(prefix) + cast(table.id, String)).where(
                table.name.icontains(word, autoescape=True)
            )
            for prefix, table in _ACTORS.items()
        )
        actors = list(await session.scalars(union_all(*named)))
        has_word = AuditEntry.document.bool_op("@@")(cast(beginnings, TSQUERY))
        found.append(or_(has_word, AuditEntry.actor.in_(actors)) if actors else has_word)
    return found or [false()]


async def last_entry(session: AsyncSession, kind: str, key: str) -> AuditView | None:
    """Return the newest entry about one record."""
    rows = await session.execute(
        _entries()
        .where(AuditEntry.subject_kind == kind, AuditEntry.subject_id == key)
        .order_by(AuditEntry.id.desc())
        .limit(1)
    )
    row = rows.one_or_none()
    return None if row is None else _view(*row)


def _entries() -> Select[AuditEntry, str]:
    query = select(AuditEntry, _ACTOR_NAME.label("actor_name"))
    for kind, table in _ACTORS.items():
        query = query.outerjoin(table, AuditEntry.actor == kind + cast(table.id, String))
    return query


def _view(entry: AuditEntry, known: str | None) -> AuditView:
    return AuditView(
        id=entry.id,
        at=entry.at,
        actor=entry.actor,
        actor_name=known,
        remote=entry.remote,
        action=entry.action,
        subject_kind=entry.subject_kind,
        subject_id=entry.subject_id,
        subject_name=entry.subject_name,
        old=entry.old,
        new=entry.new,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditChoices:
    """What the log can be searched by."""

    # Who did something, with the name of an agent, a rule or an incoming webhook; by name.
    actors: Mapping[str, str | None]
    actions: Sequence[str]  # what was done, by name; "team." is all about teams


async def audit_choices(session: AsyncSession) -> AuditChoices:
    """Return who did something and what was done."""
    actors = await _distinct(session, AuditEntry.actor)
    actions = await _distinct(session, AuditEntry.action)
    names: dict[str, str] = {}
    for kind, table in _ACTORS.items():
        ids = [UUID(one.removeprefix(kind)) for one in actors if one.startswith(kind)]
        rows = await session.execute(select(table.id, table.name).where(table.id.in_(ids)))
        names |= {f"{kind}{key}": called for key, called in rows}
    by_name = sorted(actors, key=lambda one: (one not in names, (names.get(one) or one).casefold()))
    return AuditChoices(
        actors={one: names.get(one) for one in by_name},
        actions=sorted({*actions, *(f"{one.partition('.')[0]}." for one in actions)}),
    )


async def _distinct(session: AsyncSession, column: Any) -> Sequence[str]:
    """Return a column's values in order; one look into its index for each, however long the log."""
    first = select(func.min(column).label("value")).cte("values", recursive=True)
    following = select(func.min(column)).where(column > first.c.value).scalar_subquery()
    values = first.union_all(select(following).where(first.c.value.is_not(None)))
    rows = await session.scalars(select(values.c.value).where(values.c.value.is_not(None)))
    return sorted(rows)
