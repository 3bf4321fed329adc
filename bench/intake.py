"""How many messages a second the web server stores and acknowledges, and what one costs."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import asdict
from pathlib import Path

from bench.http import Connection
from bench.load import Outcome, Plan
from bench.machine import REPOSITORY
from bench.program import Program, running
from bench.report import Figure, at_least, at_most
from bench.stored import Server
from bench.timings import in_ms, median
from core.runtime.machine.addresses import free_ports
from core.runtime.machine.home import Home
from core.runtime.supervision import supervised

CLIENTS = 64
_PROGRAM = "core.wiring.program"
_PER_SESSION = 10
_WARM_UP = 320
_LEAST_PER_SECOND = 500.0
_MOST_GROWTH = 1.2
_FEW, _MANY = 1_000, 200_000
_POLL_SECONDS = 0.1


class Lost(RuntimeError):
    """An acknowledged message is not in the database: worse than any slow figure."""


class Intake:
    """Measures intake on databases of `server`; the web process is the product's own."""

    def __init__(self, home: Path, server: Server) -> None:
        self._home = home
        self._server = server
        self._checked = 0

    async def rate(self, *, messages: int) -> list[Figure]:
        """Measure with 64 clients at once, with group commit, without it, and with a worker."""
        await self._server.create("bench_rate", messages=0)
        grouped = await self._on_fresh_copy(messages)
        alone = await self._on_fresh_copy(messages // 4, max_batch=1)
        beside = await self._on_fresh_copy(messages, worker=True)
        per_second = _per_second(grouped)
        return [
            at_least(
                f"durable intake, {CLIENTS} clients at once (web and PostgreSQL alone)",
                per_second,
                _LEAST_PER_SECOND,
                "messages/s",
                note=f"; acknowledged in {in_ms(grouped.waits)}",
            ),
            Figure(
                what="… the same with a worker running beside it",
                measured=f"{_per_second(beside):,.0f} messages/s; "
                f"acknowledged in {in_ms(beside.waits)}",
            ),
            Figure(
                what="… the same with one message a commit",
                measured=f"{_per_second(alone):,.0f} messages/s; "
                f"acknowledged in {in_ms(alone.waits)}",
            ),
        ]

    async def growth(self, *, rounds: int, block: int, many: int = _MANY) -> list[Figure]:
        """Compare the cost of a message where few are stored and where many are.

        Every round begins with fresh copies of both databases, and measures few, many, many, few.
        """
        costs: dict[int, list[float]] = {_FEW: [], many: []}
        for stored in costs:
            await self._server.create(f"bench_{stored}", messages=stored)
        for _ in range(rounds):
            async with AsyncExitStack() as stack:
                ports: dict[int, tuple[str, int]] = {}
                for stored in costs:
                    database = await stack.enter_async_context(
                        self._server.copied(f"bench_{stored}")
                    )
                    ports[stored] = database, await stack.enter_async_context(self._web(database))
                await self._server.checkpoint()
                for stored in costs:
                    await self._load(*ports[stored], messages=_WARM_UP)
                for stored in (_FEW, many, many, _FEW):
                    outcome = await self._load(*ports[stored], messages=block)
                    costs[stored].append(outcome.seconds / block)
        for stored in costs:
            await self._server.drop(f"bench_{stored}")
        few, lots = median(costs[_FEW]), median(costs[many])
        return [
            Figure(
                what=f"cost per message with {stored:,} stored",
                measured=f"{median(found) * 1000:.2f} ms ({min(found) * 1000:.2f} to "
                f"{max(found) * 1000:.2f} in {len(found)} blocks of {block})",
            )
            for stored, found in costs.items()
        ] + [at_most(f"… {many:,} over {_FEW:,}", lots / few, _MOST_GROWTH, "x")]

    async def on_running_desk(self, port: int, *, messages: int) -> Figure:
        """Measure on a whole desk whose assistant answers meanwhile; `server` is the desk's own."""
        outcome = await self._load("desk", port, messages=messages)
        return Figure(
            what="… the same on the whole desk, the assistant answering meanwhile",
            measured=f"{_per_second(outcome):,.0f} messages/s; "
            f"acknowledged in {in_ms(outcome.waits)}",
        )

    def checked(self) -> Figure:
        """Return how many acknowledged messages were looked for, and found."""
        return Figure(
            what="acknowledged messages found in the database afterwards",
            target="all",
            measured=f"{self._checked:,} of {self._checked:,}",
            is_met=True,
        )

    async def _on_fresh_copy(
        self, messages: int, *, max_batch: int | None = None, worker: bool = False
    ) -> Outcome:
        async with AsyncExitStack() as stack:
            database = await stack.enter_async_context(self._server.copied("bench_rate"))
            port = await stack.enter_async_context(self._web(database, max_batch))
            if worker:
                await stack.enter_async_context(self._worker(database))
            await self._server.checkpoint()
            await self._load(database, port, messages=_WARM_UP)
            return await self._load(database, port, messages=messages)

    async def _load(self, database: str, port: int, *, messages: int) -> Outcome:
        outcome = await load(port, messages=messages)
        await self._check(database, outcome, messages)
        return outcome

    async def _check(self, database: str, outcome: Outcome, messages: int) -> None:
        keys = [f"post:{session}/{message}" for session, message in outcome.acknowledged]
        found = await self._server.found(database, keys)
        if found != len(keys):
            raise Lost(f"{len(keys)} messages were acknowledged and {found} are stored")
        if len(keys) != messages:
            raise Lost(f"of {messages} messages some were refused: {dict(outcome.refused)}")
        self._checked += found

    @asynccontextmanager
    async def _web(self, database: str, max_batch: int | None = None) -> AsyncIterator[int]:
        """Run a web server on `database`; yield its port once it answers."""
        (port,) = free_ports(1)
        command = [_PROGRAM, "serve"] if max_batch is None else ["bench.web", str(max_batch)]
        async with self._program(command, database, port) as program:
            await program.until(until_alive(port))
            yield port

    @asynccontextmanager
    async def _worker(self, database: str) -> AsyncIterator[None]:
        async with self._program([_PROGRAM, "work"], database, free_ports(1)[0]) as program:
            await program.until(self._server.has_worker(database))
            yield

    def _program(
        self, command: Sequence[str], database: str, port: int
    ) -> AbstractAsyncContextManager[Program]:
        return running(
            [sys.executable, "-m", *command],
            log=Home.at(self._home).logs / "bench-intake.log",
            environment={
                "DATABASE_URL": self._server.url_of(database),
                "DESK_HOME": str(self._home),
                "DESK_PORT": str(port),
                supervised.VARIABLE: "1",
            },
        )


async def load(port: int, *, messages: int) -> Outcome:
    """Send so many messages from a load generator in a process of its own."""
    plan = Plan(port=port, clients=CLIENTS, messages=messages, per_session=_PER_SESSION)
    generator = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.load"),
        cwd=REPOSITORY,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await generator.communicate(json.dumps(asdict(plan)).encode())
    if generator.returncode != 0:
        raise Lost(f"the load generator ended with code {generator.returncode}")
    return Outcome(**json.loads(said))


async def until_alive(port: int) -> None:
    """Return once the web server answers."""
    while True:
        try:
            async with Connection(port) as connection:
                status, _ = await connection.get("/healthz")
                if status == 200:
                    return
        except (OSError, asyncio.IncompleteReadError):
            pass
        await asyncio.sleep(_POLL_SECONDS)


def _per_second(outcome: Outcome) -> float:
    return len(outcome.acknowledged) / outcome.seconds
