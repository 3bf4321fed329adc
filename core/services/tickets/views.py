"""Views of the queue: kept, shared, changed and removed; and what is in them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.actor import LEADING, Agent, Role
from core.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from core.domain.ids import AgentId, TeamId, new_id
from core.domain.search import question_of
from core.domain.views import ViewDraft, ViewFilter, ViewId
from core.services import audit
from core.services.revisions import revise
from core.services.search.searching import tickets_with
from core.storage.engine import Sessions, storage_errors
from core.storage.queries.access.sight import Sight
from core.storage.queries.classification.categories import category_tree
from core.storage.queries.classification.field_conditions import check_fields, field_tests
from core.storage.queries.tickets.filter import TicketFilter
from core.storage.queries.tickets.views import ViewView, filter_for
from core.storage.tables import AgentRow, SavedView, Team, TeamMember

MOST_VIEWS = 50
"""Of one agent's own: all of them are counted whenever the queue is shown."""
MOST_FOR_ALL = 20
"""Views for everybody: each agent who has the queue open counts them once a minute."""


class SavedViews:
    """The agents' commands about views. Changes of shared ones are in the audit log."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def add(self, draft: ViewDraft, by: Agent) -> ViewId:
        """Keep a view.

        Raises:
            Conflict: they have too many already, or everybody has.
            InvalidInput, Forbidden: they cannot share it like that.
            InvalidInput: a condition does not fit its field, or there is no such field.
        """
        async with storage_errors(), self._sessions.begin() as session:
            await _check_team(session, draft.team, by)
            await check_fields(session, draft.wanted.fields)
            if draft.is_for_all:
                await _check_for_all(session, by)
            # One at a time for each agent, so that none slips past the number.
            await session.execute(select(AgentRow.id).where(AgentRow.id == by.id).with_for_update())
            count = await session.scalar(
                select(func.count()).select_from(SavedView).where(SavedView.owner_id == by.id)
            )
            if (count or 0) >= MOST_VIEWS:
                raise Conflict(f"nobody keeps more than {MOST_VIEWS} views: remove one first")
            row = SavedView(id=new_id(), owner_id=by.id)
            _write(row, draft)
            session.add(row)
            if _is_shared(row):
                audit.record(session, by.actor, "view.shared", ("view", row.id, row.name))
            return ViewId(row.id)

    async def change(
        self, view: ViewId, draft: ViewDraft, by: Agent, *, revision: int | None = None
    ) -> None:
        """Replace a view.

        Raises:
            NotFound: there is none, or it is not theirs to see.
            Forbidden: somebody else keeps it, or would have it to themselves again.
            Outdated: it is not at `revision` any more.
            Conflict: everybody has too many already.
            InvalidInput: they cannot share it like that, or a condition does not fit its field.
        """
        async with storage_errors(), self._sessions.begin() as session:
            row = await _locked(session, view, by)
            if draft.team != row.team_id:
                await _check_team(session, draft.team, by)
            if draft.is_for_all and not row.is_for_all:
                await _check_for_all(session, by)
            kept = ViewFilter.from_json(row.filter).fields
            await check_fields(session, draft.wanted.fields, kept)
            revise(row, revision)
            was_shared = _is_shared(row)
            _write(row, draft)
            if row.owner_id != by.id and not _is_shared(row):
                raise Forbidden("only who made a view stops sharing it")
            if was_shared or _is_shared(row):
                audit.record(session, by.actor, "view.changed", ("view", row.id, row.name))

    async def remove(self, view: ViewId, by: Agent, *, revision: int | None = None) -> None:
        """Remove a view.

        Raises:
            NotFound, Forbidden, Outdated: as in `change`.
        """
        async with storage_errors(), self._sessions.begin() as session:
            row = await _locked(session, view, by)
            revise(row, revision)
            if _is_shared(row):
                audit.record(session, by.actor, "view.removed", ("view", row.id, row.name))
            await session.delete(row)


async def filter_of_view(
    session: AsyncSession, view: ViewView, me: AgentId, sight: Sight | None
) -> TicketFilter:
    """Return which tickets `view` shows `me` now; its words are searched for."""
    tree = await category_tree(session)
    found = replace(
        filter_for(view.wanted, me, sight, tree, datetime.now(UTC)),
        fields=await field_tests(session, view.wanted.fields, tree),
    )
    if not view.wanted.words:
        return found
    question = question_of(view.wanted.words)
    return replace(found, among=await tickets_with(session, question, found))


def _write(row: SavedView, draft: ViewDraft) -> None:
    row.name = draft.name.strip()
    row.team_id = draft.team
    row.is_for_all = draft.is_for_all
    row.filter = draft.wanted.to_json()
    row.columns = [str(column) for column in draft.columns]
    row.ordering = draft.order


async def _locked(session: AsyncSession, view: ViewId, by: Agent) -> SavedView:
    row = await session.get(SavedView, view, with_for_update=True)
    if row is None:
        raise NotFound("there is no such view")
    if row.owner_id == by.id:
        return row
    is_seen = row.is_for_all or (
        row.team_id is not None
        and (by.role is Role.ADMIN or await _is_in(session, TeamId(row.team_id), by.id))
    )
    if not is_seen:
        raise NotFound("there is no such view")
    if by.role not in LEADING:
        raise Forbidden("only who made a view, leads and admins may change it")
    return row


async def _check_team(session: AsyncSession, team: TeamId | None, by: Agent) -> None:
    if team is None:
        return
    row = await session.get(Team, team)
    if row is None or row.archived_at is not None:
        raise InvalidInput("there is no such team")
    if by.role is not Role.ADMIN and not await _is_in(session, team, by.id):
        raise Forbidden("views are shared with one's own teams")


async def _check_for_all(session: AsyncSession, by: Agent) -> None:
    if by.role not in LEADING:
        raise Forbidden("only leads and admins share views with everybody")
    # One at a time, so that none slips past the number.
    key = func.hashtextextended("views for everybody", 0)
    await session.execute(select(func.pg_advisory_xact_lock(key)))
    count = await session.scalar(
        select(func.count()).select_from(SavedView).where(SavedView.is_for_all)
    )
    if (count or 0) >= MOST_FOR_ALL:
        raise Conflict(f"there are {MOST_FOR_ALL} views for everybody already: remove one first")


def _is_shared(row: SavedView) -> bool:
    return row.is_for_all or row.team_id is not None


async def _is_in(session: AsyncSession, team: TeamId, agent: AgentId) -> bool:
    member = exists().where(TeamMember.team_id == team, TeamMember.agent_id == agent)
    return bool(await session.scalar(select(member)))
