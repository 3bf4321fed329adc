"""The console and the API over real services and a fresh database, called without a socket."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from core.domain.actor import Role
from core.storage.engine import Sessions
from tests.integration.console.hidden import Hidden, hide
from tests.integration.console.world import Desk, build_desk


@pytest.fixture
def desk(sessions: Sessions, database_url: str, tmp_path: Path) -> Desk:
    """A desk on a fresh database."""
    return build_desk(sessions, database_url, tmp_path)


@pytest.fixture
def api(desk: Desk) -> Callable[..., Awaitable[httpx.AsyncClient]]:
    """Make clients of the API that carry a token of a role."""

    async def client(role: Role = Role.AGENT, email: str = "ana@example.org") -> httpx.AsyncClient:
        token = await desk.access.create_token(email, role)
        return desk.client(Authorization=f"Bearer {token}")

    return client


@pytest.fixture
async def hidden(desk: Desk) -> Hidden:
    """An agent's own ticket and another team's, where each sees their own teams' alone."""
    return await hide(desk, own_tickets_only=True)


@pytest.fixture
async def closed(desk: Desk) -> Hidden:
    """The same where that team alone is closed."""
    return await hide(desk, own_tickets_only=False)
