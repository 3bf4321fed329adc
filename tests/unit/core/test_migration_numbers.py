"""Migrations are one line, each with a number of its own."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import core.storage.migrations

_VERSIONS = Path(core.storage.migrations.__path__[0]) / "versions"
_NAMED = re.compile(r'^(revision|down_revision) = (?:"(\d{4})"|None)$', re.MULTILINE)


def test_each_migration_has_the_number_after_the_one_before_it_as_its_file_is_called() -> None:
    files = sorted(_VERSIONS.glob("*.py"))
    found = [dict(_NAMED.findall(file.read_text())) for file in files]
    assert [each["revision"] for each in found] == [file.name[:4] for file in files]
    for before, after in pairwise(found):
        assert after["down_revision"] == before["revision"], after
        assert int(after["revision"]) == int(before["revision"]) + 1, after
