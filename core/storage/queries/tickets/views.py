"""Reads the views of the queue that an agent has, and what each asks of tickets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from core.domain.actor import Role
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
    is_for_all: bool
    wanted: ViewFilter
    columns: Sequence[Column]
    order: Order
    revision: int


async def views_of(
    session: AsyncSession, agent: AgentId, opened: ViewId | None = None
) -> Sequence[ViewView]:
    """Return an agent's own views and those shared with them, by name.

    The one that is `opened` is among them where they may see it.
    """
    theirs = _is_theirs(agent)
    if opened is not None:
        theirs = or_(theirs, and_(SavedView.id == opened, _may_see(agent)))
    return [_view(row) for row in await session.execute(_VIEWS.where(theirs))]


async def view_named(session: AsyncSession, view: ViewId, agent: AgentId) -> ViewView:
    """Return a view that `agent` may see: admins see all that are shared.

    Raises:
        NotFound: there is none, or it is not theirs to see.
    """
    wanted = _VIEWS.where(SavedView.id == view, _may_see(agent))
    row = (await session.execute(wanted)).one_or_none()
    if row is None:
        raise NotFound("there is no such view")
    return _view(row)


async def views_of_team(session: AsyncSession, team: TeamId) -> Sequence[ViewView]:
    """Return the views that are shared with a team, by name."""
    return [_view(row) for row in await session.execute(_VIEWS.where(SavedView.team_id == team))]


def filter_for(
    wanted: ViewFilter, me: AgentId, sight: Sight | None, tree: CategoryTree, now: datetime
) -> TicketFilter:
    """Return what `wanted` asks of tickets when `me` looks at `now`.

    Its conditions on fields and its words are left out.
    """
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


_VIEWS = (
    select(SavedView, AgentRow, Team)
    .join(AgentRow, AgentRow.id == SavedView.owner_id)
    .outerjoin(Team, Team.id == SavedView.team_id)
    .order_by(SavedView.name, SavedView.id)
)


def _is_theirs(agent: AgentId) -> ColumnElement[bool]:
    teams = select(TeamMember.team_id).where(TeamMember.agent_id == agent)
    return or_(SavedView.owner_id == agent, SavedView.team_id.in_(teams), SavedView.is_for_all)


def _may_see(agent: AgentId) -> ColumnElement[bool]:
    reader = aliased(AgentRow)  # the query's own agent is who keeps the view
    is_admin = exists().where(reader.id == agent, reader.role == Role.ADMIN)
    return or_(_is_theirs(agent), and_(SavedView.team_id.is_not(None), is_admin))


def _view(row: Any) -> ViewView:
    saved, owner, team = row
    return ViewView(
        id=ViewId(saved.id),
        name=saved.name,
        owner=Named(id=owner.id, name=owner.name),
        team=None if team is None else Named(id=TeamId(team.id), name=team.name),
        is_for_all=saved.is_for_all,
        wanted=ViewFilter.from_json(saved.filter),
        columns=[Column(one) for one in saved.columns],
        order=Order(saved.ordering),
        revision=saved.revision,
    )
