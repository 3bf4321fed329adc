"""What the pages name is there: links, files, commands with their options, settings, targets."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Set
from functools import cache
from pathlib import Path

import pytest
import typer.main
from fastapi import FastAPI
from typer.core import TyperCommand, TyperGroup

from console.api import router as api_router
from console.rooms import SECTIONS
from core.cli import app
from core.services.accounts.fields import fields_of
from core.settings import Settings
from core.wiring.kinds import Kinds

ROOT = Path(__file__).parents[3]
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        ROOT / "bot" / "README.md",
        *(ROOT / "nlu_data").rglob("*.md"),
    ]
)
EXPLAINED = [page for page in PAGES if page.parent.name != "decisions"]
"""Decisions tell of the day on which they were made; all others of today."""

_FENCE = re.compile(r"^```.*?^```|^(?: {4}|\t).*?$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_CALL = re.compile(r"`(GET|POST|PUT|PATCH|DELETE) (/[^`?]*)")
_SECTION = re.compile(r"\*Settings → ([^*→.]+?)\.?(?: →[^*]*)?\*")
_NOT_OF_THE_API = ("/chat", "/v1/", "/health", "/readyz")  # the web chat, the embedder, probes
_FOLDERS = "bench|bot|channels|console|core|docs|nlu_data|tests"
_FILE = re.compile(rf"(?:{_FOLDERS})/[\w./-]+")
_SWITCH = re.compile(r"--[a-z][a-z-]*")
_OF_DESK = re.compile(
    r"^\s*(?:\$ |\S+/|docker compose \S+ (?:\S+ )*?)?desk ((?:[a-z][a-z-]* ?)+)(.*)"
)


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, made as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    plain = [re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", one).replace("`", "") for one in headings]
    return {
        "".join(
            char for char in one.lower() if char in " -_" or unicodedata.category(char)[0] in "LN"
        ).replace(" ", "-")
        for one in plain
    }


def code_of(page: Path) -> Iterator[str]:
    """Yield what a page shows as code: lines of blocks, and spans."""
    text = page.read_text("utf-8")
    for block in _FENCE.findall(text):
        yield from block.splitlines()
    yield from _SPAN.findall(text)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_within_the_project_leads_somewhere(page: Path) -> None:
    broken = []
    for target in _LINK.findall(page.read_text("utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("page", EXPLAINED, ids=name)
def test_every_file_that_is_named_is_there(page: Path) -> None:
    named = {
        found.rstrip("./")
        for code in _SPAN.findall(page.read_text("utf-8"))
        for found in re.findall(rf"^(?:\.\./)*({_FILE.pattern})$", code)
    }
    rooms = (ROOT, page.parent)
    lacking = {file for file in named if not any((room / file).exists() for room in rooms)}
    assert {file for file in lacking if "XX" not in file} == set()


def commands(group: TyperGroup, words: tuple[str, ...] = ()) -> Iterator[tuple[str, TyperCommand]]:
    for word, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from commands(command, (*words, word))
        else:
            assert isinstance(command, TyperCommand)
            yield " ".join((*words, word)), command


@cache
def known_commands() -> Mapping[str, TyperCommand]:
    """Return the commands of `desk` by their words."""
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    return dict(commands(group))


@pytest.mark.parametrize("page", EXPLAINED, ids=name)
def test_every_command_that_is_shown_is_there_with_its_options(page: Path) -> None:
    known = known_commands()
    rooms = {" ".join(one.split()[:n]) for one in known for n in range(1, len(one.split()))}
    wrong = []
    for code in code_of(page):
        for said, rest in _OF_DESK.findall(code):
            words = said.split()
            fitting = [" ".join(words[:n]) for n in range(len(words), 0, -1)]
            command = next((known[one] for one in fitting if one in known), None)
            if command is None:
                wrong += [] if fitting[-1] in rooms else [code]
                continue
            options = {switch for one in command.params for switch in one.opts} | {"--help"}
            options |= {switch for one in command.params for switch in one.secondary_opts}
            wrong += [code for switch in _SWITCH.findall(rest) if switch not in options]
    assert wrong == []


@cache
def known_variables() -> tuple[Set[str], Set[str]]:
    """Return the variables of the desk, of containers and of the assistant; and accounts' ends."""
    prefix = Settings.model_config["env_prefix"]
    known = {
        str(field.validation_alias or f"{prefix}{one}".upper())
        for one, field in Settings.model_fields.items()
    }
    of_accounts = {
        f"{kind.upper()}__{field.name.upper()}"
        for kind, one in Kinds().items()
        for field in fields_of(one.settings)
    }
    elsewhere = "".join(
        file.read_text("utf-8")
        for file in [ROOT / "docker-compose.yml", *(ROOT / "bot").glob("*/*.py")]
    )
    return known | set(re.findall(r"\bDESK_[A-Z_]+", elsewhere)), of_accounts


@pytest.mark.parametrize("page", EXPLAINED, ids=name)
def test_every_variable_that_is_named_is_a_setting(page: Path) -> None:
    known, of_accounts = known_variables()
    named = set(re.findall(r"\bDESK_[A-Z0-9_]*[A-Z0-9]\b", page.read_text("utf-8")))

    def is_known(variable: str) -> bool:
        kind, _, rest = variable.removeprefix("DESK_").partition("__")
        field = rest.rpartition("__")[2]
        # A secret may stand in a file, which the setting with `_FILE` names.
        fields = {f"{kind}__{field}", f"{kind}__{field.removesuffix('_FILE')}"}
        return variable in known or not fields.isdisjoint(of_accounts)

    assert {one for one in named if not is_known(one)} == set()


@pytest.mark.parametrize("page", EXPLAINED, ids=name)
def test_every_target_of_make_that_is_named_is_there(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {word for code in code_of(page) for word in re.findall(r"^\s*make ([a-z-]+)", code)}
    assert named <= targets


def test_every_call_of_the_api_that_is_named_can_be_made() -> None:
    application = FastAPI()
    application.include_router(api_router())
    served = [
        re.compile(f"{method.upper()} {re.sub(r'{[^}]*}', '[^/]+', path)}")
        for path, methods in application.openapi()["paths"].items()
        for method in methods
    ]

    def is_served(method: str, path: str) -> bool:
        rooms = ("", "/api/v1", "/api/v1/assistant")
        calls = [f"{method} {room}{path}" for room in rooms]
        return any(one.fullmatch(call) for one in served for call in calls)

    wrong = [
        (page.name, method, path)
        for page in (ROOT / "docs").glob("*.md")
        for method, path in _CALL.findall(page.read_text("utf-8"))
        if not path.startswith(_NOT_OF_THE_API) and not is_served(method, path)
    ]
    assert wrong == []


def test_every_section_of_the_settings_that_is_named_is_there() -> None:
    named = {one for page in EXPLAINED for one in _SECTION.findall(page.read_text("utf-8"))}
    assert named
    assert named <= {section.name for section in SECTIONS}
