"""The pages for admins name every setting, command, option and Makefile target there is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main
from typer.core import TyperCommand, TyperGroup

from core.cli import app
from core.services.accounts.fields import SettingField, fields_of
from core.settings import Settings
from core.wiring.kinds import Kinds

ROOT = Path(__file__).parents[2]
SETTINGS_PAGE = (ROOT / "docs" / "settings.md").read_text()
OPERATIONS_PAGE = (ROOT / "docs" / "operations.md").read_text()


def variables() -> list[str]:
    """Return the environment variable of each setting."""
    prefix = Settings.model_config["env_prefix"]
    return [
        str(field.validation_alias) if field.validation_alias else f"{prefix}{name}".upper()
        for name, field in Settings.model_fields.items()
    ]


def commands(group: TyperGroup, prefix: str = "desk") -> Iterator[tuple[str, TyperCommand]]:
    """Yield each command by its full name."""
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from commands(command, f"{prefix} {name}")
        else:
            assert isinstance(command, TyperCommand)
            yield f"{prefix} {name}", command


def all_commands() -> list[tuple[str, TyperCommand]]:
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    return list(commands(group))


@pytest.mark.parametrize("variable", variables())
def test_each_setting_has_a_row(variable: str) -> None:
    assert f"| `{variable}` |" in SETTINGS_PAGE


def test_no_row_names_a_setting_that_is_gone() -> None:
    table = SETTINGS_PAGE.partition("## The desk")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `([A-Z_]+)` \|", table, re.MULTILINE)) == set(variables())


@pytest.mark.parametrize("name", list(Settings.model_fields))
def test_each_plain_default_is_the_documented_one(name: str) -> None:
    field = Settings.model_fields[name]
    if field.default is None:
        return
    variable = str(field.validation_alias or f"DESK_{name.upper()}")
    (row,) = [line for line in SETTINGS_PAGE.splitlines() if line.startswith(f"| `{variable}` |")]
    match field.default:
        case bool() as switch:
            default = str(switch).lower()
        case float() as number:
            default = f"{number:g}"
        case other:
            default = str(other)
    assert f"| `{default}` |" in row


def variables_of_accounts() -> dict[str, SettingField]:
    """Return the settings of each kind of account by their variables."""
    return {
        f"DESK_{kind.upper()}__NAME__{field.name.upper()}": field
        for kind, known in Kinds().items()
        for field in fields_of(known.settings)
    }


def test_each_setting_of_an_account_has_a_row_with_its_default() -> None:
    rows = dict(
        re.findall(r"^\| `(DESK_[A-Z]+__[A-Z_]+)` \| (.+?) \|", SETTINGS_PAGE, re.MULTILINE)
    )
    expected = {}
    for name, field in variables_of_accounts().items():
        default = field.default.replace("\n", ", ")
        expected[name] = "required" if field.is_required else f"`{default}`" if default else "none"
    assert rows == expected


@pytest.mark.parametrize(("name", "command"), all_commands())
def test_each_command_has_a_row_and_a_help_text(name: str, command: TyperCommand) -> None:
    assert f"| `{name}` |" in OPERATIONS_PAGE
    assert command.help


def test_no_row_names_a_command_that_is_gone() -> None:
    table = OPERATIONS_PAGE.partition("## Commands")[2].partition("\n## ")[0]
    named = set(re.findall(r"^\| `(desk [a-z ]+)` \|", table, re.MULTILINE))
    assert named == {name for name, _ in all_commands()}


@pytest.mark.parametrize(("name", "command"), all_commands())
def test_each_option_is_explained(name: str, command: TyperCommand) -> None:
    for parameter in command.params:
        help_text = getattr(parameter, "help", None)
        assert help_text, f"{name} {parameter.name}"


def test_help_of_make_lists_every_target_people_use() -> None:
    makefile = (ROOT / "Makefile").read_text()
    listed = set(re.findall(r"^([a-z]+):.*## ", makefile, re.MULTILINE))
    assert {"help", "run", "test", "check", "bench", "clean"} <= listed
    for target in re.findall(r"`make ([a-z]+)", (ROOT / "CONTRIBUTING.md").read_text()):
        assert target in listed
