"""How the tests of a run are shared out among processes (`pytest -n`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from xdist.scheduler.loadscope import LoadScopeScheduling

# Tests of one group run in one process, one after the other. All that start a desk of real
# processes, or share one, are one group: two desks at once would take the machine from each other.
_GROUPS: Mapping[str, str] = {
    "tests/scenario/": "whole desk",
}

_LATER: Mapping[str, int] = {"tests/browser/": 2, "tests/unit/": 3}

# Each of their tests is a group: they share nothing, and take long where many cases are asked for.
_APART = ("/test_against_reference.py",)


def group_of(nodeid: str) -> str:
    """Return the group of a test; by default its module, whose fixtures are then made once."""
    for prefix, group in _GROUPS.items():
        if nodeid.startswith(prefix):
            return group
    module = nodeid.partition("::")[0]
    return nodeid if module.endswith(_APART) else module


class ByGroup(LoadScopeScheduling):  # type: ignore[misc]
    """Gives each process a group at a time, in the order in which tests were collected."""

    def __init__(self, config: pytest.Config, log: object) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


def longest_first(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """Return the tests with those of the large groups first: what begins last ends last.

    Those in a browser come once the assistant's own tests, which run beside, are through: a page
    has ten seconds to load. The smallest fill what is left at the end.
    """
    large = set(_GROUPS.values())

    def place(item: pytest.Item) -> int:
        if group_of(item.nodeid) in large:
            return 0
        return next((n for prefix, n in _LATER.items() if item.nodeid.startswith(prefix)), 1)

    return sorted(items, key=place)
