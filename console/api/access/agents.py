"""Agents in the API: who works here, what they can be given, and whether they are there."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from console.api.parts import first_of
from console.api.principal import AdminCaller, AgentCaller, LeadCaller
from console.api.put_back import PutBack
from console.api.shapes import Body, Limit, NamedOut, Page, Text
from console.api.teams.teams import AgentName
from console.desk import ConsoleDesk, desk_of
from core.domain.actor import Agent, Role
from core.domain.errors import Forbidden, NotFound
from core.domain.ids import AgentId
from core.domain.teams import Presence
from core.services.access.access import LINK_LIFETIME
from core.services.teams.crew import AgentUpdate
from core.storage.engine import storage_errors
from core.storage.queries.access.agents import agent_named
from core.storage.queries.teams.teams import CrewView, crew

router = APIRouter(route_class=PutBack, prefix="/agents", tags=["agents"])

_Words = Annotated[list[Annotated[Text, Field(max_length=100)]], Field(max_length=100)]


class CrewOut(BaseModel):
    """An agent as they are given work."""

    id: UUID
    name: str
    email: str
    role: Role
    skills: list[str]
    languages: list[str]
    capacity: int  # open tickets the desk gives them at most
    load: int  # open tickets they have
    presence: Presence
    teams: list[NamedOut]
    disabled: bool

    @classmethod
    def of(cls, agent: CrewView) -> CrewOut:
        """Return what the API tells of `agent`."""
        return cls(
            id=agent.id,
            name=agent.name,
            email=agent.email,
            role=agent.role,
            skills=list(agent.skills),
            languages=list(agent.languages),
            capacity=agent.capacity,
            load=agent.load,
            presence=agent.presence,
            teams=[NamedOut(id=team.id, name=team.name) for team in agent.teams],
            disabled=agent.is_disabled,
        )


class NewAgent(Body):
    """Somebody who is to work in the console; without a name, the e-mail's first part is it."""

    email: Annotated[Text, Field(max_length=254, examples=["bea@example.org"])]
    name: Annotated[Text, Field(max_length=100, examples=["Bea"])] = ""
    role: Annotated[Role, Field(strict=False)] = Role.AGENT


class SignInLinkOut(BaseModel):
    """An address that signs an agent in, once; the desk keeps its digest alone."""

    url: str
    expires_at: datetime


class AgentChange(Body):
    """What to set of an agent; what is left out stays. Name, address and role are for admins."""

    name: str | None = None
    email: str | None = None
    role: Annotated[Role, Field(strict=False)] | None = None
    skills: _Words | None = None
    languages: _Words | None = None
    capacity: Annotated[int, Field(ge=0)] | None = None

    def update(self) -> AgentUpdate:
        """Return it as the desk takes it."""
        return AgentUpdate(
            name=self.name,
            email=self.email,
            role=self.role,
            skills=self.skills,
            languages=self.languages,
            capacity=self.capacity,
        )


class NewPresence(Body):
    """Whether the caller is there."""

    presence: Annotated[Presence, Field(strict=False)]


@router.get("")
async def get_agents(
    request: Request,
    _: AgentCaller,
    disabled: Annotated[bool, Query(description="List those who are disabled too.")] = False,
    cursor: UUID | None = None,
    limit: Limit = 50,
) -> Page[CrewOut]:
    """List agents by name."""
    async with storage_errors(), desk_of(request).sessions() as session:
        found = await crew(
            session, datetime.now(UTC), with_disabled=disabled, start=cursor, limit=limit + 1
        )
    return first_of(found, CrewOut.of, limit)


@router.post("", status_code=201)
async def add_agent(request: Request, _: AdminCaller, body: NewAgent) -> CrewOut:
    """Add an agent; a sign-in link lets them in."""
    desk = desk_of(request)
    return await _answer(desk, (await desk.access.add_agent(body.email, body.name, body.role)).id)


@router.get("/{agent}")
async def get_agent(request: Request, caller: AgentCaller, agent: AgentName) -> CrewOut:
    """Return one agent; `me` is whose token it is."""
    desk = desk_of(request)
    return await _answer(desk, await _named(desk, agent, caller))


@router.patch("/{agent}")
async def patch_agent(
    request: Request, caller: LeadCaller, agent: AgentName, body: AgentChange
) -> CrewOut:
    """Set an agent's name, e-mail address, role, skills, languages or capacity."""
    desk = desk_of(request)
    named = await _named(desk, agent, caller)
    await desk.staffing.crew.change(named, body.update(), caller)
    return await _answer(desk, named)


@router.post("/{agent}/disable")
async def disable(request: Request, caller: AdminCaller, agent: AgentName) -> CrewOut:
    """Shut an agent out at once: sessions and tokens end, open tickets go to others."""
    return await _set_disabled(request, caller, agent, disabled=True)


@router.post("/{agent}/enable")
async def enable(request: Request, caller: AdminCaller, agent: AgentName) -> CrewOut:
    """Let an agent in again."""
    return await _set_disabled(request, caller, agent, disabled=False)


@router.post("/{agent}/sign-in-link", status_code=201)
async def make_sign_in_link(
    request: Request, response: Response, caller: AdminCaller, agent: AgentName
) -> SignInLinkOut:
    """Make an address that signs an agent in once, within a day. It is shown this once."""
    desk = desk_of(request)
    token = await desk.access.sign_in_link(await _named(desk, agent, caller))
    response.headers["Cache-Control"] = "no-store"
    return SignInLinkOut(
        url=f"{desk.base_url}/console/sign-in/{token}",
        expires_at=datetime.now(UTC) + LINK_LIFETIME,
    )


@router.put("/{agent}/presence")
async def put_presence(
    request: Request, caller: AgentCaller, agent: AgentName, body: NewPresence
) -> CrewOut:
    """Say whether one is there; online counts for three minutes unless it is said again."""
    desk = desk_of(request)
    named = await _named(desk, agent, caller)
    if named != caller.id and caller.role != Role.ADMIN:
        raise Forbidden("only admins may do this")
    await desk.staffing.crew.be(named, body.presence, said_by=caller)
    return await _answer(desk, named)


async def _set_disabled(request: Request, caller: Agent, agent: str, *, disabled: bool) -> CrewOut:
    desk = desk_of(request)
    named = await _named(desk, agent, caller)
    await desk.access.set_disabled(named, disabled=disabled, by=caller)
    return await _answer(desk, named)


async def _named(desk: ConsoleDesk, name: str, caller: Agent) -> AgentId:
    if name == "me":
        return caller.id
    async with storage_errors(), desk.sessions() as session:
        return await agent_named(session, name)


async def _answer(desk: ConsoleDesk, agent: AgentId) -> CrewOut:
    async with storage_errors(), desk.sessions() as session:
        for person in await crew(session, datetime.now(UTC), with_disabled=True):
            if person.id == agent:
                return CrewOut.of(person)
    raise NotFound("there is no such agent")
