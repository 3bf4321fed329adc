"""What tests of figures share."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.storage.engine import Sessions
from tests.integration.figures.world import Counted


@pytest.fixture
def desk(sessions: Sessions, tmp_path: Path) -> Counted:
    return Counted(sessions, tmp_path)
