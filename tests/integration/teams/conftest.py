from __future__ import annotations

from tests.integration.console.conftest import api, desk

__all__ = ["api", "desk"]
