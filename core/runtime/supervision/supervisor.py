"""Which processes make a desk, in which order they start and stop, and when it is ready."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from core.domain.errors import DeskError, StorageUnavailable
from core.runtime.database.postgres import Ownership
from core.runtime.database.postmaster import PORT, Postmaster
from core.runtime.machine.addresses import free_ports, http_get, local_url, why_taken
from core.runtime.machine.filelock import FileLock
from core.runtime.machine.home import Home, RunRecord
from core.runtime.machine.memory import give_back
from core.runtime.machine.polling import until
from core.runtime.machine.processes import is_alive
from core.runtime.minilm import MODEL
from core.runtime.supervision import supervised
from core.runtime.supervision.assistant_program import AssistantProgram
from core.runtime.supervision.child import Child, Courtesy, RestartPauses, always, run_to_end
from core.runtime.supervision.logfiles import tail
from core.runtime.supervision.on_demand import keep_while_wanted, tell
from core.runtime.supervision.preparation import Preparation
from core.runtime.supervision.run_plan import RunPlan

_DATABASE_BUSY_SECONDS = 30.0
_LAST_RUN_ENDS_SECONDS = 10.0
_WEB_FIRST_SECONDS = 15.0
_POLL_SECONDS = 0.2

# What is taken in goes before what is answered: platforms wait only seconds for the receipt. Not
# while these start, for which people wait as well. The worker gives way a little only: it has
# conversations locked for which what is taken in waits.
_SECOND_MODEL = "DESK_EMBEDDER_SECOND_MODEL"
_COURTESIES = {
    "worker": Courtesy(nice=3, after_seconds=60.0),
    "embedder": Courtesy(nice=10, after_seconds=60.0),
    "assistant": Courtesy(nice=10, after_seconds=120.0),
}

_ERROR = re.compile(r"(?:\w+\.)+\w+: ")  # as a traceback ends: a dotted name, then words


class CannotRun(DeskError):
    """The desk cannot be started; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Lines for the person at the terminal, each with the seconds since the start."""

    started: float

    def __call__(self, line: str) -> None:
        """Print `line`."""
        self.plainly(f"[{time.monotonic() - self.started:5.1f} s] {line}")

    def plainly(self, line: str) -> None:
        """Print `line` as it is."""
        try:
            print(line, flush=True)  # noqa: T201
        except BrokenPipeError:  # whoever read this has gone; the desk goes on without a word
            sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123


class Supervisor:
    """Starts the processes of one home, keeps them running and stops them."""

    def __init__(self, plan: RunPlan) -> None:
        self._plan = plan
        self._say = Progress(plan.started)
        self._home = Home.at(Path(plan.home))
        self._run_lock = FileLock(self._home.run_lock)
        self._ownership = Ownership(self._home)
        self._server: Postmaster | None = None
        self._assistant = AssistantProgram()
        self._bot_port, self._embedder_port = free_ports(2)
        self._children: list[Child] = []  # in the order they stop

    async def run(self) -> None:
        """Return after a request to stop (SIGTERM, Ctrl-C, the parent's end) has been carried out.

        Raises:
            CannotRun, StorageUnavailable: the desk could not be started.
        """
        wanted = asyncio.Event()
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            if signal.getsignal(name) is not signal.SIG_IGN:  # as nohup does
                loop.add_signal_handler(name, wanted.set)

        def orphaned() -> None:
            self._say("standard input has ended, and whoever started this desk with it")
            wanted.set()

        supervised.heed_parent(orphaned)
        await self._claim()
        work = asyncio.create_task(self._bring_up())
        stop = asyncio.create_task(wanted.wait())
        try:
            await asyncio.wait({work, stop}, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                await work  # it ends only by an error
            self._say("stopping")
        finally:
            for task in (work, stop):
                task.cancel()
            await asyncio.gather(work, stop, return_exceptions=True)
            await self._stop_all()
        self._say("stopped")

    # -- start -----------------------------------------------------------------------------------

    async def _claim(self) -> None:
        """Make sure that this home, and the address, are ours."""
        if not self._run_lock.take():
            record = RunRecord.read(self._home)
            who = f" (process {record.pid}, {record.address})" if record else ""
            stop = f"stop that one first (kill {record.pid})" if record else "stop that one first"
            raise CannotRun(
                f"a desk already runs in {self._home.root}{who}: {stop}, "
                "or set DESK_HOME to another folder and DESK_PORT to another port"
            )
        last = RunRecord.read(self._home)
        if last is not None and not is_alive(last.pid):
            # A run that was killed: its web server, told by its pipe, is just leaving the port.
            await until(self._address_is_free, every=_POLL_SECONDS, seconds=_LAST_RUN_ENDS_SECONDS)
        if reason := why_taken(self._plan.host, self._plan.port):
            raise CannotRun(f"{reason}: set DESK_PORT (or DESK_HOST) to something else")
        tell(self._home.receivers_wanted, is_wanted=False)  # until the web server says otherwise
        if self._plan.bot_url is None and (missing := self._assistant.missing):
            raise CannotRun(missing)

    async def _address_is_free(self) -> bool:
        return why_taken(self._plan.host, self._plan.port) is None

    async def _bring_up(self) -> None:
        """Start everything; then watch over it until cancelled."""
        self._say(f"starting the desk in {self._home.root}")
        async with asyncio.TaskGroup() as tasks:
            environment = self._environment(await self._claim_database())
            RunRecord(
                pid=os.getpid(),
                address=local_url(self._plan.host, self._plan.port),
                public_url=self._plan.public_url,
                database_url=self._server.url() if self._server else "",
                bot_url=environment["DESK_BOT_URL"],
                embedder_url=environment["DESK_EMBEDDER_URL"],
            ).write(self._home)
            # The web server's imports take longer than all the rest of a second start, so it is
            # begun first and let go when the database is ready for it.
            web = self._desk_child("web", "serve", environment=environment, gated=True)
            tasks.create_task(web.keep())
            if self._server is not None:
                await self._server.start()
                self._say("database ready")
                tasks.create_task(self._keep_database(self._server))
            link = await self._prepare(environment)
            web.release()
            tasks.create_task(self._announce(link))
            # Whatever else takes a processor comes after what takes messages.
            await until(self._is_alive, every=_POLL_SECONDS / 2, seconds=_WEB_FIRST_SECONDS)
            if self._plan.embedder_url is None:
                at = ("127.0.0.1", str(self._embedder_port))
                embedder = self._desk_child("embedder", "embed", *at, environment=environment)
                tasks.create_task(embedder.keep())
            worker = self._desk_child("worker", "work", environment=environment)
            tasks.create_task(worker.keep())
            wanted = self._home.receivers_wanted
            receiver = partial(self._desk_child, "receiver", "receive", environment=environment)
            tasks.create_task(keep_while_wanted(wanted, receiver))
            if self._plan.bot_url is None:
                tasks.create_task(self._assistant_child(environment).keep())

    async def _claim_database(self) -> str:
        """Return the address of the database; the embedded one is ours from now on."""
        if self._plan.database_url is not None:
            return self._plan.database_url
        end = time.monotonic() + _DATABASE_BUSY_SECONDS
        waiting = False
        while True:
            await self._ownership.enter()
            if self._ownership.become_owner():
                break
            self._ownership.leave()
            if time.monotonic() > end:
                holder = (self._home.root / "postgres.owner").read_text().strip()
                raise CannotRun(
                    f"another desk command (process {holder}) runs the database of "
                    f"{self._home.root}: stop it first"
                )
            if not waiting:
                self._say("waiting for another desk command to let go of the database")
                waiting = True
            await asyncio.sleep(_POLL_SECONDS)
        self._server = Postmaster(self._home, self._say)
        return self._server.url()

    async def _prepare(self, environment: dict[str, str]) -> str | None:
        """Bring the schema up to date; return the first admin's sign-in link on a first run."""
        preparation = Preparation(self._home)
        if self._server is not None and await preparation.holds(self._server):
            self._say("database schema up to date")
            return None
        log = self._home.logs / "prepare.log"
        position = log.stat().st_size if log.exists() else 0
        lines: list[str] = []
        code = await run_to_end(
            _python("core.cli", "prepare"), environment=environment, log=log, heard=lines.append
        )
        if code != 0:
            words = _reason(tail(log, lines=60, after=position))
            raise CannotRun(
                f"the database could not be prepared: {words.removeprefix('desk: ')} (log: {log})"
            )
        if self._server is not None:
            await preparation.note(self._server)
        self._say("database schema up to date")
        link = next((line for line in lines if line.startswith("http")), None)
        if link is not None:
            self._say(f"first run: an admin was made; sign in once at {link}")
        return link

    # -- children --------------------------------------------------------------------------------

    def _environment(self, database_url: str) -> dict[str, str]:
        plan = self._plan
        return os.environ | {
            "DATABASE_URL": database_url,
            "DESK_HOME": str(self._home.root),
            "DESK_HOST": plan.host,
            "DESK_PORT": str(plan.port),
            "DESK_BOT_URL": plan.bot_url or f"http://127.0.0.1:{self._bot_port}",
            "DESK_EMBEDDER_URL": plan.embedder_url or f"http://127.0.0.1:{self._embedder_port}/v1",
            **({} if plan.embedder_url else {_SECOND_MODEL: os.environ.get(_SECOND_MODEL, MODEL)}),
            supervised.VARIABLE: "1",
            "PYTHONUNBUFFERED": "1",
            "MALLOC_ARENA_MAX": "2",  # glibc otherwise keeps freed memory for each thread
        }

    def _desk_child(
        self, name: str, *command: str, environment: dict[str, str], gated: bool = False
    ) -> Child:
        child = Child(
            name,
            always(*_program(*command)),
            environment=environment,
            log=self._home.logs / f"{name}.log",
            say=self._say,
            stop_seconds={"embedder": 1.0, "worker": 4.0}.get(name, 3.0),
            gated=gated,
            courtesy=_COURTESIES.get(name),
        )
        self._children.append(child)
        return child

    def _assistant_child(self, environment: dict[str, str]) -> Child:
        extra = {
            "BOT_TOKEN": self._plan.bot_token,
            "DESK_URL": local_url(self._plan.host, self._plan.port),
        }
        if self._server is not None:
            extra |= {
                "BOT_DB_HOST": str(self._server.socket_folder),
                "BOT_DB_PORT": str(PORT),
                "BOT_DB_NAME": "rasa",
                "BOT_DB_USER": "postgres",
            }
        elif "BOT_DB_HOST" not in environment:
            self._say("BOT_DB_HOST is not set: the assistant forgets dialogues when it restarts")
        own = self._assistant.environment(environment, **extra)
        log = self._home.logs / "assistant.log"

        async def command() -> Sequence[str]:
            model = await self._assistant.model(
                self._home.models, environment=own, log=log, say=self._say
            )
            self._say("assistant loading")
            return self._assistant.serve_command(model, self._bot_port)

        child = Child(
            "assistant",
            command,
            environment=own,
            log=log,
            say=self._say,
            stop_seconds=3.0,
            courtesy=_COURTESIES["assistant"],
        )
        self._children.append(child)
        return child

    async def _keep_database(self, server: Postmaster) -> None:
        backoff = RestartPauses()
        began = time.monotonic()
        while True:
            if server.is_running():
                await asyncio.sleep(_POLL_SECONDS)
                continue
            pause = backoff.pause(time.monotonic() - began)
            self._say(f"database ended; starting it again in {pause:g} s (log: {server.log})")
            await asyncio.sleep(pause)
            began = time.monotonic()
            try:
                await server.start()
            except StorageUnavailable as error:
                self._say(str(error))
            else:
                self._say("database ready again")

    # -- readiness -------------------------------------------------------------------------------

    async def _is_alive(self) -> bool:
        return await self._answers_200("/healthz")

    async def _is_ready(self) -> bool:
        return await self._answers_200("/readyz")

    async def _answers_200(self, path: str) -> bool:
        try:
            status, _ = await http_get(self._plan.host, self._plan.port, path)
        except OSError:
            return False
        return status == 200

    async def _announce(self, link: str | None) -> None:
        """Say when messages are taken, and when all is ready: each once."""
        await until(self._is_alive, every=_POLL_SECONDS / 2)
        self._say(f"taking messages at {self._plan.public_url}/chat")
        await until(self._is_ready, every=_POLL_SECONDS)
        self._say("all components are up")
        self._say.plainly(f"  chat     {self._plan.public_url}/chat")
        self._say.plainly(f"  console  {self._plan.public_url}/console")
        if link is not None:
            self._say.plainly(f"  sign in  {link}  (works once)")
        give_back()
        for child in self._children:
            child.give_way()
        self._say.plainly(f"ready http://{self._plan.host}:{self._plan.port}")

    # -- stop ------------------------------------------------------------------------------------

    async def _stop_all(self) -> None:
        order = ("web", "receiver", "worker", "assistant", "embedder")
        for child in sorted(self._children, key=lambda child: order.index(child.name)):
            await child.stop()
        if self._server is not None:
            await self._ownership.wait_for_users(seconds=2)
            await self._server.stop(seconds=4)
        self._ownership.leave()
        record = RunRecord.read(self._home)
        if record is not None and record.pid == os.getpid():
            self._home.run_file.unlink(missing_ok=True)
        self._run_lock.release()


def _reason(lines: Sequence[str]) -> str:
    """Return the line that says why: the last error that a traceback names, else the last line."""
    told = [line for line in lines if _ERROR.match(line)] or [line for line in lines if line]
    return told[-1] if told else "it said nothing"


def _program(name: str, *arguments: str) -> Sequence[str]:
    python, *rest = _python("core.wiring.program", name, *arguments)
    # Without docstrings: 3 to 6 MB less each; without the columns of code, 1 MB more.
    return (python, "-OO", "-X", "no_debug_ranges", *rest)


def _python(module: str, *arguments: str) -> Sequence[str]:
    # -P: a folder named `core` where the desk happens to be started must not be imported.
    return (sys.executable, "-P", "-m", module, *arguments)


def main() -> None:
    """Run the plan left in the environment; errors made on purpose become a line each."""
    failed = False
    try:
        asyncio.run(Supervisor(RunPlan.from_environment(os.environ)).run())
    except* DeskError as group:
        for error in group.exceptions:
            print(f"desk: {error}", file=sys.stderr)  # noqa: T201
        failed = True
    raise SystemExit(1 if failed else 0)


if __name__ == "__main__":
    main()
