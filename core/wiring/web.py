"""The web process: console, JSON API, public pages and the channels' own routes."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from importlib import metadata
from typing import Any

import uvicorn
from fastapi import FastAPI
from sqlalchemy import text

import console
from core.domain.errors import StorageUnavailable
from core.ports import HandlesRequests
from core.runtime.live import Live, LiveTranscript
from core.runtime.machine.home import Home
from core.runtime.machine.memory import give_back, settle
from core.runtime.supervision.on_demand import tell
from core.runtime.supervision.supervised import exit_with_parent
from core.settings import Settings
from core.storage.engine import storage_errors
from core.storage.queries.accounts.accounts import AccountView
from core.storage.queries.lanes import is_alive
from core.wiring.console_desk import console_desk
from core.wiring.description import Description, written
from core.wiring.parts import Parts, build_parts, database_url
from core.wiring.process import begin_log
from core.wiring.webhooks import RefusalCount, Webhooks

_WORKER_SILENCE = timedelta(seconds=10)


async def readiness(parts: Parts) -> dict[str, Any]:
    """Say which components are up, in the form of `/readyz`."""
    components = {"database": "down", "worker": "down", "assistant": "down"}
    accounts = {}
    with contextlib.suppress(StorageUnavailable):
        async with storage_errors(), parts.sessions() as session:
            await session.execute(text("SELECT 1"))
            components["database"] = "up"
            if await is_alive(session, "worker", _WORKER_SILENCE):
                components["worker"] = "up"
        accounts = {account.id: _as_json(account) for account in await parts.account_book.list()}
    if await parts.assistant.is_ready():
        components["assistant"] = "up"
    return {
        "ready": all(state == "up" for state in components.values()),
        "components": components,
        "accounts": accounts,
    }


def _as_json(account: AccountView) -> dict[str, str]:
    health = account.health
    return {
        "kind": account.kind,
        "state": health.state,
        "reason": health.reason,
        "remedy": health.remedy,
    }


def build_app(settings: Settings) -> FastAPI:
    """Return the web application: console, JSON API, public pages and the channels' own routes."""
    parts = build_parts(settings, "desk serve")
    live = Live(database_url(settings), parts.sessions)

    app = FastAPI(
        title="Ventanilla",
        version=metadata.version("ventanilla"),
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        lifespan=lambda _: _running(parts, live),
    )
    console.install_problems(app, settings.max_file_bytes)
    # The channels' routes come before the console's many: routes are tried in order, and looking
    # through the others first took a fifth of the time that storing a message takes.
    intake, transcript = parts.intake(), LiveTranscript(parts.sessions, live, parts.blobs)
    for channel in parts.channels.values():
        if isinstance(channel, HandlesRequests):
            app.router.routes.extend(channel.routes(intake, transcript))
    app.router.routes.append(Webhooks(parts.directory, intake, transcript))
    app.router.routes.append(Description(app, settings).route())
    refused: Counter[str] = Counter()
    app.add_middleware(RefusalCount, directory=parts.directory, counts=refused)
    console.include(app, console_desk(parts, live, intake, refused, lambda: readiness(parts)))
    return app


@asynccontextmanager
async def _running(parts: Parts, live: Live) -> AsyncIterator[None]:
    """Run what the pages and channels need beside them; end it, and close `parts`, afterwards."""
    with contextlib.suppress(StorageUnavailable):  # `watch` goes on trying
        await parts.directory.refresh()
    tasks = [
        asyncio.create_task(live.run(), name="live feed"),
        asyncio.create_task(parts.directory.watch(), name="accounts"),
        asyncio.create_task(want_receivers(parts), name="receivers wanted"),
    ]
    give_back()
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await parts.close()


async def want_receivers(parts: Parts) -> None:
    """Let `desk run` know whether some account's platform has to be asked for news."""
    async for _ in parts.directory.changes():
        if not parts.directory.is_known:
            continue  # the database is away: whoever receives goes on
        tell(Home.at(parts.settings.home).receivers_wanted, is_wanted=bool(parts.directory.polling))


def describe(settings: Settings) -> None:
    """Print the description of the API."""
    sys.stdout.buffer.write(written(build_app(settings)))


def serve(settings: Settings) -> None:
    """Serve the web until told to stop."""
    exit_with_parent()
    begin_log(settings)
    app = build_app(settings)
    settle()
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        access_log=False,
        log_config=None,
        ws="none",
        timeout_graceful_shutdown=3,
        server_header=False,
        proxy_headers=True,
        forwarded_allow_ips=settings.forwarded_allow_ips,
    )
    uvicorn.Server(config).run()
