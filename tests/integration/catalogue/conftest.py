"""The fixtures of the core and of the console: the catalogue is tested through both."""

from tests.integration.console.conftest import api, desk
from tests.integration.core.conftest import rig

__all__ = ["api", "desk", "rig"]
