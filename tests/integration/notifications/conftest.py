from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller

from core.storage.engine import Sessions
from tests.integration.console.world import Desk, build_desk
from tests.integration.notifications.post import Post
from tests.support.desk import Rig
from tests.support.running_desk import free_port


@pytest.fixture
def rig(sessions: Sessions, tmp_path: Path) -> Rig:
    """A desk's services on the test's own database."""
    return Rig(sessions, tmp_path)


@pytest.fixture
def desk(sessions: Sessions, database_url: str, tmp_path: Path) -> Desk:
    """A desk with its console on the test's own database."""
    return build_desk(sessions, database_url, tmp_path)


@pytest.fixture
async def post() -> AsyncIterator[Post]:
    """A mail server that takes what agents are mailed."""
    found = Post()
    port = free_port()
    controller = Controller(found, hostname="127.0.0.1", port=port)
    controller.start()
    found.url = f"smtp://127.0.0.1:{port}"
    yield found
    controller.stop()
