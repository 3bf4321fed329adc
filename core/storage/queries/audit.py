"""Reads the audit log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import String, cast, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.storage.tables import AgentRow, AuditEntry

_MAX_WORDS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditView:
    """One entry, with the agent who did it by name."""

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

    words: str = ""  # each in the action, the subject, the actor's name or the values


async def audit_entries(
    session: AsyncSession, wanted: AuditFilter, *, before: int | None = None, limit: int = 100
) -> Sequence[AuditView]:
    """Return entries that fit, newest first, from those before entry `before`."""
    name = AgentRow.name.label("actor_name")
    query = select(AuditEntry, name).outerjoin(
        AgentRow, AuditEntry.actor == "agent:" + cast(AgentRow.id, String)
    )
    for word in wanted.words.split()[:_MAX_WORDS]:
        query = query.where(
            or_(
                *(
                    column.icontains(word, autoescape=True)
                    for column in (
                        AuditEntry.action,
                        AuditEntry.subject_name,
                        AuditEntry.subject_id,
                        AuditEntry.remote,
                        AgentRow.name,
                        cast(AuditEntry.old, String),
                        cast(AuditEntry.new, String),
                    )
                )
            )
        )
    if before is not None:
        query = query.where(AuditEntry.id < before)
    rows = await session.execute(query.order_by(AuditEntry.id.desc()).limit(limit))
    return [
        AuditView(
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
        for entry, known in rows
    ]
