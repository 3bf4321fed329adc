"""Loads addresses of the console and the API through the whole web application, one at a time."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx

from bench.report import Figure, at_most
from bench.timings import median, percentile
from core.domain.actor import Role
from core.domain.ids import AgentId
from core.runtime.machine.memory import settle
from core.settings import Settings
from core.wiring.parts import open_parts
from core.wiring.web import build_app

_EMAIL, _PASSWORD = "agent0@example.org", "correct horse battery"
_TARGET_MS = 300.0
_READ_SECONDS = 15.0


@asynccontextmanager
async def signed_in(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client of the web application that an admin with tickets of their own signed in to.

    It calls the API with a token of theirs.
    """
    async with open_parts(settings, "bench") as parts:
        token = await parts.access.create_token(_EMAIL, Role.ADMIN)
        principal = await parts.access.bearer(token)
        assert principal.agent is not None
        await parts.access.passwords.set(AgentId(principal.agent.id), _PASSWORD)
    app: Any = build_app(settings)
    settle()  # as a web server does when it starts
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url=settings.base_url,
        headers={"Authorization": f"Bearer {token}"},
        timeout=120,
    ) as client:
        answer = await client.post(
            "/console/sign-in", data={"email": _EMAIL, "password": _PASSWORD}
        )
        assert answer.status_code == 303, answer.text
        yield client


async def loaded(
    client: httpx.AsyncClient,
    addresses: Mapping[str, Sequence[str]],
    read_once: Callable[[], Awaitable[None]],
    *,
    only: re.Pattern[str],
    say: Callable[[str], None],
) -> list[Figure]:
    """Load the addresses whose names have `only`; return how long each took.

    What is stored is read once before and now and then in between: a desk in use has in memory what
    its people look at, and some systems soon take back what nobody has read for a while.
    """
    read_at = -_READ_SECONDS
    figures: list[Figure] = []
    wanted = {what: paths for what, paths in addresses.items() if only.search(what)}
    if not wanted:
        say(f"{only.pattern!r} is in none of the names: {'; '.join(addresses)}")
    for what, paths in wanted.items():
        if time.monotonic() - read_at >= _READ_SECONDS:
            await read_once()
            read_at = time.monotonic()
        figures.append(await _loaded(client, what, paths, say))
    return figures


async def _loaded(
    client: httpx.AsyncClient, what: str, paths: Sequence[str], say: Callable[[str], None]
) -> Figure:
    waits: list[float] = []
    for path in paths:
        began = time.perf_counter()
        answer = await client.get(path)
        waits.append(time.perf_counter() - began)
        answer.raise_for_status()
    note = f" (p50 {median(waits) * 1000:.0f} ms, slowest {max(waits) * 1000:.0f} ms)"
    say(f"{what}: {percentile(waits, 95) * 1000:.0f} ms{note}")
    return at_most(f"{what}, p95", percentile(waits, 95) * 1000, _TARGET_MS, "ms", note=note)
