from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.storage.engine import Sessions
from tests.integration.automation.listener import Listener, listening
from tests.integration.sla.world import Promised
from tests.support.desk import Rig


@pytest.fixture
def rig(sessions: Sessions, tmp_path: Path) -> Rig:
    """A desk's services on the test's own database."""
    return Rig(sessions, tmp_path)


@pytest.fixture
def promised(sessions: Sessions, tmp_path: Path) -> Promised:
    """The same, with promises."""
    return Promised(sessions, tmp_path)


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    """A program that webhooks may call."""
    async with listening() as found:
        yield found
