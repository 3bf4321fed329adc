"""`docker-compose.yml` and `Dockerfile` against the commands, settings, ports and pages that exist.

No Docker engine is needed, and none is trusted to be there.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml
from typer.core import TyperGroup

from console import health
from core.cli import app
from core.runtime.embedder import MODEL, EmbeddingModel, create_app
from core.settings import Settings

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DESK_SERVICES = sorted(n for n, s in SERVICES.items() if s["image"] == "ventanilla-desk")
OWN_IMAGES = {"ventanilla-desk": ROOT / "Dockerfile", "ventanilla-bot": ROOT / "bot/Dockerfile"}
BOT_SOURCES = "\n".join(
    path.read_text()
    for pattern in ("*.py", "*/*.py", "*.yml")
    for path in sorted((ROOT / "bot").glob(pattern))
    if ".venv" not in path.parts
)


def instructions(dockerfile: Path) -> Iterator[tuple[str, str]]:
    """Yield instruction and argument of each line of a Dockerfile."""
    joined = dockerfile.read_text().replace("\\\n", " ")
    for line in joined.splitlines():
        if line.strip() and not line.startswith("#"):
            name, _, argument = line.partition(" ")
            yield name, argument.strip()


def checked_address(service: str) -> tuple[int, str]:
    """Return port and path that the health check of `service` asks."""
    found = re.search(
        r"http://127\.0\.0\.1:(\d+)(/\S*?)\"", SERVICES[service]["healthcheck"]["test"][-1]
    )
    assert found
    return int(found[1]), found[2]


def option(service: str, name: str) -> str:
    """Return the value of an option in the command of `service`."""
    words = [word for part in SERVICES[service]["command"] for word in str(part).split("=", 1)]
    return words[words.index(name) + 1]


@pytest.mark.parametrize("service", DESK_SERVICES)
def test_each_command_is_one_that_desk_takes(service: str) -> None:
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    name, *arguments = SERVICES[service]["command"]
    # Raises on an unknown option, a missing or a wrong value.
    group.commands[name].make_context(name, list(arguments))


def test_the_assistants_command_is_one_it_takes() -> None:
    python, main, *arguments = SERVICES["bot"]["command"]
    assert (python, main) == ("python", "main.py")
    # Its own program, on a Python of its own; its parser needs nothing but the standard library.
    spec = importlib.util.spec_from_file_location("bot_main", ROOT / "bot" / "main.py")
    assert spec is not None
    assert spec.loader is not None
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    taken = program._parser().parse_args(arguments)
    assert taken.command == "serve"
    assert (ROOT / "bot" / taken.endpoints).exists()
    assert str(taken.model) in OWN_IMAGES["ventanilla-bot"].read_text()


def test_the_programs_of_the_design_are_all_there() -> None:
    commands = {SERVICES[service]["command"][0] for service in DESK_SERVICES}
    assert commands == {"prepare", "serve", "work", "receive", "embed"}
    assert {"postgres", "redis", "bot"} <= set(SERVICES)
    assert SERVICES["postgres"]["image"].startswith("pgvector/pgvector:pg18")
    for service in ("bot", "work"):
        assert "REPLICAS" in SERVICES[service]["deploy"]["replicas"]


@pytest.mark.parametrize("service", DESK_SERVICES)
def test_each_variable_of_the_desk_is_a_setting(service: str) -> None:
    known = {
        str(field.validation_alias or f"DESK_{name.upper()}")
        for name, field in Settings.model_fields.items()
    }
    assert set(SERVICES[service]["environment"]) <= known


def test_each_variable_of_the_assistant_is_one_it_reads() -> None:
    for name in SERVICES["bot"]["environment"]:
        assert re.search(rf"\b{name}\b", BOT_SOURCES), name


def test_each_variable_of_the_file_is_documented() -> None:
    page = (ROOT / "docs" / "settings.md").read_text()
    for name in set(re.findall(r"\$\{([A-Z_]+)", TEXT)) | {"COMPOSE_PROFILES"}:
        assert f"| `{name}` |" in page, name


def test_secrets_come_from_the_environment_and_have_no_default() -> None:
    for name in ("DESK_SECRET_KEY", "DESK_BOT_TOKEN", "POSTGRES_PASSWORD", "REDIS_PASSWORD"):
        assert f"${{{name}:?" in TEXT
        assert not re.search(rf"\$\{{{name}:-[^}}]", TEXT)


def test_profiles_are_the_documented_ones_and_each_service_has_one() -> None:
    page = (ROOT / "docs" / "operations.md").read_text()
    profiles = {profile for service in SERVICES.values() for profile in service["profiles"]}
    assert all(service["profiles"] for service in SERVICES.values())
    assert profiles == {"database", "assistant", "desk", "receive"}
    for profile in profiles:
        assert f"| `{profile}` |" in page
        assert re.search(rf"^# {profile}\b", TEXT, re.MULTILINE)


def test_a_service_waits_only_for_services_its_own_machine_may_lack() -> None:
    for name, service in SERVICES.items():
        for other, how in service.get("depends_on", {}).items():
            same_profile = set(service["profiles"]) <= set(SERVICES[other]["profiles"])
            assert same_profile or how["required"] is False, (name, other)
            if how["condition"] == "service_healthy":
                assert "healthcheck" in SERVICES[other]


def test_health_checks_ask_pages_that_exist_on_the_ports_that_listen() -> None:
    port, path = checked_address("embedder")
    assert str(port) == option("embedder", "--port")
    assert path in {
        getattr(route, "path", "") for route in create_app({MODEL: EmbeddingModel()}).routes
    }

    port, path = checked_address("serve")
    assert str(port) == SERVICES["serve"]["environment"]["DESK_PORT"]
    assert path in {getattr(route, "path", "") for route in health.router.routes}

    port, path = checked_address("bot")
    assert str(port) == option("bot", "--port")
    assert path == "/webhooks/desk/health"  # bot/tests ask it of a real process


def test_the_programs_find_each_other() -> None:
    environment = SERVICES["serve"]["environment"]
    assert f"http://bot:{option('bot', '--port')}" in environment["DESK_BOT_URL"]
    assert f"http://embedder:{option('embedder', '--port')}/v1" in environment["DESK_EMBEDDER_URL"]
    port = environment["DESK_PORT"]
    assert f"http://serve:{port}" in SERVICES["bot"]["environment"]["DESK_URL"]
    assert SERVICES["serve"]["ports"][0].endswith(f":{port}")
    assert "@postgres:5432/" in environment["DATABASE_URL"]


def test_only_the_web_server_can_be_reached_from_outside() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["serve"]


@pytest.mark.parametrize("image", sorted(OWN_IMAGES))
def test_an_image_of_ours_does_not_run_as_root(image: str) -> None:
    users = [argument for name, argument in instructions(OWN_IMAGES[image]) if name == "USER"]
    assert users
    assert users[-1].partition(":")[0] not in {"root", "0"}


def test_images_of_others_do_not_run_as_root() -> None:
    for name, service in SERVICES.items():
        if service["image"] not in OWN_IMAGES:
            assert service["user"] not in {"root", "0"}, name


@pytest.mark.parametrize("image", sorted(OWN_IMAGES))
def test_what_an_image_copies_exists_and_is_sent_to_the_builder(image: str) -> None:
    sent = {
        line.removeprefix("!")
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    for name, argument in instructions(OWN_IMAGES[image]):
        words = [word for word in argument.split() if not word.startswith("--chown")]
        if name != "COPY" or words[0].startswith("--from"):
            continue
        for source in words[:-1]:
            assert (ROOT / source).exists(), source
            assert Path(source).parts[0] in sent, source
