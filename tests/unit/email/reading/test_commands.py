"""`desk mail`: a line for every file, whatever is in it."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from core.cli import app
from tests.unit.email.reading.builders import raw

KEYS = (
    "file kind from_address from_name to cc reply_to subject date message_id in_reply_to references"
    " text visible quoted signature html attachments bounce authentication defects"
)


def test_parse_prints_every_key_for_every_file(tmp_path: Path) -> None:
    files = [tmp_path / "a.eml", tmp_path / "b.eml"]
    files[0].write_bytes(raw(Subject="Hi"))
    files[1].write_bytes(b"\0\xff" * 50)
    result = CliRunner().invoke(app, ["mail", "parse", "--json", *map(str, files)])
    lines = [json.loads(line) for line in result.output.splitlines()]
    assert result.exit_code == 0
    assert [line["file"] for line in lines] == [str(file) for file in files]
    assert all(list(line) == KEYS.split() for line in lines)


def test_visible_prints_what_was_written(tmp_path: Path) -> None:
    file = tmp_path / "replies.jsonl"
    asked = [
        {"id": 1, "format": "text", "input": "Yes.\n\n> Sure?"},
        {"id": 2, "format": "html", "input": "<p>No.</p>"},
    ]
    file.write_text("\n".join(map(json.dumps, asked)), encoding="utf-8")
    result = CliRunner().invoke(app, ["mail", "visible", "--json", str(file)])
    assert [json.loads(line) for line in result.output.splitlines()] == [
        {"id": 1, "visible": "Yes."},
        {"id": 2, "visible": "No."},
    ]
