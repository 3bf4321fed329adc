from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[3]
_PAGE = (_ROOT / "docs" / "dependencies.md").read_text()


def _named() -> set[str]:
    found: set[str] = set()
    for path in (_ROOT / "pyproject.toml", _ROOT / "bot" / "pyproject.toml"):
        project = tomllib.loads(path.read_text())
        wanted = list(project["project"]["dependencies"])
        for group in project.get("dependency-groups", {}).values():
            wanted.extend(group)
        found.update(re.split(r"[\[<>=;! ]", requirement)[0].lower() for requirement in wanted)
    found.update(json.loads((_ROOT / "console" / "package.json").read_text())["dependencies"])
    return found


@pytest.mark.parametrize("name", sorted(_named()))
def test_every_dependency_says_why_it_is_here(name: str) -> None:
    assert f"`{name}`" in _PAGE
