from __future__ import annotations

from pathlib import Path

import pytest

from core.storage.engine import Sessions
from tests.integration.sla.world import Promised


@pytest.fixture
def desk(sessions: Sessions, tmp_path: Path) -> Promised:
    """A desk that keeps clocks, on the test's own database."""
    return Promised(sessions, tmp_path)
