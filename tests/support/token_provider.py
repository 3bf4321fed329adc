"""A provider of access tokens on loopback: gives them, and says which are good (RFC 6749, 7662)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Self

from aiohttp import web

CLIENT, SECRET, REFRESH = "the-desk", "hidden", "1//refresh"


class TokenProvider:
    """Gives a new token for each request that has the refresh token; the latest one is good."""

    def __init__(self, user: str) -> None:
        self.user = user
        self.given: list[str] = []
        self.good: set[str] = set()
        self.asked: list[Mapping[str, str]] = []
        self.url = ""

    @classmethod
    @asynccontextmanager
    async def running(cls, user: str) -> AsyncIterator[Self]:
        """Answer on loopback while the block runs."""
        provider = cls(user)
        app = web.Application()
        app.router.add_post("/token", provider._token)
        app.router.add_get("/introspect", provider._introspect)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        provider.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield provider
        finally:
            await runner.cleanup()

    async def _token(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.asked.append(form)
        if (form.get("client_id"), form.get("refresh_token")) != (CLIENT, REFRESH):
            return web.json_response({"error": "invalid_grant"}, status=400)
        token = f"ya29.{len(self.given)}"
        self.given.append(token)
        self.good = {token}
        return web.json_response(
            {"access_token": token, "expires_in": 3599, "token_type": "Bearer"}
        )

    async def _introspect(self, request: web.Request) -> web.Response:
        is_good = request.query.get("access_token") in self.good
        return web.json_response({"active": is_good} | ({"email": self.user} if is_good else {}))
