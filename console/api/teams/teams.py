"""Teams in the API: what they are set to, and who is in them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, Field

from console.api.parts import part_of
from console.api.preconditions import IfMatch, tag
from console.api.principal import AgentCaller, LeadCaller
from console.api.put_back import PutBack
from console.api.shapes import Body, Cursor, Limit, NamedOut, Page, Text
from console.desk import ConsoleDesk, desk_of
from core.domain.errors import InvalidInput, NotFound
from core.domain.ids import AgentId, TeamId
from core.domain.teams import Onward, Presence, Strategy, Visibility
from core.services.teams.teams import Patience, TeamShape
from core.storage.engine import storage_errors
from core.storage.queries.access.agents import agent_named
from core.storage.queries.teams.teams import (
    MemberView,
    PatienceView,
    TeamView,
    list_teams,
    team_named,
    team_view,
)

router = APIRouter(route_class=PutBack, prefix="/teams", tags=["teams"])

TeamName = Annotated[Text, Path(description="A team's id, or its name.", max_length=100)]
AgentName = Annotated[Text, Path(description="An agent's id, or e-mail address.", max_length=254)]
_Minutes = Annotated[int, Field(ge=1)] | None


class PatienceBody(Body):
    """How long tickets of one level wait until they go on; null: for ever."""

    level: Annotated[int, Field(ge=1, le=3)]
    untouched_minutes: _Minutes = None  # without a word of an agent
    unsolved_minutes: _Minutes = None
    onward: Annotated[Onward, Field(strict=False)] = Onward.NEXT  # or "lead", one of the team


class TeamBody(Body):
    """What a team is set to."""

    name: Annotated[Text, Field(max_length=200)]
    description: Annotated[Text, Field(max_length=2_000)] = ""
    strategy: Annotated[Strategy, Field(strict=False)] = Strategy.MANUAL
    visibility: Annotated[Visibility, Field(strict=False)] | None = None  # left out: as it is
    escalates_to: Annotated[Text, Field(max_length=100)] | None = None  # a team's id or name
    patience: Annotated[list[PatienceBody], Field(max_length=3)] = Field(default_factory=list)


class MemberBody(Body):
    """An agent's place in a team."""

    level: Annotated[int, Field(ge=1, le=3)] = 1
    lead: bool = False


class MemberOut(BaseModel):
    """An agent in a team."""

    id: UUID
    name: str
    email: str
    level: int
    lead: bool
    presence: Presence
    load: int  # open tickets they have, of all teams
    capacity: int

    @classmethod
    def of(cls, member: MemberView) -> MemberOut:
        """Return what the API tells of `member`."""
        agent = member.agent
        return cls(
            id=agent.id,
            name=agent.name,
            email=agent.email,
            level=member.level,
            lead=member.is_lead,
            presence=agent.presence,
            load=agent.load,
            capacity=agent.capacity,
        )


class PatienceOut(BaseModel):
    """How long tickets of one level wait until they go on."""

    level: int
    untouched_minutes: int | None
    unsolved_minutes: int | None
    onward: Onward

    @classmethod
    def of(cls, time: PatienceView) -> PatienceOut:
        """Return what the API tells of `time`."""
        return cls(
            level=time.level,
            untouched_minutes=time.untouched_minutes,
            unsolved_minutes=time.unsolved_minutes,
            onward=time.onward,
        )


class TeamOut(BaseModel):
    """A team."""

    id: UUID
    name: str
    description: str
    strategy: Strategy
    visibility: Visibility  # who sees its tickets: everybody, or its members
    escalates_to: NamedOut | None
    archived: bool
    patience: list[PatienceOut]
    members: list[MemberOut]
    open_tickets: int
    waiting_tickets: int  # open ones that nobody has
    revision: int  # its entity tag

    @classmethod
    def of(cls, team: TeamView) -> TeamOut:
        """Return what the API tells of `team`."""
        return cls(
            id=team.id,
            name=team.name,
            description=team.description,
            strategy=team.strategy,
            visibility=team.visibility,
            escalates_to=NamedOut.of(team.escalates_to),
            archived=team.is_archived,
            patience=[PatienceOut.of(time) for time in team.patience],
            members=[MemberOut.of(member) for member in team.members],
            open_tickets=team.open_tickets,
            waiting_tickets=team.waiting_tickets,
            revision=team.revision,
        )


@router.get("")
async def get_teams(
    request: Request,
    _: AgentCaller,
    archived: bool = False,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[TeamOut]:
    """List teams by name, with who is in them; with `archived`, those out of use too."""
    async with storage_errors(), desk_of(request).sessions() as session:
        found = await list_teams(session, datetime.now(UTC), with_archived=archived)
    return part_of(found, TeamOut.of, cursor, limit)


@router.post("", status_code=201)
async def create_team(request: Request, caller: LeadCaller, body: TeamBody) -> TeamOut:
    """Add a team; a lead who adds one leads it."""
    desk = desk_of(request)
    team = await desk.staffing.teams.create(await _shape(desk, body), caller)
    return await _answer(desk, team)


@router.get("/{team}")
async def get_team(request: Request, response: Response, _: AgentCaller, team: TeamName) -> TeamOut:
    """Return one team."""
    desk = desk_of(request)
    found = await _answer(desk, await _named(desk, team))
    tag(response, found.revision)
    return found


@router.put("/{team}")
async def put_team(
    request: Request,
    response: Response,
    caller: LeadCaller,
    team: TeamName,
    body: TeamBody,
    revision: IfMatch,
) -> TeamOut:
    """Set what a team is called, how it shares out work, and where its tickets go on to."""
    desk = desk_of(request)
    named = await _named(desk, team)
    await desk.staffing.teams.change(named, await _shape(desk, body), caller, revision=revision)
    found = await _answer(desk, named)
    tag(response, found.revision)
    return found


@router.post("/{team}/archive")
async def archive_team(request: Request, caller: LeadCaller, team: TeamName) -> TeamOut:
    """Take a team out of use; its tickets stay where they are."""
    desk = desk_of(request)
    named = await _named(desk, team)
    await desk.staffing.teams.archive(named, caller, archived=True)
    return await _answer(desk, named)


@router.post("/{team}/restore")
async def restore_team(request: Request, caller: LeadCaller, team: TeamName) -> TeamOut:
    """Put an archived team back in use."""
    desk = desk_of(request)
    named = await _named(desk, team)
    await desk.staffing.teams.archive(named, caller, archived=False)
    return await _answer(desk, named)


@router.put("/{team}/members/{agent}")
async def put_member(
    request: Request, caller: LeadCaller, team: TeamName, agent: AgentName, body: MemberBody
) -> TeamOut:
    """Let an agent be in a team, or change their place in it."""
    desk = desk_of(request)
    named, who = await _named(desk, team), await _agent(desk, agent)
    await desk.staffing.teams.set_member(named, who, body.level, caller, is_lead=body.lead)
    return await _answer(desk, named)


@router.delete("/{team}/members/{agent}", status_code=204)
async def delete_member(
    request: Request, caller: LeadCaller, team: TeamName, agent: AgentName
) -> Response:
    """Take an agent out of a team; the tickets they have stay theirs."""
    desk = desk_of(request)
    named, who = await _named(desk, team), await _agent(desk, agent)
    await desk.staffing.teams.remove_member(named, who, caller)
    return Response(status_code=204)


async def _named(desk: ConsoleDesk, name: str) -> TeamId:
    async with storage_errors(), desk.sessions() as session:
        return await team_named(session, name)


async def _agent(desk: ConsoleDesk, name: str) -> AgentId:
    async with storage_errors(), desk.sessions() as session:
        return await agent_named(session, name)


async def _answer(desk: ConsoleDesk, team: TeamId) -> TeamOut:
    async with storage_errors(), desk.sessions() as session:
        return TeamOut.of(await team_view(session, team, datetime.now(UTC)))


async def _shape(desk: ConsoleDesk, body: TeamBody) -> TeamShape:
    onward = None
    if body.escalates_to is not None:
        try:
            onward = await _named(desk, body.escalates_to)
        except NotFound:
            raise InvalidInput("there is no such team to go on to") from None
    return TeamShape(
        name=body.name,
        description=body.description,
        strategy=body.strategy,
        visibility=body.visibility,
        escalates_to=onward,
        patience={
            time.level: Patience(
                untouched_minutes=time.untouched_minutes,
                unsolved_minutes=time.unsolved_minutes,
                onward=time.onward,
            )
            for time in body.patience
        },
    )
