"""What is looked at to say whether a desk is well, beside what its database says."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from pydantic import SecretStr

from core.domain.diagnosis import Diagnosis
from core.domain.errors import DeskError
from core.runtime.database.postgres import embedded_postgres
from core.runtime.machine.addresses import http_get, local_url, why_taken
from core.runtime.machine.home import Home, RunRecord
from core.runtime.machine.processes import is_alive, memory_kilobytes
from core.runtime.supervision.assistant_program import AssistantProgram
from core.settings import Settings

_LEAST_PYTHON = (3, 11)
_SCARCE_BYTES = 1 << 30

Diagnose = Callable[[Settings], Awaitable[list[Diagnosis]]]


async def examine(settings: Settings, *, diagnose: Diagnose) -> list[Diagnosis]:
    """Return a finding for each component; `diagnose` looks at what only the database knows."""
    home = Home.at(settings.home)
    record = RunRecord.read(home)
    if record is not None and not is_alive(record.pid):
        record = None
    findings = [_python(), _disk(home), _run(home, record)]
    findings += await _database(settings, diagnose)
    findings += [
        await _assistant(settings, home, record),
        await _embedder(settings, record),
        await _web(settings, record),
    ]
    return findings


def _python() -> Diagnosis:
    version = ".".join(map(str, sys.version_info[:3]))
    return Diagnosis(
        component="python",
        ok=sys.version_info[:2] >= _LEAST_PYTHON,
        detail=f"{version} ({sys.executable})",
        remedy="" if sys.version_info[:2] >= _LEAST_PYTHON else "install Python 3.11 or newer",
    )


def _disk(home: Home) -> Diagnosis:
    free = shutil.disk_usage(home.root).free
    enough = free >= _SCARCE_BYTES
    return Diagnosis(
        component="disk",
        ok=enough,
        detail=f"{free / (1 << 30):.1f} GiB free for {home.root}",
        remedy="" if enough else "free some space, or move DESK_HOME to another disk",
    )


def _run(home: Home, record: RunRecord | None) -> Diagnosis:
    detail = (
        f"running, process {record.pid}, {memory_kilobytes(record.pid) // 1024} MB"
        if record
        else f"not running in {home.root}"
    )
    return Diagnosis(component="desk run", ok=True, detail=detail)


async def _database(settings: Settings, diagnose: Diagnose) -> list[Diagnosis]:
    kind = "DATABASE_URL" if settings.database_url else f"embedded, in {settings.home}/postgres"
    try:
        if settings.database_url is not None:
            inside = await diagnose(settings)
        else:
            async with embedded_postgres(settings.home) as url:
                with_url = settings.model_copy(update={"database_url": SecretStr(url)})
                inside = await diagnose(with_url)
    except DeskError as error:
        remedy = (
            "check that the server of DATABASE_URL runs and lets the desk in"
            if settings.database_url
            else f"see {settings.home}/logs/postgres.log; docs/operations.md says what to try"
        )
        return [Diagnosis(component="database", ok=False, detail=f"{error}", remedy=remedy)]
    return [Diagnosis(component="database", ok=True, detail=f"answers ({kind})"), *inside]


async def _assistant(settings: Settings, home: Home, record: RunRecord | None) -> Diagnosis:
    url = record.bot_url if record else settings.bot_url
    if record is not None or "bot_url" in settings.model_fields_set:
        status = await _get(url, "/webhooks/desk/health")
        return Diagnosis(
            component="assistant",
            ok=status == 200,
            detail=f"{_in_words(status)} at {url}",
            remedy="" if status == 200 else f"wait while it loads; else see {home.logs}",
        )
    program = AssistantProgram()
    if program.missing:
        return Diagnosis(
            component="assistant", ok=False, detail=program.missing, remedy="make run installs it"
        )
    models = len(list(home.models.glob("*.tar.gz"))) if home.models.exists() else 0
    detail = f"installed, {models} trained model(s); " + (
        "not running" if models else "trained at the first start"
    )
    return Diagnosis(component="assistant", ok=True, detail=detail)


async def _embedder(settings: Settings, record: RunRecord | None) -> Diagnosis:
    url = record.embedder_url if record else settings.embedder_url
    if url is None:
        return Diagnosis(component="embedder", ok=True, detail="not running; desk run starts it")
    # Any answer will do: another maker's service may have no such page.
    status = await _get(url, "/health")
    return Diagnosis(
        component="embedder",
        ok=status is not None,
        detail=f"{_in_words(status)} at {url}",
        remedy="" if status else "without it the search goes by words alone; see its log",
    )


async def _web(settings: Settings, record: RunRecord | None) -> Diagnosis:
    address = local_url(settings.host, settings.port)
    if record is None:
        reason = why_taken(settings.host, settings.port)
        return Diagnosis(
            component="address",
            ok=reason is None,
            detail=reason or f"{address} is free",
            remedy="set DESK_PORT or DESK_HOST to something else" if reason else "",
        )
    parts = urlsplit(record.address)
    try:
        status, body = await http_get(parts.hostname or "", parts.port or 80, "/readyz")
        components = json.loads(body).get("components", {})
    except (OSError, ValueError, AttributeError):
        status, components = 0, {}
    missing = [name for name, state in components.items() if state != "up"]
    return Diagnosis(
        component="web",
        ok=status == 200,
        detail=f"{_in_words(status)} at {record.address}/readyz"
        + (f", not up: {', '.join(missing)}" if status != 200 and missing else ""),
        remedy="" if status == 200 else f"see the logs in {settings.home}/logs",
    )


async def _get(url: str, path: str) -> int | None:
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        status, _ = await http_get(parts.hostname or "", port, path)
    except OSError:
        return None
    return status


def _in_words(status: int | None) -> str:
    return f"answers {status}" if status else "does not answer"
