"""The fixtures of the core and of the console: what is about tickets is tested through both."""

from tests.integration.console.conftest import api, desk
from tests.integration.core.conftest import rig

__all__ = ["api", "desk", "rig"]
