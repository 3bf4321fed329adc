"""Reads who works in the console."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.actor import Role
from core.domain.errors import NotFound
from core.domain.ids import AgentId
from core.storage.tables import AgentRow


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentView:
    """An agent as admins and colleagues see them."""

    id: AgentId
    email: str
    name: str
    role: Role
    has_password: bool
    is_disabled: bool
    created_at: datetime


async def list_agents(session: AsyncSession, *, with_disabled: bool = False) -> Sequence[AgentView]:
    """Return agents by name."""
    query = select(AgentRow).order_by(AgentRow.disabled_at.is_not(None), AgentRow.name, AgentRow.id)
    if not with_disabled:
        query = query.where(AgentRow.disabled_at.is_(None))
    return [
        AgentView(
            id=AgentId(row.id),
            email=row.email,
            name=row.name,
            role=Role(row.role),
            has_password=row.password_hash is not None,
            is_disabled=row.disabled_at is not None,
            created_at=row.created_at,
        )
        for row in await session.scalars(query)
    ]


async def agent_named(session: AsyncSession, name: str) -> AgentId:
    """Return the agent that `name`, an id or an e-mail address, means.

    Raises:
        NotFound: there is none.
    """
    try:
        condition = AgentRow.id == UUID(name)
    except ValueError:
        condition = AgentRow.email == name.strip().lower()
    found = await session.scalar(select(AgentRow.id).where(condition))
    if found is None:
        raise NotFound("there is no such agent")
    return AgentId(found)


def picture_version(blob_key: str) -> str:
    """Return the part of a picture's address that is another for another picture."""
    return blob_key[-16:]


async def speaker_of(session: AsyncSession, agent: UUID) -> tuple[str | None, str | None]:
    """Return an agent's name, and the path of their picture where they have one."""
    row = (
        await session.execute(
            select(AgentRow.name, AgentRow.picture_blob).where(AgentRow.id == agent)
        )
    ).one_or_none()
    if row is None:
        return None, None
    picture = row.picture_blob and f"/agents/{agent}/{picture_version(row.picture_blob)}"
    return row.name, picture
