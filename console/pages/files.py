"""The files that pages load: ours, and the few of the npm packages that are needed."""

from __future__ import annotations

from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

VENDOR_FILES = (
    "htmx.org/dist/htmx.min.js",
    "htmx-ext-sse/dist/sse.min.js",
    "idiomorph/dist/idiomorph-ext.min.js",
)
_A_YEAR = "public, max-age=31536000, immutable"
_AN_HOUR = "public, max-age=3600"


class Files(StaticFiles):
    """Our own files; an address that names the content's digest may be kept for good."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory=directory)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Answer with the file at `path`."""
        response = await super().get_response(path, scope)
        is_named = b"v=" in scope.get("query_string", b"")
        response.headers["Cache-Control"] = _A_YEAR if is_named else _AN_HOUR
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response


class Vendor(Files):
    """The npm packages' files; only those that pages load, not all that came with them."""

    def __init__(self, directory: Path) -> None:
        StaticFiles.__init__(self, directory=directory, check_dir=False)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Answer with the file at `path`."""
        if path not in VENDOR_FILES:
            raise HTTPException(404)
        return await super().get_response(path, scope)
