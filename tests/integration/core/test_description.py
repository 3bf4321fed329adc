"""The API's description is the same from a web server that has no docstrings."""

from __future__ import annotations

import json
from pathlib import Path

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
