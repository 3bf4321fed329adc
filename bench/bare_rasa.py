"""Rasa as it comes: `rasa run` with its REST channel and everything in memory."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from bench.http import Connection
from bench.machine import REPOSITORY
from bench.program import running
from core.runtime.machine.addresses import free_ports

BOT = REPOSITORY / "bot"
_POLL_SECONDS = 0.2
ENVIRONMENT = {
    # The desk's assistant sets the same (bot/main.py): the comparison is about what is around it.
    "RASA_TELEMETRY_ENABLED": "false",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "CUDA_VISIBLE_DEVICES": "-1",
    "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
    "OMP_WAIT_POLICY": "PASSIVE",
    "OMP_NUM_THREADS": "2",
    "OPENBLAS_NUM_THREADS": "2",
    "TF_NUM_INTEROP_THREADS": "2",
}


class BareRasa:
    """A running `rasa run`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def ask(self, question: str) -> tuple[float, list[dict[str, Any]]]:
        """Return the seconds until the answer to a new sender was here, and the answer."""
        message = {"sender": str(uuid4()), "message": question}
        began = time.perf_counter()
        status, body = await self._connection.post("/webhooks/rest/webhook", message)
        seconds = time.perf_counter() - began
        return seconds, json.loads(body) if status == 200 else []


def shows_an_article(answer: list[dict[str, Any]]) -> bool:
    """Return whether `answer` is one from the knowledge base."""
    return any(said.get("custom", {}).get("command") == "answer" for said in answer)


@asynccontextmanager
async def bare_rasa(
    folder: Path, *, model: Path, desk_url: str, bot_token: str
) -> AsyncIterator[BareRasa]:
    """Run Rasa and its action server on `model` for as long as the block does.

    The actions ask the knowledge search of the desk at `desk_url`.
    """
    port, actions_port = free_ports(2)
    endpoints = folder / "endpoints.yml"
    endpoints.write_text(f"action_endpoint:\n  url: http://127.0.0.1:{actions_port}/webhook\n")
    credentials = folder / "credentials.yml"
    credentials.write_text("rest:\n")
    environment = ENVIRONMENT | {
        "DESK_URL": desk_url,
        "BOT_TOKEN": bot_token,
        "PYTHONPATH": str(BOT),
        "MPLCONFIGDIR": str(folder),
    }
    rasa = BOT / ".venv" / "bin" / "rasa"
    log = folder / "rasa.log"
    serve = [rasa, "run", "--model", model, "--interface", "127.0.0.1", "--port", port]
    serve += ["--endpoints", endpoints, "--credentials", credentials]
    actions = [rasa, "run", "actions", "--actions", "actions", "--port", actions_port]
    async with AsyncExitStack() as stack:
        for command in (actions, serve):
            program = await stack.enter_async_context(
                running(
                    [str(word) for word in command], log=log, environment=environment, folder=BOT
                )
            )
        connection = await program.until(answering(port))
        yield BareRasa(await stack.enter_async_context(connection))


async def answering(port: int) -> Connection:
    """Return a connection, to be entered, once Rasa and its actions answer."""
    while True:
        try:
            async with Connection(port) as connection:
                _, answer = await BareRasa(connection).ask("hello")
                if answer:
                    return Connection(port)
        except (OSError, asyncio.IncompleteReadError):
            pass
        await asyncio.sleep(_POLL_SECONDS)
