"""The admins' page of agents: who works here, and how they come in."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from console.desk import desk_of
from console.pages.session import Admins, form_of, text_field
from console.pages.view import page, translator
from console.words.errors import error_in_words
from console.words.states import ROLE
from core.domain.actor import Role
from core.domain.errors import Conflict, InvalidInput, NotFound
from core.domain.ids import AgentId
from core.storage.engine import storage_errors
from core.storage.queries.access.agents import list_agents
from core.storage.queries.feed import feed_end

router = APIRouter(prefix="/console/admin")


@router.get("/agents")
async def show_agents(request: Request, _: Admins) -> Response:
    """List agents, with a form to add one."""
    return await _agents(request)


@router.post("/agents")
async def add_agent(request: Request, _: Admins) -> Response:
    """Add an agent and show the link that lets them in, once."""
    access = desk_of(request).access
    form = await form_of(request)
    email, name = text_field(form, "email"), text_field(form, "name")
    role = text_field(form, "role")
    try:
        agent = await access.add_agent(email, name, _role(role))
    except (InvalidInput, Conflict) as error:
        said = error_in_words(error, translator(request))
        return await _agents(
            request, status=422, wrong=said, filled={"email": email, "name": name, "role": role}
        )
    return await _agents(request, link=await _link(request, agent.id), invited=agent.name)


@router.post("/agents/{agent}/link")
async def new_link(request: Request, _: Admins, agent: UUID) -> Response:
    """Show a fresh one-time link of an agent who lost their password."""
    async with storage_errors(), desk_of(request).sessions() as session:
        known = await list_agents(session)
    names = [row.name for row in known if row.id == agent]
    if not names:
        raise NotFound("there is no such agent")
    return await _agents(request, link=await _link(request, AgentId(agent)), invited=names[0])


@router.post("/agents/{agent}/disabled")
async def set_disabled(request: Request, signed_in: Admins, agent: UUID) -> Response:
    """Shut an agent out, or let them in again."""
    disabled = text_field(await form_of(request), "disabled") == "yes"
    access = desk_of(request).access
    try:
        await access.set_disabled(AgentId(agent), disabled=disabled, by=signed_in.agent)
    except Conflict as error:
        said = error_in_words(error, translator(request))
        return await _agents(request, status=409, wrong=said)
    return RedirectResponse("/console/admin/agents", 303)


def _role(words: str) -> Role:
    if words not in ROLE:
        raise InvalidInput("an agent's role is agent, lead, admin or auditor")
    return Role(words)


async def _link(request: Request, agent: AgentId) -> str:
    desk = desk_of(request)
    token = await desk.access.sign_in_link(agent)
    return f"{desk.base_url}/console/sign-in/{token}"


async def _agents(
    request: Request,
    *,
    status: int = 200,
    wrong: str | None = None,
    link: str | None = None,
    invited: str | None = None,
    filled: Mapping[str, str] | None = None,
) -> Response:
    async with storage_errors(), desk_of(request).sessions() as session:
        position = await feed_end(session)
        agents = await list_agents(session, with_disabled=True)
    return page(
        request,
        "agents.html",
        status=status,
        position=position,
        agents=agents,
        wrong=wrong,
        link=link,
        invited=invited,
        filled=filled or {"email": "", "name": "", "role": "agent"},
    )
