"""How a command gets its settings and a database, and how the long-lived ones begin.

The supervisor starts these as `python -m core.wiring.program NAME`: the command line's library,
which they have no use for, would cost each of them 10 MB. Each imports what it runs when it runs.
"""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, TypeVar

from core.domain.errors import DeskError, InvalidInput

if TYPE_CHECKING:
    from core.settings import Settings

T = TypeVar("T")

_MODULES = {
    "serve": "core.wiring.web",
    "work": "core.wiring.background",
    "receive": "core.wiring.background",
}


def main() -> None:
    """Run the program that the arguments name.

    That is serve, work, receive, embed HOST PORT, or describe, which prints what the API offers.
    """
    name, *arguments = sys.argv[1:]
    with errors_as_lines():
        if name == "embed":
            host, port = arguments
            embed(host, int(port))
        elif name == "describe":
            describe()
        else:
            long_running(name)


@contextmanager
def errors_as_lines() -> Iterator[None]:
    """End the process with a line for an error made on purpose, and in order when told to stop."""
    # As with Ctrl-C, what was begun is undone on the way out (a database server stopped).
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except DeskError as error:
        sys.stderr.write(f"desk: {error}\n")
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def embed(host: str, port: int) -> None:
    """Serve sentence vectors until told to stop."""
    from core.runtime.embedder import serve
    from core.runtime.supervision.supervised import exit_with_parent

    exit_with_parent()
    serve(host, port)


def describe() -> None:
    """Print the description of the API; asks no database."""
    from core.wiring import web

    web.describe(read_settings())


def long_running(name: str) -> None:
    """Run `serve`, `work` or `receive`, with a database that is up."""
    from core.runtime.supervision.supervised import wait_for_go

    gc.disable()  # what is imported stays: to look for garbage in it is a tenth of the start
    program = getattr(import_module(_MODULES[name]), name)
    gc.enable()
    wait_for_go()
    with asyncio.Runner() as runner:  # the program has a loop of its own
        database = _database(read_settings())
        settings = runner.run(database.__aenter__())
        try:
            program(settings)
        finally:
            runner.run(database.__aexit__(None, None, None))


def read_settings() -> Settings:
    """Read the settings; what is wrong with them becomes a line each."""
    from pydantic import ValidationError

    from core.settings import Settings

    try:
        return Settings()
    except ValidationError as error:
        wrong = [
            f"{_variable(str(problem['loc'][0]))}: {problem['msg']}" for problem in error.errors()
        ]
        raise InvalidInput("; ".join(wrong) + " (see docs/settings.md)") from None


def _variable(field: str) -> str:
    return field if field.isupper() else f"DESK_{field.upper()}"


def with_database(work: Callable[[Settings], Awaitable[T]]) -> T:
    """Return what `work` gives, run with settings that name a database that is up."""

    async def in_database() -> T:
        async with _database(at_the_running_desk(read_settings())) as settings:
            return await work(settings)

    return asyncio.run(in_database())


def at_the_running_desk(settings: Settings) -> Settings:
    """Return `settings` with the address of the desk that runs in their home, unless they name one.

    Links that a command prints then lead there, whatever its terminal knows of the port.
    """
    if settings.model_fields_set & {"public_url", "host", "port"}:
        return settings
    from core.runtime.machine.home import Home, RunRecord
    from core.runtime.machine.processes import is_alive

    record = RunRecord.read(Home.at(settings.home))
    if record is None or not is_alive(record.pid):
        return settings
    return settings.model_copy(update={"public_url": record.public_url})


@asynccontextmanager
async def _database(settings: Settings) -> AsyncIterator[Settings]:
    """Yield `settings` with a database address; the embedded server runs meanwhile if needed."""
    if settings.database_url is not None:
        yield settings
        return
    from pydantic import SecretStr

    from core.runtime.database.postgres import embedded_postgres

    async with embedded_postgres(settings.home, say=_say) as url:
        yield settings.model_copy(update={"database_url": SecretStr(url)})


def _say(line: str) -> None:
    """Tell the person at the terminal, beside the command's own output."""
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    main()
