"""Reads the views of the queue that an agent has, and what each asks of tickets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.errors import NotFound
from core.domain.ids import AgentId, TeamId
from core.domain.views import Column, Order, ViewFilter, ViewId, Whose
from core.storage.queries.access.sight import Sight
from core.storage.queries.classification.categories import CategoryTree
from core.storage.queries.tickets.filter import TicketFilter, Unassigned
from core.storage.queries.tickets.tickets import Named
from core.storage.tables import AgentRow, SavedView, Team, TeamMember


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewView:
    """A view that somebody keeps."""

    id: ViewId
    name: str
    owner: Named
    team: Named | None  # that it is shared with
    wanted: ViewFilter
    columns: Sequence[Column]
    order: Order
    revision: int


async def views_of(session: AsyncSession, agent: AgentId) -> Sequence[ViewView]:
    """Return an agent's own views, and those shared with their teams, by name."""
    return [_view(row) for row in await session.execute(_views(agent))]


async def view_named(session: AsyncSession, view: ViewId, agent: AgentId) -> ViewView:
    """Return a view that `agent` has.

    Raises:
        NotFound: there is none, or it is not theirs to see.
    """
    row = (await session.execute(_views(agent).where(SavedView.id == view))).one_or_none()
    if row is None:
        raise NotFound("there is no such view")
    return _view(row)


def filter_for(
    wanted: ViewFilter, me: AgentId, sight: Sight | None, tree: CategoryTree, now: datetime
) -> TicketFilter:
    """Return what `wanted` asks of tickets when `me` looks at `now`; its words are left out."""
    return TicketFilter(
        statuses=wanted.statuses,
        assignees=[_assignee(one, me) for one in wanted.assignees],
        teams=wanted.teams,
        categories=[below for one in wanted.categories for below in tree.at_or_below(one)],
        tags=wanted.tags,
        priorities=wanted.priorities,
        channels=wanted.channels,
        languages=wanted.languages,
        promises=wanted.promises,
        due_dates=wanted.due_dates,
        now=now,
        sight=sight,
    )


def _assignee(wanted: AgentId | Whose, me: AgentId) -> AgentId | Unassigned:
    match wanted:
        case Whose.ME:
            return me
        case Whose.NOBODY:
            return Unassigned.NONE
        case agent:
            return agent


def _views(agent: AgentId) -> Select[SavedView, AgentRow, Team]:
    teams = select(TeamMember.team_id).where(TeamMember.agent_id == agent)
    return (
        select(SavedView, AgentRow, Team)
        .join(AgentRow, AgentRow.id == SavedView.owner_id)
        .outerjoin(Team, Team.id == SavedView.team_id)
        .where(or_(SavedView.owner_id == agent, SavedView.team_id.in_(teams)))
        .order_by(SavedView.name, SavedView.id)
    )


def _view(row: Any) -> ViewView:
    saved, owner, team = row
    return ViewView(
        id=ViewId(saved.id),
        name=saved.name,
        owner=Named(id=owner.id, name=owner.name),
        team=None if team is None else Named(id=TeamId(team.id), name=team.name),
        wanted=ViewFilter.from_json(saved.filter),
        columns=[Column(one) for one in saved.columns],
        order=Order(saved.ordering),
        revision=saved.revision,
    )
