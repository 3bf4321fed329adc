"""The sheet of keys names every key that does something."""

from __future__ import annotations

import re
from pathlib import Path

import console

ROOM = Path(console.__file__).parent
SHEET = (ROOM / "templates/parts/keys.html").read_text()


def test_every_key_is_on_the_sheet() -> None:
    pages = "".join(page.read_text() for page in (ROOM / "templates").rglob("*.html"))
    script = (ROOM / "static/keys.js").read_text()
    bound = script.partition("const keys = {")[2].partition("};")[0]
    keys = set(re.findall(r'aria-keyshortcuts="(.)"', pages))
    keys |= set(re.findall(r'^    "?([^\s"])"?: \(\)', bound, re.MULTILINE))
    assert {"j", "r", "n", "t", "z", "."} <= keys
    assert {key for key in keys if f"<kbd>{key}</kbd>" not in SHEET} == set()
