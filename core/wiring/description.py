"""The description of the API (OpenAPI), whose words are the docstrings of its routes.

The web server that `desk run` starts has no docstrings: they would stay in memory for the few who
ask. It has another process write the description, once, when it is asked for.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.settings import Settings
from core.wiring.parts import database_url

_PATH = "/api/openapi.json"
_SECONDS = 300.0  # it takes seven of a processor


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
                    written(self._app) if self._has_docstrings else await self._by_another_process()
                )
        return self._written

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


def written(app: FastAPI) -> bytes:
    """Return the description of `app` as JSON."""
    return json.dumps(app.openapi(), ensure_ascii=False, separators=(",", ":")).encode()
