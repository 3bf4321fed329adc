"""Teams: what they are called, who is in them, and where their tickets go on to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.actor import Agent, Role
from core.domain.audited import Deed
from core.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from core.domain.ids import AgentId, TeamId, new_id
from core.domain.teams import LEVELS, Onward, Strategy, Visibility, leads_back
from core.services import audit
from core.services.revisions import revise
from core.storage.engine import Sessions, storage_errors
from core.storage.tables import (
    AgentRow,
    AssignmentPolicy,
    RoutingRule,
    Team,
    TeamEscalation,
    TeamMember,
)

MAX_NAME_CHARS = 60
_MAX_DESCRIPTION_CHARS = 500
_MOST_MINUTES = 60 * 24 * 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a team's tickets of one level wait until they go on; none: for ever."""

    untouched_minutes: int | None = None  # without a word of an agent
    unsolved_minutes: int | None = None
    onward: Onward = Onward.NEXT


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamShape:
    """What a team is set to."""

    name: str
    description: str = ""
    strategy: Strategy = Strategy.MANUAL
    visibility: Visibility | None = None  # none: as it is; at first, everybody
    escalates_to: TeamId | None = None
    patience: Mapping[int, Patience] = field(default_factory=dict)  # by level

    def checked(self) -> TeamShape:
        """Return it with its words tidied up.

        Raises:
            InvalidInput: something is too long, empty or no time.
        """
        name = " ".join(self.name.split())
        description = self.description.strip()
        if not name or len(name) > MAX_NAME_CHARS or not name.isprintable():
            raise InvalidInput("a team's name has 1 to 60 characters")
        if len(description) > _MAX_DESCRIPTION_CHARS or "\x00" in description:
            raise InvalidInput("a team's description has 500 characters at most")
        for level, patience in self.patience.items():
            if level not in LEVELS:
                raise InvalidInput("levels are 1, 2 and 3")
            for minutes in (patience.untouched_minutes, patience.unsolved_minutes):
                if minutes is not None and not 1 <= minutes <= _MOST_MINUTES:
                    raise InvalidInput("a time is 1 minute at least and 90 days at most")
        return TeamShape(
            name=name,
            description=description,
            strategy=self.strategy,
            visibility=self.visibility,
            escalates_to=self.escalates_to,
            patience=self.patience,
        )


class Teams:
    """What admins, and leads for their own teams, set. Every change is in the audit log."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def create(self, shape: TeamShape, by: Agent) -> TeamId:
        """Add a team; a lead who adds one leads it.

        Raises:
            Conflict: there is a team of this name.
            Forbidden: a lead would say who sees its tickets.
        """
        team = TeamId(new_id())
        async with self._at_work() as session:
            if by.role not in {Role.LEAD, Role.ADMIN}:
                raise Forbidden("only leads and admins may do this")
            row = Team(id=team, name="", visibility=Visibility.EVERYBODY)
            _show(row, shape, by)
            await self._give(session, row, shape.checked())
            if by.role == Role.LEAD:
                session.add(TeamMember(team_id=team, agent_id=by.id, is_lead=True))
            audit.record(
                session,
                by.actor,
                "team.created",
                ("team", team, row.name),
                new=await _as_audited(session, row),
            )
        return team

    async def change(
        self, team: TeamId, shape: TeamShape, by: Agent, *, revision: int | None = None
    ) -> None:
        """Give a team another shape.

        Raises:
            Outdated: it is not of revision `revision` any more.
            NotFound: there is no such team.
            Conflict: another team has this name.
            InvalidInput: its tickets would go round in a circle.
            Forbidden: a lead would say who sees its tickets.
        """
        async with self._at_work() as session:
            row = await _led(session, team, by)
            revise(row, revision)
            old = await _as_audited(session, row)
            _show(row, shape, by)
            await self._give(session, row, shape.checked())
            audit.record(
                session,
                by.actor,
                "team.changed",
                ("team", team, row.name),
                old=old,
                new=await _as_audited(session, row),
            )

    async def archive(self, team: TeamId, by: Agent, *, archived: bool) -> None:
        """Take a team out of use, or put it back. Its tickets stay where they are.

        Raises:
            Conflict: a routing rule, or the rule for all others, leads to it.
        """
        async with self._at_work() as session:
            row = await _led(session, team, by)
            if (row.archived_at is not None) == archived:
                return
            if archived and await _is_led_to(session, team):
                raise Conflict("rules or other teams still lead to this team: change them first")
            revise(row, None)
            row.archived_at = func.now() if archived else None
            action: Deed = "team.archived" if archived else "team.restored"
            audit.record(session, by.actor, action, ("team", team, row.name))

    async def set_member(
        self, team: TeamId, agent: AgentId, level: int, by: Agent, *, is_lead: bool
    ) -> None:
        """Let `agent` be in a team, at a level of support.

        Raises:
            NotFound: there is no such team or agent.
        """
        if level not in LEVELS:
            raise InvalidInput("levels are 1, 2 and 3")
        async with self._at_work() as session:
            row = await _led(session, team, by)
            person = await session.get(AgentRow, agent)
            if person is None or (person.disabled_at is not None):
                raise NotFound("there is no such agent")
            if person.role == Role.AUDITOR:
                raise InvalidInput("auditors are in no team: they change nothing")
            old = await session.get(TeamMember, (team, agent))
            before = None if old is None else {"level": old.level, "lead": old.is_lead}
            await session.execute(
                upsert(TeamMember)
                .values(team_id=team, agent_id=agent, level=level, is_lead=is_lead)
                .on_conflict_do_update(
                    index_elements=["team_id", "agent_id"],
                    set_={"level": level, "is_lead": is_lead},
                )
            )
            audit.record(
                session,
                by.actor,
                "team.member_changed" if before else "team.member_added",
                ("team", team, f"{row.name}: {person.name}"),
                old=before,
                new={"level": level, "lead": is_lead},
            )

    async def remove_member(self, team: TeamId, agent: AgentId, by: Agent) -> None:
        """Take an agent out of a team; the tickets they have stay theirs.

        Raises:
            NotFound: they are not in it.
        """
        async with self._at_work() as session:
            row = await _led(session, team, by)
            member = await session.get(TeamMember, (team, agent))
            if member is None:
                raise NotFound("there is no such agent")
            person = await session.get_one(AgentRow, agent)
            await session.delete(member)
            audit.record(
                session,
                by.actor,
                "team.member_removed",
                ("team", team, f"{row.name}: {person.name}"),
            )

    @asynccontextmanager
    async def _at_work(self) -> AsyncIterator[AsyncSession]:
        try:
            async with storage_errors(), self._sessions.begin() as session:
                yield session
        except IntegrityError:
            raise Conflict("there is a team of this name already") from None

    async def _give(self, session: AsyncSession, row: Team, shape: TeamShape) -> None:
        row.name, row.description, row.strategy = shape.name, shape.description, shape.strategy
        row.escalates_to_id = shape.escalates_to
        if shape.escalates_to is not None:
            target = await session.get(Team, shape.escalates_to)
            if target is None or target.archived_at is not None:
                raise InvalidInput("there is no such team to go on to")
            # Two changes at once could close a circle that neither sees.
            await session.execute(select(Team.id).order_by(Team.id).with_for_update())
            rows = await session.execute(select(Team.id, Team.escalates_to_id))
            onward: dict[object, object | None] = {r.id: r.escalates_to_id for r in rows}
            onward[row.id] = shape.escalates_to
            if leads_back(onward, row.id):
                raise InvalidInput("tickets would go round in a circle")
        session.add(row)
        await session.flush()
        await session.execute(delete(TeamEscalation).where(TeamEscalation.team_id == row.id))
        session.add_all(
            TeamEscalation(
                team_id=row.id,
                level=level,
                untouched_minutes=patience.untouched_minutes,
                unsolved_minutes=patience.unsolved_minutes,
                onward=patience.onward,
            )
            for level, patience in shape.patience.items()
            if (patience.untouched_minutes, patience.unsolved_minutes) != (None, None)
        )
        await session.flush()


async def check_leads(session: AsyncSession, team: TeamId, by: Agent) -> None:
    """Raise `Forbidden` unless `by` is an admin, or a lead of `team`."""
    if by.role == Role.ADMIN:
        return
    member = await session.get(TeamMember, (team, by.id))
    if by.role != Role.LEAD or member is None or not member.is_lead:
        raise Forbidden("only the leads of this team and admins may do this")


def _show(row: Team, shape: TeamShape, by: Agent) -> None:
    """Set who sees the team's tickets; who sees what is for admins to say."""
    if shape.visibility is None or shape.visibility == row.visibility:
        return
    if by.role != Role.ADMIN:
        raise Forbidden("only admins say who sees a team's tickets")
    row.visibility = shape.visibility


async def _led(session: AsyncSession, team: TeamId, by: Agent) -> Team:
    row = await session.get(Team, team, with_for_update=True)
    if row is None:
        raise NotFound("there is no such team")
    await check_leads(session, team, by)
    return row


async def _is_led_to(session: AsyncSession, team: TeamId) -> bool:
    leads = (
        select(RoutingRule.id).where(RoutingRule.team_id == team),
        select(AssignmentPolicy.id).where(AssignmentPolicy.default_team_id == team),
        select(Team.id).where(Team.escalates_to_id == team, Team.archived_at.is_(None)),
    )
    for lead in leads:
        if await session.scalar(lead.limit(1)) is not None:
            return True
    return False


async def _as_audited(session: AsyncSession, row: Team) -> dict[str, Any]:
    onward = None if row.escalates_to_id is None else await session.get(Team, row.escalates_to_id)
    times = await session.scalars(
        select(TeamEscalation)
        .where(TeamEscalation.team_id == row.id)
        .order_by(TeamEscalation.level)
    )
    return {
        "name": row.name,
        "description": row.description,
        "strategy": str(row.strategy),
        "visibility": str(row.visibility),
        "escalates_to": None if onward is None else onward.name,
    } | {
        f"level_{time.level}": [time.untouched_minutes, time.unsolved_minutes, time.onward]
        for time in times
    }
