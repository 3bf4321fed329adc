"""Applications served over HTTP, as browsers and platforms meet them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

import uvicorn
from starlette.types import ASGIApp


@asynccontextmanager
async def served(
    app: ASGIApp, *, host: str = "127.0.0.1", lifespan: Literal["on", "off"] = "off"
) -> AsyncIterator[str]:
    """Serve `app` at a free port for as long as the block runs; yields the address."""
    server = uvicorn.Server(
        uvicorn.Config(app, host=host, port=0, log_level="warning", lifespan=lifespan)
    )
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0)
    try:
        yield f"http://{host}:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving
