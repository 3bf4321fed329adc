"""The page on architecture names tests for each fault: they are there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_NAMED = re.compile(r"`([a-z_/]+\.py)?(?:::(test_[a-z_0-9]+))?`")


def _rows() -> Iterator[list[str]]:
    page = (_ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    section = page.partition("## Failures")[2]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    for line in lines[2:]:
        yield [cell.strip() for cell in line.strip("|").split("|")]


def test_each_fault_names_tests_that_are_there() -> None:
    rows = list(_rows())
    assert rows
    for fault, _, tests in rows:
        named = [match for match in _NAMED.findall(tests) if any(match)]
        assert named, fault
        file = ""
        for path, test in named:
            file = path or file
            source = _ROOT / "tests" / file
            assert source.is_file(), f"{fault}: {file}"
            words = source.read_text(encoding="utf-8")
            assert not test or re.search(rf"def {test}\(", words), f"{fault}: {file}::{test}"
