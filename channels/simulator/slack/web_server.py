"""The HTTP side of the simulated Slack: methods, sockets and files, with the faults planned."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from channels.simulator.faults import Fault, Faults
from channels.simulator.slack.limits import Refused, forgiven
from channels.simulator.slack.methods import Methods
from channels.simulator.slack.news import Telling
from channels.simulator.slack.workspace import Workspace

SENDS = frozenset({"chat.postMessage", "chat.update", "files.completeUploadExternal"})
"""What a fault without a method waits for."""

_MAX_REQUEST_BYTES = 1024**3


class WebServer:
    """Serves one workspace."""

    def __init__(
        self,
        workspace: Workspace,
        telling: Telling,
        faults: Faults,
        *,
        bot_token: str,
        app_token: str,
        scopes: set[str],
    ) -> None:
        self._workspace = workspace
        self._telling = telling
        self._faults = faults
        self._bot_token = bot_token
        self._app_token = app_token
        self._scopes = scopes
        self._url = ""
        self._runner: web.AppRunner | None = None
        self.is_revoked = False
        """Whether the tokens are worth nothing."""
        self.is_strict = True
        """Whether arguments that Slack passes over or completes are refused, as those of a bug."""
        self.page_limit = 999
        """How many messages are on a page at most; apps outside Slack's marketplace get fewer."""
        self.calls: list[tuple[str, Mapping[str, Any]]] = []
        """Methods that were called, with their arguments."""
        self.responses: list[Mapping[str, Any]] = []
        """What came to `response_url`s."""

    async def start(self, port: int) -> str:
        """Serve on loopback; return the address, with a slash at the end."""
        app = web.Application(client_max_size=_MAX_REQUEST_BYTES)
        app.router.add_get("/socket", self._socket)
        app.router.add_post("/upload/{file}", self._upload)
        app.router.add_get("/files/{file}/{size}", self._file)
        app.router.add_get("/sign-in", self._sign_in)
        app.router.add_post("/respond/{id}", self._response)
        app.router.add_route("*", "/api/{method}", self._call)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        bound = self._runner.addresses[0][1]
        self._url = f"http://127.0.0.1:{bound}/"
        return self._url

    async def stop(self) -> None:
        """Serve no more."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _call(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        fault = self._faults.for_call(method, among=SENDS)
        if fault is Fault.CUT_BEFORE:
            return _cut(request)
        if fault is Fault.SLOW:
            await asyncio.sleep(self._faults.delay_seconds)
        if fault is Fault.THROTTLED:
            return web.json_response(
                {"ok": False, "error": "ratelimited"},
                status=429,
                headers={"Retry-After": str(self._faults.retry_after_seconds)},
            )
        if fault is Fault.BROKEN:
            return web.Response(status=502, text="<html>bad gateway</html>")
        answer = await self._answer(method, request, fault)
        if fault is Fault.CUT_AFTER:
            return _cut(request)
        return web.json_response(answer, headers={"x-oauth-scopes": ",".join(self._scopes)})

    async def _answer(
        self, method: str, request: web.Request, fault: Fault | None
    ) -> Mapping[str, Any]:
        try:
            arguments = await _arguments(request)
            if not self.is_strict:
                arguments = forgiven(method, arguments)
            self.calls.append((method, arguments))
            token = request.headers.get("Authorization", "").removeprefix("Bearer ")
            wanted = self._app_token if method == "apps.connections.open" else self._bot_token
            if token != wanted or fault is Fault.BAD_CREDENTIALS:
                raise Refused("invalid_auth" if token else "not_authed")  # noqa: TRY301
            if self.is_revoked:
                raise Refused("token_revoked")  # noqa: TRY301
            if method == "apps.connections.open":
                return {"ok": True, "url": self._url.replace("http", "ws", 1) + "socket"}
            methods = Methods(self._workspace, self._url, self._scopes, page_limit=self.page_limit)
            return methods.call(method, arguments)
        except Refused as refused:
            return {"ok": False, "error": refused.code, **refused.more}

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(heartbeat=10.0)
        await socket.prepare(request)
        await self._telling.serve(socket)
        return socket

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        file = self._workspace.files.get(request.match_info["file"])
        if file is None or file.is_shared:
            return web.Response(status=404)
        fault = self._faults.for_call("upload", among=("upload",))
        if fault is Fault.CUT_BEFORE:
            return _cut(request)
        file.content = await request.read()
        return _cut(request) if fault is Fault.CUT_AFTER else web.Response(text="OK")

    async def _file(self, request: web.Request) -> web.StreamResponse:
        """Give a file; without the right to it, the page to sign in, as Slack does."""
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token != self._bot_token or "files:read" not in self._scopes or self.is_revoked:
            return web.Response(status=302, headers={"Location": "/sign-in"})
        file = self._workspace.files.get(request.match_info["file"])
        if file is None or file.is_deleted:
            return web.Response(status=404)
        fault = self._faults.for_call("file", among=("file",))
        if fault in {Fault.CUT_BEFORE, Fault.CUT_AFTER}:
            return _cut(request)
        return web.Response(body=file.content, content_type=file.media_type)

    async def _sign_in(self, _: web.Request) -> web.StreamResponse:
        return web.Response(text="<html>Sign in to Slack</html>", content_type="text/html")

    async def _response(self, request: web.Request) -> web.StreamResponse:
        self.responses.append(json.loads(await request.read()))
        return web.Response(text="ok")


def _cut(request: web.Request) -> web.Response:
    """End the connection without an answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def _arguments(request: web.Request) -> Mapping[str, Any]:
    """Return a call's arguments; lists and objects in forms are JSON."""
    if request.content_type == "application/json":
        content = await request.read()
        given = json.loads(content or b"{}")
        if not isinstance(given, dict):
            raise Refused("json_not_object")
        return given
    found: dict[str, Any] = dict(request.query)
    found.update({name: str(value) for name, value in (await request.post()).items()})
    return found
