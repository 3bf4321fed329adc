"""What `desk assistant` does: models are asked for here, and made by the running desk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta

from core.domain.actor import Agent, Role
from core.domain.errors import Forbidden, InvalidInput
from core.domain.ids import AgentId
from core.domain.models import UNDER_WAY, ModelState
from core.services.learning.versions import ModelVersions, VersionView
from core.settings import Settings
from core.storage.engine import Sessions, storage_errors
from core.storage.queries.access.agents import agent_named
from core.storage.queries.lanes import is_alive
from core.storage.tables import AgentRow
from core.wiring.parts import open_parts

_WORKER_SILENCE = timedelta(seconds=10)
_LOOK_SECONDS = 1.0


async def train(
    settings: Settings,
    *,
    by: str | None,
    waits: bool,
    goes_live: bool,
    say: Callable[[str], None],
) -> VersionView:
    """Ask for a model and, if `waits`, return it once it is judged.

    Raises:
        InvalidInput: no desk runs on this database that could make it.
        Conflict: there is nothing new to learn, or one is being made.
    """
    async with open_parts(settings, "desk assistant train") as parts:
        versions = ModelVersions(parts.sessions)
        await _check_worker(parts.sessions)
        number = await versions.ask(await _admin(parts.sessions, by), goes_live=goes_live)
        say(f"version {number} is asked for")
        view = await versions.get(number)
        said = view.state
        while waits and view.state in UNDER_WAY:
            await asyncio.sleep(_LOOK_SECONDS)
            await _check_worker(parts.sessions)
            view = await versions.get(number)
            if view.state != said:
                said = view.state
                say(f"version {number}: {said}")
        return view


async def versions(settings: Settings) -> Sequence[VersionView]:
    """Return the models, the newest first."""
    async with open_parts(settings, "desk assistant versions") as parts:
        return await ModelVersions(parts.sessions).list()


async def use(settings: Settings, number: int, *, by: str | None) -> str:
    """Let a model serve; return what happens next, in words."""
    async with open_parts(settings, "desk assistant use") as parts:
        await ModelVersions(parts.sessions).use(number, await _admin(parts.sessions, by))
        async with storage_errors(), parts.sessions() as session:
            is_running = await is_alive(session, "worker", _WORKER_SILENCE)
    when = "within seconds" if is_running else "when the desk is started"
    return f"version {number} serves {when}"


def has_passed(version: VersionView) -> bool:
    """Say whether a model was judged good enough."""
    return bool(version.report and version.report["passed"])


def as_lines(versions: Sequence[VersionView]) -> list[str]:
    """Return a line for each model, and one for each reason that spoke against it."""
    lines = []
    for one in versions:
        parts = [f"{one.number:>4}", f"{one.state:<8}"]
        if one.number == 0:
            parts.append("the release as it comes")
        else:
            parts.append(f"{one.examples} examples, {one.held_back} held back")
        if one.report:
            parts += [
                f"{language} {found['old']} -> {found['new']} of {found['messages']}"
                for language, found in one.report["languages"].items()
            ]
            taught = one.report["taught"]
            if taught["messages"]:
                parts.append(f"own {taught['old']} -> {taught['new']} of {taught['messages']}")
        if one.asked_by:
            parts.append(f"asked for by {one.asked_by}")
        if one.number:
            parts.append(one.asked_at.isoformat(timespec="minutes"))
        lines.append("  ".join(parts))
        lines += [f"      against it: {reason}" for reason in (one.report or {}).get("reasons", ())]
        if one.state == ModelState.BROKEN:
            lines.append(f"      {one.error}")
    return lines


async def _check_worker(sessions: Sessions) -> None:
    async with storage_errors(), sessions() as session:
        if not await is_alive(session, "worker", _WORKER_SILENCE):
            raise InvalidInput("no desk is running that could train: start it, then ask again")


async def _admin(sessions: Sessions, email: str | None) -> Agent | None:
    """Return the admin of this address; None, for the terminal, without one."""
    if email is None:
        return None
    async with storage_errors(), sessions() as session:
        row = await session.get_one(AgentRow, await agent_named(session, email))
    if row.role != Role.ADMIN:
        raise Forbidden("only admins may do this")
    return Agent(id=AgentId(row.id), email=row.email, name=row.name, role=Role.ADMIN)
