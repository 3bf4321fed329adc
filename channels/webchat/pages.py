"""The chat page, its scripts and styles, and the headers they are safe under."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from types import MappingProxyType

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from channels.webchat.parse import MAX_FILES, MAX_SENT_CHARS
from channels.webchat.texts import choose_language, words
from core.domain.errors import NotFound
from core.domain.languages import LANGUAGES

_MEDIA_TYPES: Mapping[str, str] = MappingProxyType(
    {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
)

# The page may stand in a frame on any site: that is how the widget shows it. It holds nothing but
# the reader's own chat, and everything else about it is closed.
_PAGE_HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "Content-Security-Policy": (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
            "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors *"
        ),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        "Cache-Control": "no-store",
        "Vary": "Accept-Language",
    }
)
_WIDGET = "widget.js"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asset:
    content: bytes
    media_type: str
    etag: str


class ChatPages:
    """Serves what a browser loads before it can chat."""

    def __init__(self, default_language: str, max_file_bytes: int | None) -> None:
        """Read the files; they are few, small and the same until the next start.

        The largest file that a visitor can send has `max_file_bytes`; None where they send none.
        """
        self._max_file_bytes = max_file_bytes
        self._default_language = default_language
        self._assets = _read_assets()
        every = "".join(asset.etag for _, asset in sorted(self._assets.items()))
        self._version = hashlib.sha256(every.encode()).hexdigest()[:12]
        loader = PackageLoader("channels.webchat")
        environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined)
        self._template = environment.get_template("chat.html")
        self._pages = {
            (language, embedded): self._render(language, embedded)
            for language in LANGUAGES
            for embedded in (False, True)
        }

    def routes(self) -> list[BaseRoute]:
        """Return the routes of the page and of its files."""
        return [
            Route("/chat", self.page),
            Route(f"/chat/{_WIDGET}", self.widget),
            Route("/chat/static/{version}/{name}", self.asset),
        ]

    async def page(self, request: Request) -> Response:
        """Answer with the page in the reader's language."""
        language = choose_language(
            request.query_params.get("lang"),
            request.headers.get("accept-language"),
            self._default_language,
        )
        embedded = request.query_params.get("embedded") == "1"
        return Response(
            self._pages[language, embedded],
            media_type="text/html",
            headers={**_PAGE_HEADERS, "Content-Language": language},
        )

    async def widget(self, request: Request) -> Response:
        """Answer with the script that other sites include under a name that never changes."""
        return self._answer(request, self._assets[_WIDGET], "public, max-age=300")

    async def asset(self, request: Request) -> Response:
        """Answer with one of the page's files."""
        asset = self._assets.get(request.path_params["name"])
        if asset is None:
            raise NotFound("there is no such file")
        # The version is in the path, so that modules import each other in the same version. A page
        # of another version, open across an update, gets what there is and must not keep it.
        is_current = request.path_params["version"] == self._version
        return self._answer(
            request, asset, "public, max-age=31536000, immutable" if is_current else "no-cache"
        )

    def _render(self, language: str, embedded: bool) -> bytes:
        said = words(language)
        page = self._template.render(
            language=language,
            languages=LANGUAGES,
            words=dict(said),
            t=lambda english: said.get(english, english),
            embedded=embedded,
            assets=f"/chat/static/{self._version}",
            max_text_chars=MAX_SENT_CHARS,
            max_files=MAX_FILES,
            max_file_bytes=self._max_file_bytes,
        )
        return page.encode()

    @staticmethod
    def _answer(request: Request, asset: _Asset, cache_control: str) -> Response:
        headers = {
            "ETag": asset.etag,
            "Cache-Control": cache_control,
            "X-Content-Type-Options": "nosniff",
            "Cross-Origin-Resource-Policy": "cross-origin",
        }
        if request.headers.get("if-none-match") == asset.etag:
            return Response(status_code=304, headers=headers)
        return Response(asset.content, media_type=asset.media_type, headers=headers)


def _read_assets() -> dict[str, _Asset]:
    assets = {}
    for file in (resources.files("channels.webchat") / "static").iterdir():
        suffix = "." + file.name.rpartition(".")[2]
        if suffix in _MEDIA_TYPES:
            content = file.read_bytes()
            etag = f'"{hashlib.sha256(content).hexdigest()[:20]}"'
            media_type = _MEDIA_TYPES[suffix]
            assets[file.name] = _Asset(content=content, media_type=media_type, etag=etag)
    return assets
