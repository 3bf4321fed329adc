"""The fixtures of the console: the search is tested through it."""

from tests.integration.console.conftest import api, desk

__all__ = ["api", "desk"]
