"""One desk of real processes for all tests of this folder, and who works and writes there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from core.runtime.supervision.assistant_program import AssistantProgram
from tests.support.running_desk import (
    RunningDesk,
    free_port,
    home_with_model,
    running_desk,
    train_into,
)
from tests.support.staff import Staff
from tests.support.visitor import Visitor


@pytest.fixture(scope="session")
async def trained() -> Path:
    """A folder with an up-to-date model: the one that the assistant's own tests keep theirs in."""
    models = AssistantProgram().folder / "models"
    await train_into(models)
    return models


@pytest.fixture(scope="package")
async def whole_desk(
    trained: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[RunningDesk]:
    """A ready desk of real processes; tests share it, each with sessions of its own.

    It ends with the last test of this folder: it has work to look for each second, even idle.
    """
    home = home_with_model(tmp_path_factory.mktemp("whole") / "home", trained)
    async with running_desk(home, free_port(), DESK_TAKE_BACK_SECONDS="2") as desk:
        await desk.until_ready()
        await desk.until_all_is_embedded()
        yield desk


@pytest.fixture(scope="package")
async def http(whole_desk: RunningDesk) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=whole_desk.url, trust_env=False, timeout=30.0) as client:
        yield client


@pytest.fixture
async def visitor(http: httpx.AsyncClient) -> Visitor:
    """A new visitor of the English page."""
    return await Visitor.arrive(http)


@pytest.fixture
async def visitante(http: httpx.AsyncClient) -> Visitor:
    """A new visitor of the Spanish page."""
    return await Visitor.arrive(http, "es")


@pytest.fixture(scope="package")
async def ana(whole_desk: RunningDesk, http: httpx.AsyncClient) -> Staff:
    """An agent."""
    return await _staff(whole_desk, http, "ana@example.org", "agent")


@pytest.fixture(scope="package")
async def bruno(whole_desk: RunningDesk, http: httpx.AsyncClient) -> Staff:
    """Another agent."""
    return await _staff(whole_desk, http, "bruno@example.org", "agent")


@pytest.fixture(scope="package")
async def admin(whole_desk: RunningDesk, http: httpx.AsyncClient) -> Staff:
    """An admin."""
    return await _staff(whole_desk, http, "carla@example.org", "admin")


@pytest.fixture(scope="package")
async def console(whole_desk: RunningDesk) -> AsyncIterator[httpx.AsyncClient]:
    """The browser of an agent who is signed in to the console."""
    link = await whole_desk.command("user", "add", "--email", f"{uuid4()}@example.org")
    async with httpx.AsyncClient(
        base_url=whole_desk.url, trust_env=False, timeout=30.0, follow_redirects=True
    ) as client:
        assert (await client.post(link)).status_code == 200
        yield client


async def _staff(desk: RunningDesk, http: httpx.AsyncClient, email: str, role: str) -> Staff:
    token = await desk.command("token", "create", "--email", email, "--role", role)
    return Staff(http, email, token)
