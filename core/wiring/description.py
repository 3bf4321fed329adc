"""The description of the API (OpenAPI), whose words are the docstrings of its routes.

The web server that `desk run` starts has no docstrings: they would stay in memory for the few who
ask. It has another process write the description when it is first asked for, and keeps it in the
home for every later start of the same release.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.settings import Settings
from core.wiring.parts import database_url

_LOGGER = logging.getLogger(__name__)

_PATH = "/api/openapi.json"
_FILE = "api-description"
_SECONDS = 300.0  # it takes seven of a processor
_ROOT = Path(__file__).parents[2]
_ROOMS = ("console", "core", "channels")


class Description:
    """The description of what `app` offers, made when it is first asked for."""

    def __init__(
        self, app: FastAPI, settings: Settings, *, has_docstrings: bool = sys.flags.optimize < 2
    ) -> None:
        self._app = app
        self._settings = settings
        self._has_docstrings = has_docstrings
        self._written: bytes | None = None
        self._writing = asyncio.Lock()

    def route(self) -> Route:
        """Return the route at which it is read."""

        async def read(_: Request) -> Response:
            return Response(await self.document(), media_type="application/json")

        return Route(_PATH, read, include_in_schema=False)

    async def document(self) -> bytes:
        """Return the description as JSON."""
        async with self._writing:
            if self._written is None:
                self._written = (
                    written(self._app) if self._has_docstrings else await self._kept_or_new()
                )
        return self._written

    async def _kept_or_new(self) -> bytes:
        """Return what is kept in the home if this very release wrote it, else write it."""
        kept, release = self._settings.home / _FILE, await asyncio.to_thread(_release)
        found = await asyncio.to_thread(_read, kept, release)
        if found is None:
            found = await self._by_another_process()
            await asyncio.to_thread(_keep, kept, release, found)
        return found

    async def _by_another_process(self) -> bytes:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "core.wiring.program", "describe"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            env={
                **os.environ,
                "DATABASE_URL": database_url(self._settings),
                "DESK_HOME": str(self._settings.home),
            },
        )
        try:
            async with asyncio.timeout(_SECONDS):
                output, _ = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode != 0:
            raise RuntimeError("the description of the API could not be written: see above")
        return output


def _release() -> bytes:
    """Return what differs as soon as some module does, by its name, length and time."""
    seen = hashlib.sha256(sys.version.encode())
    for library in ("fastapi", "pydantic"):
        seen.update(metadata.version(library).encode())
    for path in sorted(path for room in _ROOMS for path in (_ROOT / room).rglob("*.py")):
        status = path.stat()
        seen.update(f"{path}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    return seen.hexdigest().encode()


def _read(kept: Path, release: bytes) -> bytes | None:
    try:
        of, _, document = kept.read_bytes().partition(b"\n")
    except FileNotFoundError:
        return None
    return document if of == release else None


def _keep(kept: Path, release: bytes, document: bytes) -> None:
    fresh = kept.with_name(f".{kept.name}.{os.getpid()}")
    try:
        fresh.write_bytes(release + b"\n" + document)
        fresh.replace(kept)
    except OSError:  # as where no space is left: it is written again after the next start
        _LOGGER.warning("the description of the API could not be kept", exc_info=True)


def written(app: FastAPI) -> bytes:
    """Return the description of `app` as JSON."""
    return json.dumps(app.openapi(), ensure_ascii=False, separators=(",", ":")).encode()
