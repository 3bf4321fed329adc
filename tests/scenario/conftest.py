from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import uuid4

import httpx
import pytest

from tests.support.running_desk import RunningDesk
from tests.support.staff import Staff
from tests.support.visitor import Visitor


@pytest.fixture(scope="session")
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


@pytest.fixture(scope="session")
async def ana(whole_desk: RunningDesk, http: httpx.AsyncClient) -> Staff:
    """An agent."""
    return await _staff(whole_desk, http, "ana@example.org", "agent")


@pytest.fixture(scope="session")
async def bruno(whole_desk: RunningDesk, http: httpx.AsyncClient) -> Staff:
    """Another agent."""
    return await _staff(whole_desk, http, "bruno@example.org", "agent")


@pytest.fixture(scope="session")
async def admin(whole_desk: RunningDesk, http: httpx.AsyncClient) -> Staff:
    """An admin."""
    return await _staff(whole_desk, http, "carla@example.org", "admin")


@pytest.fixture(scope="session")
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
