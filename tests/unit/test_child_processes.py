"""How children are kept running and stopped, with real processes."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from core.runtime.machine.addresses import free_ports, http_get, local_url, why_taken
from core.runtime.machine.filelock import FileLock
from core.runtime.machine.home import Home, RunRecord
from core.runtime.machine.polling import until
from core.runtime.machine.processes import is_alive
from core.runtime.supervision.assistant_program import AssistantProgram
from core.runtime.supervision.child import (
    Child,
    Courtesy,
    NotStarted,
    RestartPauses,
    always,
    run_to_end,
)
from core.runtime.supervision.logfiles import open_log, tail
from core.runtime.supervision.run_plan import RunPlan
from core.settings import Settings
from core.wiring.program import at_the_running_desk


@pytest.fixture
async def keep() -> AsyncIterator[Callable[[Child], None]]:
    """Return a function that keeps a child running until the test ends."""
    kept: list[tuple[Child, asyncio.Task[None]]] = []

    def begin(child: Child) -> None:
        kept.append((child, asyncio.create_task(child.keep())))

    yield begin
    for child, task in kept:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await child.stop()


def child(
    tmp_path: Path,
    code: str,
    said: list[str],
    *,
    stop_seconds: float = 5,
    courtesy: Courtesy | None = None,
) -> Child:
    return Child(
        "program",
        always(sys.executable, "-u", "-c", code),
        environment=os.environ,
        log=tmp_path / "program.log",
        say=said.append,
        stop_seconds=stop_seconds,
        courtesy=courtesy,
    )


async def holds(condition: Callable[[], object]) -> bool:
    async def check() -> bool:
        return bool(condition())

    return await until(check, every=0.01, seconds=20)


def test_pauses_grow_to_a_limit_and_start_over_after_a_healthy_run() -> None:
    backoff = RestartPauses()
    assert [backoff.pause(1) for _ in range(8)] == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10, 10]
    assert backoff.pause(31) == 0.2


def niceness(program: Child) -> int | None:
    return None if program.pid is None else os.getpriority(os.PRIO_PROCESS, program.pid)


async def test_a_child_gives_way_where_and_when_it_is_told_to(
    tmp_path: Path, keep: Callable[[Child], None]
) -> None:
    giving, other = tmp_path / "giving", tmp_path / "other"
    giving.mkdir()
    other.mkdir()
    soon = Courtesy(nice=4, after_seconds=0.1)
    programs = child(giving, "input()", [], courtesy=soon), child(other, "input()", [])
    for program in programs:
        keep(program)
    assert await holds(lambda: niceness(programs[0]) == min(os.nice(0) + 4, 19))
    programs[1].give_way()
    assert niceness(programs[1]) == os.nice(0)


async def test_a_child_gives_way_before_its_time_where_it_is_asked_to_and_not_twice(
    tmp_path: Path, keep: Callable[[Child], None]
) -> None:
    program = child(tmp_path, "input()", [], courtesy=Courtesy(nice=4, after_seconds=3_600))
    program.give_way()  # it has not been started
    keep(program)
    assert await holds(lambda: program.pid)
    assert niceness(program) == os.nice(0)
    program.give_way()
    program.give_way()
    assert niceness(program) == min(os.nice(0) + 4, 19)


async def test_a_killed_child_is_started_again_and_the_person_is_told(
    tmp_path: Path, keep: Callable[[Child], None]
) -> None:
    said: list[str] = []
    program = child(tmp_path, "input()", said)
    keep(program)
    assert await holds(lambda: program.pid)
    first = program.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    assert await holds(lambda: program.pid not in {None, first})
    assert "program ended (killed by SIGKILL)" in said[0]
    assert str(tmp_path / "program.log") in said[0]


async def test_the_last_words_of_a_child_that_fails_at_start_are_shown_once(
    tmp_path: Path, keep: Callable[[Child], None]
) -> None:
    said: list[str] = []
    keep(child(tmp_path, "raise SystemExit('no such model')", said))
    assert await holds(lambda: sum("exit code 1" in line for line in said) == 2)
    assert said.count("  program: no such model") == 1


async def test_a_child_that_ignores_the_request_to_stop_is_killed(tmp_path: Path) -> None:
    said: list[str] = []
    deaf = "import signal; signal.signal(15, signal.SIG_IGN); print('up'); input()"
    program = child(tmp_path, deaf, said, stop_seconds=0.2)
    keeping = asyncio.create_task(program.keep())
    assert await holds(lambda: program.pid and tail(tmp_path / "program.log", lines=1) == ["up"])
    pid = program.pid
    assert pid is not None
    await program.stop()
    await keeping
    assert not is_alive(pid)
    assert "did not stop" in said[0]


async def test_a_command_that_cannot_be_had_is_tried_again(
    tmp_path: Path, keep: Callable[[Child], None]
) -> None:
    attempts = 0

    async def command() -> Sequence[str]:
        nonlocal attempts
        attempts += 1
        if attempts == 1:
            raise NotStarted("training failed")
        return (sys.executable, "-c", "input()")

    said: list[str] = []
    program = Child(
        "program", command, environment=os.environ, log=tmp_path / "program.log", say=said.append
    )
    keep(program)
    assert await holds(lambda: program.pid)
    assert "could not be started: training failed" in said[0]


async def test_a_desk_child_ends_when_its_supervisor_does(tmp_path: Path) -> None:
    code = (
        "from core.runtime.supervision.supervised import exit_with_parent\n"
        "import signal\n"
        "exit_with_parent()\n"
        "print('up', flush=True)\n"
        "signal.pause()\n"
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", code),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "DESK_SUPERVISED": "1"},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert await process.stdout.readline() == b"up\n"
    process.stdin.close()  # what the kernel does when the supervisor is killed
    async with asyncio.timeout(20):
        await process.communicate()
    assert process.returncode == -signal.SIGTERM


async def test_a_command_that_ends_is_heard_line_by_line(tmp_path: Path) -> None:
    heard: list[str] = []
    code = "import sys; print('one'); print('two'); print('aside', file=sys.stderr); sys.exit(3)"
    log = tmp_path / "log"
    command = (sys.executable, "-c", code)
    assert await run_to_end(command, environment=os.environ, log=log, heard=heard.append) == 3
    assert heard == ["one", "two"]
    assert tail(log, lines=5) == ["aside"]


def test_a_lock_is_free_again_once_its_holder_lets_go(tmp_path: Path) -> None:
    one, other = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
    assert one.take()
    assert not other.take()
    assert not other.take(shared=True)
    one.release()
    assert other.take(shared=True)
    assert one.take(shared=True)
    one.release()
    other.release()


def test_a_port_in_use_is_recognised() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        reason = why_taken("127.0.0.1", port)
    assert reason is not None
    assert str(port) in reason
    assert why_taken("127.0.0.1", port) is None
    assert len(set(free_ports(5))) == 5


def test_an_address_that_is_not_ours_is_named() -> None:
    reason = why_taken("192.0.2.1", 8000)
    assert reason is not None
    assert "192.0.2.1" in reason


def test_what_listens_everywhere_is_reached_on_this_machine() -> None:
    assert local_url("0.0.0.0", 8000) == "http://127.0.0.1:8000"
    assert local_url("::", 8000) == "http://[::1]:8000"
    assert local_url("desk.example", 80) == "http://desk.example:80"


async def test_silence_at_an_address_is_an_error() -> None:
    (port,) = free_ports(1)
    with pytest.raises(ConnectionRefusedError):
        await http_get("127.0.0.1", port, "/")


def test_a_large_log_is_put_aside(tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    log.write_bytes(b"x" * (11 << 20))
    with open_log(log) as fresh:
        fresh.write(b"new\n")
    assert log.read_text() == "new\n"
    assert (tmp_path / "web.log.1").stat().st_size == 11 << 20


def test_a_plan_survives_its_way_through_the_environment() -> None:
    plan = RunPlan(home="/h", host="::", port=1, public_url="http://d", bot_token="t", started=1.5)
    environment = {"OTHER": "1", **plan.to_environment()}
    assert RunPlan.from_environment(environment) == plan
    assert environment == {"OTHER": "1"}


def running_at(address: str, *, pid: int = 1, public_url: str = "http://d") -> RunRecord:
    return RunRecord(
        pid=pid,
        address=address,
        public_url=public_url,
        database_url="d",
        bot_url="b",
        embedder_url="e",
    )


def test_links_that_a_command_prints_lead_to_the_desk_that_runs_in_its_home(
    tmp_path: Path,
) -> None:
    known = Settings(home=tmp_path)
    assert at_the_running_desk(known).base_url == "http://127.0.0.1:8000"  # none runs
    running = running_at("http://127.0.0.1:8123", pid=os.getpid(), public_url="https://desk.test/")
    running.write(Home.at(tmp_path))
    assert at_the_running_desk(known).base_url == "https://desk.test"
    named = Settings(home=tmp_path, port=9000)
    assert at_the_running_desk(named).base_url == "http://127.0.0.1:9000"
    ended = subprocess.Popen(["true"])
    ended.wait()
    replace(running, pid=ended.pid).write(Home.at(tmp_path))
    assert at_the_running_desk(known).base_url == "http://127.0.0.1:8000"


def test_a_run_record_of_another_release_counts_as_none(tmp_path: Path) -> None:
    home = Home.at(tmp_path)
    assert RunRecord.read(home) is None
    record = running_at("http://127.0.0.1:8123")
    record.write(home)
    assert RunRecord.read(home) == record
    home.run_file.write_text('{"pid": 1, "colour": "red"}')
    assert RunRecord.read(home) is None


def test_the_assistant_never_sees_the_desks_secrets() -> None:
    base = {"DATABASE_URL": "x", "DESK_SECRET_KEY": "y", "PATH": "/bin"}
    assert AssistantProgram().environment(base, BOT_TOKEN="t") == {"PATH": "/bin", "BOT_TOKEN": "t"}
