"""What `desk --help` tells a newcomer."""

from __future__ import annotations

import typer.main
from typer.core import TyperGroup

from core.cli import app


def test_the_first_commands_shown_are_those_to_begin_with() -> None:
    desk = typer.main.get_command(app)
    assert isinstance(desk, TyperGroup)
    panels = {
        name: getattr(command, "rich_help_panel", None) for name, command in desk.commands.items()
    }
    first = [name for name, panel in panels.items() if not isinstance(panel, str)]
    assert first == ["run"]
    assert {panels[name] for name in ("serve", "work", "receive", "embed")} == {
        "The processes that `run` starts and watches"
    }
