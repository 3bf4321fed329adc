"""A real `desk run` in a home folder of its own, and how soon after its start it is of use."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import psycopg
from sqlalchemy import exists, func, select

from bench.chat import NotAnswered, open_page
from bench.program import DidNotStart, running
from core.runtime.machine.addresses import free_ports, http_get
from core.runtime.machine.home import Home, RunRecord
from core.runtime.minilm import LANGUAGES
from core.services.knowledge.own_questions import Models, state_of
from core.storage.engine import Sessions, open_engine, sessions_of
from core.storage.queries.knowledge.own_questions import state_learned
from core.storage.tables import Passage, TicketVector, TopicItem

_START_SECONDS = 600.0  # a first start trains the assistant
_POLL_SECONDS = 0.02
_LOOK_SECONDS = 0.5
_ANSWER_SECONDS = 30.0
_LEARN_SECONDS = 900.0
_FIRST_QUESTION = "How do I connect to the VPN?"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningDesk:
    """A desk that is up and has answered once."""

    home: Path
    port: int
    supervisor: int  # process id
    accepted_seconds: float  # from the command to the first accepted message
    answered_seconds: float  # from the command to the assistant's answer to it

    @property
    def record(self) -> RunRecord:
        """What the desk wrote down about itself."""
        record = RunRecord.read(Home.at(self.home))
        if record is None:
            raise DidNotStart(f"there is no record of a running desk in {self.home}")
        return record

    async def all_is_embedded(self) -> None:
        """Return once every passage has its vector, which takes a while in a new home."""
        async with await psycopg.AsyncConnection.connect(self.record.database_url) as connection:
            while True:
                rows = await connection.execute(
                    "SELECT count(*) FROM passage WHERE vector_model IS NULL"
                )
                if await rows.fetchone() == (0,):
                    return
                await connection.rollback()  # or it would look at the same moment for ever
                await asyncio.sleep(_LOOK_SECONDS)

    async def has_learned(self) -> None:
        """Return once the embedder has no more to do: the base has asked itself its own questions.

        Three hundred of them take minutes; before that come the vectors of passages, tickets and
        what was asked.

        Raises:
            TimeoutError: it has not after a quarter of an hour.
        """
        engine = open_engine(self.record.database_url)
        try:
            async with asyncio.timeout(_LEARN_SECONDS):
                while not await _is_learned(sessions_of(engine)):
                    await asyncio.sleep(_LOOK_SECONDS)
        finally:
            await engine.dispose()

    async def all_is_up(self) -> None:
        """Return once the assistant works, too: on a busy machine a human had the first answer."""
        while True:
            status, _ = await http_get("127.0.0.1", self.port, "/readyz", seconds=_ANSWER_SECONDS)
            if status == HTTPStatus.OK:
                return
            await asyncio.sleep(_LOOK_SECONDS)

    @property
    def model(self) -> Path:
        """The assistant's model."""
        models = (self.home / "models").glob("*.tar.gz")
        return max(models, key=lambda model: model.stat().st_mtime)


@asynccontextmanager
async def running_desk(
    home: Path, settings: Mapping[str, str] | None = None
) -> AsyncIterator[RunningDesk]:
    """Run the desk for as long as the block does; yields once a question was answered.

    `settings` are further variables of its environment.
    """
    (port,) = free_ports(1)
    async with running(
        [sys.executable, "-m", "core.cli", "run"],
        log=Home.at(home).logs / "bench.log",
        environment={**(settings or {}), "DESK_HOME": str(home), "DESK_PORT": str(port)},
    ) as program:
        accepted, answered = await program.until(_first_words(port, program.started))
        yield RunningDesk(
            home=home,
            port=port,
            supervisor=program.process.pid,
            accepted_seconds=accepted,
            answered_seconds=answered,
        )


async def _is_learned(sessions: Sessions) -> bool:
    async with sessions() as session:
        model: str | None = await session.scalar(select(func.max(Passage.vector_model)))
        second: str | None = await session.scalar(select(func.max(Passage.second_model)))
        waiting = [
            await session.scalar(select(exists().where(table.vector_model.is_(None))))
            for table in (Passage, TicketVector, TopicItem)
        ]
        if model is None or second is None or any(waiting):
            return False
        state = await state_of(session, Models(model, second, LANGUAGES))
        return state is not None and state == await state_learned(session)


async def _first_words(port: int, started: float) -> tuple[float, float]:
    """Write as soon as somebody takes it; return when it was taken and when it was answered."""
    while True:
        try:
            async with open_page(port) as page:
                await page.say(_FIRST_QUESTION)
                accepted = time.monotonic() - started
                await page.hear(seconds=_START_SECONDS)
                return accepted, time.monotonic() - started
        except (OSError, NotAnswered, asyncio.IncompleteReadError):
            await asyncio.sleep(_POLL_SECONDS)
