"""The settings' pages of teams, of what agents can be given, and whether one is there."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from console.desk import desk_of
from console.fields import id_field, list_field, number_field, version_field
from console.pages.session import Agents, Leads, Readers, form_of, text_field
from console.pages.view import page, translator
from console.words import teams as team_words
from console.words.errors import error_in_words
from core.domain.actor import LEADING, Agent, Role
from core.domain.errors import DeskError, InvalidInput, NotFound, Outdated
from core.domain.ids import AgentId, TeamId
from core.domain.teams import LEVELS, Onward, Presence, Strategy, Visibility
from core.services.access.access import SignedIn
from core.services.revisions import content_version
from core.services.teams.crew import AgentUpdate, described
from core.services.teams.teams import Patience, TeamShape
from core.storage.engine import storage_errors
from core.storage.queries.feed import feed_end
from core.storage.queries.teams.teams import crew, list_teams, own_presence, team_view
from core.storage.queries.tickets.views import views_of_team

router = APIRouter(prefix="/console")

_LIST = "/console/settings/teams"
_NOTHING = FormData()
"""What was filled in, where a page shows what is kept."""


@router.get("/settings/teams")
async def show_teams(request: Request, signed_in: Readers) -> Response:
    """List the teams, with a form to add one."""
    return await _teams(request, signed_in)


@router.post("/settings/teams")
async def add_team(request: Request, signed_in: Leads) -> Response:
    """Add a team."""
    name = text_field(await form_of(request), "name")
    try:
        team = await desk_of(request).staffing.teams.create(TeamShape(name=name), signed_in.agent)
    except DeskError as error:
        return await _teams(request, signed_in, name=name, error=error)
    return RedirectResponse(f"{_LIST}/{team}", 303)


@router.get("/settings/teams/{team}")
async def show_team(request: Request, signed_in: Readers, team: UUID) -> Response:
    """Show a team: what it is set to, and who is in it."""
    return await _team(request, signed_in, TeamId(team))


@router.post("/settings/teams/{team}")
async def change_team(request: Request, signed_in: Leads, team: UUID) -> Response:
    """Set what a team is called, how it shares out work, and where its tickets go on to."""
    teams = desk_of(request).staffing.teams
    form = await form_of(request)
    try:
        await teams.change(TeamId(team), _shape(form), signed_in.agent)
    except NotFound:
        raise
    except DeskError as error:
        return await _team(request, signed_in, TeamId(team), error=error, filled=form)
    return RedirectResponse(f"{_LIST}/{team}?saved=1", 303)


@router.post("/settings/teams/{team}/archived")
async def archive_team(request: Request, signed_in: Leads, team: UUID) -> Response:
    """Take a team out of use, or put it back."""
    archived = text_field(await form_of(request), "archived") == "yes"
    teams = desk_of(request).staffing.teams
    try:
        await teams.archive(TeamId(team), signed_in.agent, archived=archived)
    except NotFound:
        raise
    except DeskError as error:
        return await _team(request, signed_in, TeamId(team), error=error)
    return RedirectResponse(_LIST if archived else f"{_LIST}/{team}", 303)


@router.post("/settings/teams/{team}/members")
async def set_member(request: Request, signed_in: Leads, team: UUID) -> Response:
    """Let an agent be in a team, or change their place in it."""
    form = await form_of(request)
    teams = desk_of(request).staffing.teams
    try:
        agent = id_field(form, "agent")
        if agent is None:
            raise NotFound("there is no such agent")
        await teams.set_member(
            TeamId(team),
            AgentId(agent),
            number_field(form, "level") or 1,
            signed_in.agent,
            is_lead=text_field(form, "lead") == "yes",
        )
    except DeskError as error:
        return await _team(request, signed_in, TeamId(team), error=error)
    return RedirectResponse(f"{_LIST}/{team}", 303)


@router.post("/settings/teams/{team}/members/{agent}/remove")
async def remove_member(request: Request, signed_in: Leads, team: UUID, agent: UUID) -> Response:
    """Take an agent out of a team."""
    teams = desk_of(request).staffing.teams
    try:
        await teams.remove_member(TeamId(team), AgentId(agent), signed_in.agent)
    except DeskError as error:
        return await _team(request, signed_in, TeamId(team), error=error)
    return RedirectResponse(f"{_LIST}/{team}", 303)


@router.get("/settings/agents/{agent}")
async def show_abilities(request: Request, signed_in: Readers, agent: UUID) -> Response:
    """Show what an agent can be given."""
    return await _abilities(request, signed_in, AgentId(agent))


@router.post("/settings/agents/{agent}")
async def set_abilities(request: Request, signed_in: Leads, agent: UUID) -> Response:
    """Set an agent's skills, languages and capacity; by admins also their name, address, role."""
    form = await form_of(request)
    try:
        await desk_of(request).staffing.crew.change(
            AgentId(agent),
            _update(form, signed_in.agent),
            signed_in.agent,
            version=version_field(form),
        )
    except Outdated as error:  # what was filled in was meant for something else
        return await _abilities(request, signed_in, AgentId(agent), error=error)
    except NotFound:
        raise
    except DeskError as error:
        return await _abilities(request, signed_in, AgentId(agent), error=error, filled=form)
    return RedirectResponse(f"/console/settings/agents/{agent}?saved=1", 303)


@router.get("/presence")
async def show_presence(request: Request, signed_in: Agents) -> Response:
    """Show what the signed-in agent says of themselves."""
    async with storage_errors(), desk_of(request).sessions() as session:
        chosen = await own_presence(session, signed_in.agent.id)
    return page(request, "parts/presence.html", chosen=chosen, said=team_words)


@router.post("/presence")
async def set_presence(request: Request, signed_in: Agents) -> Response:
    """Be online, away or offline."""
    words = text_field(await form_of(request), "presence")
    if words not in team_words.PRESENCE:
        raise InvalidInput("an agent is online, away or offline")
    chosen = Presence(words)
    await desk_of(request).staffing.crew.be(signed_in.agent.id, chosen)
    return page(request, "parts/presence.html", chosen=chosen, said=team_words)


def _shape(form: FormData) -> TeamShape:
    strategy = text_field(form, "strategy")
    if strategy not in team_words.STRATEGY:
        raise InvalidInput("this page is too old: load it again")
    visibility = text_field(form, "visibility")  # empty where it is not theirs to say
    onward = id_field(form, "escalates_to")
    return TeamShape(
        name=text_field(form, "name"),
        description=text_field(form, "description"),
        strategy=Strategy(strategy),
        visibility=Visibility(visibility) if visibility in team_words.VISIBILITY else None,
        escalates_to=None if onward is None else TeamId(onward),
        patience={
            level: Patience(
                untouched_minutes=number_field(form, f"untouched.{level}"),
                unsolved_minutes=number_field(form, f"unsolved.{level}"),
                onward=Onward.LEAD
                if text_field(form, f"onward.{level}") == "lead"
                else Onward.NEXT,
            )
            for level in LEVELS
        },
    )


def _update(form: FormData, by: Agent) -> AgentUpdate:
    """Return what an agent's form says; who they are is for admins."""
    is_admin = by.role == Role.ADMIN
    is_named, role = is_admin and "name" in form, is_admin and text_field(form, "role")
    return AgentUpdate(
        name=text_field(form, "name") if is_named else None,
        email=text_field(form, "email") if is_named else None,
        role=_role(role) if role else None,
        skills=list_field(form, "skills"),
        languages=list_field(form, "languages"),
        capacity=number_field(form, "capacity") or 0,
    )


def _role(words: str) -> Role:
    try:
        return Role(words)
    except ValueError:
        raise InvalidInput("an agent's role is agent, lead, admin or auditor") from None


def _said(request: Request, error: DeskError | None) -> str | None:
    return None if error is None else error_in_words(error, translator(request))


async def _teams(
    request: Request, signed_in: SignedIn, *, name: str = "", error: DeskError | None = None
) -> Response:
    async with storage_errors(), desk_of(request).sessions() as session:
        position = await feed_end(session)
        teams = await list_teams(session, datetime.now(UTC), with_archived=True)
    return page(
        request,
        "teams.html",
        status=200 if error is None else 422,
        position=position,
        teams=teams,
        name=name,
        wrong=_said(request, error),
        said=team_words,
        may_add=signed_in.agent.role in LEADING,
    )


async def _team(
    request: Request,
    signed_in: SignedIn,
    team: TeamId,
    *,
    error: DeskError | None = None,
    filled: FormData = _NOTHING,
) -> Response:
    now = datetime.now(UTC)
    async with storage_errors(), desk_of(request).sessions() as session:
        position = await feed_end(session)
        view = await team_view(session, team, now)
        teams = await list_teams(session, now)
        people = await crew(session, now)
        views = await views_of_team(session, team)
    me = signed_in.agent
    inside = {member.agent.id for member in view.members}
    return page(
        request,
        "team.html",
        status=200 if error is None else 422,
        position=position,
        team=view,
        views=views,
        patience={time.level: time for time in view.patience},
        others=[other for other in teams if other.id != team],
        outside=[a for a in people if a.id not in inside and a.role != Role.AUDITOR],
        wrong=_said(request, error),
        filled=filled,
        saved=request.query_params.get("saved") == "1",
        said=team_words,
        levels=LEVELS,
        may_change=me.role == Role.ADMIN or (me.role == Role.LEAD and view.is_led_by(me.id)),
    )


async def _abilities(
    request: Request,
    signed_in: SignedIn,
    agent: AgentId,
    *,
    error: DeskError | None = None,
    filled: FormData = _NOTHING,
) -> Response:
    now = datetime.now(UTC)
    async with storage_errors(), desk_of(request).sessions() as session:
        position = await feed_end(session)
        people = await crew(session, now)
        teams = await list_teams(session, now)
    found = [person for person in people if person.id == agent]
    if not found:
        raise NotFound("there is no such agent")
    me = signed_in.agent
    leads = any(
        team.is_led_by(me.id) and any(m.agent.id == agent for m in team.members) for team in teams
    )
    return page(
        request,
        "agent.html",
        status=200 if error is None else 422,
        position=position,
        agent=found[0],
        version=content_version(described(found[0])),
        wrong=_said(request, error),
        filled=filled,
        said=team_words,
        saved=request.query_params.get("saved") == "1",
        may_change=me.role == Role.ADMIN or (me.role == Role.LEAD and leads),
        skills=sorted({skill for person in people for skill in person.skills}),
    )
