"""What admins look after: agents, payloads that were not understood, and what is up."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from console.desk import desk_of
from console.pages.session import Admins, form_of, text_field
from console.pages.view import page, translator
from console.words.errors import error_in_words
from console.words.setbacks import WORK
from console.words.states import ROLE
from core.domain.actor import Role
from core.domain.errors import Conflict, InvalidInput, NotFound
from core.domain.ids import AgentId
from core.storage.engine import storage_errors
from core.storage.queries.agents import list_agents
from core.storage.queries.feed import feed_end
from core.storage.queries.quarantine import open_quarantine, quarantined
from core.storage.queries.setbacks import list_setbacks

router = APIRouter(prefix="/console/admin")

_SHOWN_BYTES = 20_000
_SHOWN_FOR = timedelta(days=7)


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


@router.get("/quarantine")
async def show_quarantine(request: Request, _: Admins) -> Response:
    """List payloads that were not understood."""
    async with storage_errors(), desk_of(request).sessions() as session:
        position = await feed_end(session)
        items = await open_quarantine(session)
    return page(request, "quarantine.html", position=position, items=items)


@router.get("/quarantine/{item}")
async def show_quarantined(request: Request, _: Admins, item: UUID) -> Response:
    """Show one payload as it came, as text."""
    desk = desk_of(request)
    async with storage_errors(), desk.sessions() as session:
        position = await feed_end(session)
        found = await quarantined(session, item)
    raw: bytes | None
    try:
        raw = await desk.files.get(found.raw_blob)
    except NotFound:
        raw = None  # the page says so
    return page(
        request,
        "quarantined.html",
        position=position,
        item=found,
        raw=None if raw is None else raw[:_SHOWN_BYTES].decode("utf-8", "backslashreplace"),
        is_cut=raw is not None and len(raw) > _SHOWN_BYTES,
        can_replay=raw is not None and desk.quarantine.can_replay(found.account),
    )


@router.post("/quarantine/{item}/replay")
async def replay(request: Request, _: Admins, item: UUID) -> Response:
    """Read a payload again, as if it came now."""
    await desk_of(request).quarantine.replay(item)
    return RedirectResponse("/console/admin/quarantine", 303)


@router.post("/quarantine/{item}/discard")
async def discard(request: Request, _: Admins, item: UUID) -> Response:
    """Take a payload off the list; it stays in the blob store."""
    await desk_of(request).quarantine.discard(item)
    return RedirectResponse("/console/admin/quarantine", 303)


@router.get("/status")
async def show_status(request: Request, _: Admins) -> Response:
    """Show which components are up."""
    desk = desk_of(request)
    found = await desk.readiness()
    async with storage_errors(), desk.sessions() as session:
        position = await feed_end(session)
        setbacks = await list_setbacks(session, datetime.now(UTC) - _SHOWN_FOR)
    return page(
        request,
        "status.html",
        position=position,
        setbacks=setbacks,
        work=WORK,
        is_ready=bool(found["ready"]),
        components={name: _state(state) for name, state in dict(found["components"]).items()},
    )


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


def _state(state: Any) -> bool:
    return state in (True, "up", "ok", "ready")
