"""The API's description is the same from a web server that has no docstrings."""

from __future__ import annotations

import json
from pathlib import Path

from fastapi import FastAPI
from pydantic import SecretStr

from core.settings import Settings
from core.wiring.description import Description
from core.wiring.web import build_app


async def test_what_another_process_writes_is_what_this_one_would(
    database_url: str, tmp_path: Path
) -> None:
    settings = Settings(home=tmp_path, database_url=SecretStr(database_url))
    app = build_app(settings)
    own = json.loads(await Description(app, settings, has_docstrings=True).document())
    other = json.loads(await Description(app, settings, has_docstrings=False).document())
    assert other == own
    search = own["paths"]["/api/v1/knowledge/search"]["get"]
    assert search["description"] or search["summary"]
    assert any(
        "description" in operation for path in own["paths"].values() for operation in path.values()
    )


async def test_it_is_written_once_for_all_starts_of_a_release(
    database_url: str, tmp_path: Path
) -> None:
    settings = Settings(home=tmp_path, database_url=SecretStr(database_url))
    first = await Description(FastAPI(), settings, has_docstrings=False).document()
    kept = tmp_path / "api-description"
    release, _, document = kept.read_bytes().partition(b"\n")
    assert document == first
    kept.write_bytes(release + b"\n{}")
    assert await Description(FastAPI(), settings, has_docstrings=False).document() == b"{}"
    kept.write_bytes(b"another release\n{}")
    assert await Description(FastAPI(), settings, has_docstrings=False).document() == first
    assert kept.read_bytes() == release + b"\n" + first
