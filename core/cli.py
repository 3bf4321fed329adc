"""The `desk` command: what can be asked of the desk from a terminal."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib import import_module, metadata
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

import typer

from core.domain.diagnosis import Diagnosis
from core.domain.errors import DeskError, InvalidInput

if TYPE_CHECKING:
    from core.settings import Settings

# Each command imports what it runs when it runs: `desk run` must stay small, and start at once.

app = typer.Typer(
    help="Ventanilla, an omnichannel service desk.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
user_app = typer.Typer(help="People who work at the desk.", no_args_is_help=True)
token_app = typer.Typer(help="Tokens for the JSON API.", no_args_is_help=True)
knowledge_app = typer.Typer(help="The knowledge base.", no_args_is_help=True)
app.add_typer(user_app, name="user")
app.add_typer(token_app, name="token")
app.add_typer(knowledge_app, name="knowledge")

T = TypeVar("T")
AgentRole = Literal["agent", "admin"]

_PROGRAM_MODULES = {
    "serve": "core.wiring.web",
    "work": "core.wiring.background",
    "receive": "core.wiring.background",
}


def main() -> None:
    """Run the command; errors made on purpose become one line, not a traceback."""
    # As with Ctrl-C, what was begun is undone on the way out (a database server stopped).
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        app()
    except DeskError as error:
        print(f"desk: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None


@app.command()
def run() -> None:
    """Run the whole desk in this terminal: database, web, worker, assistant. Ctrl-C stops it."""
    started = time.monotonic()
    from core.runtime.machine.home import Home
    from core.runtime.supervision.run_plan import RunPlan

    settings = _settings()
    known = settings.model_fields_set
    plan = RunPlan(
        home=str(Home.at(settings.home).root),  # made here, so that nobody else can look inside
        host=settings.host,
        port=settings.port,
        public_url=settings.base_url,
        bot_token=settings.shared_bot_token,
        started=started,
        database_url=settings.database_url.get_secret_value() if settings.database_url else None,
        bot_url=settings.bot_url if "bot_url" in known else None,
        embedder_url=settings.embedder_url,
        receive=needs_receivers(settings),
    )
    # The same process, without what was needed to read the settings: it will live long.
    command = [sys.executable, "-P", "-m", "core.runtime.supervision.supervisor"]
    os.execve(sys.executable, command, {**os.environ, **plan.to_environment()})  # noqa: S606


def needs_receivers(settings: Settings) -> bool:  # noqa: ARG001
    """Return whether some account's platform has to be asked for news; none does yet."""
    return False


@app.command()
def serve() -> None:
    """Serve chat, console and API over HTTP."""
    _long_running("serve")


@app.command()
def work() -> None:
    """Do the work that messages make: turns of the assistant, deliveries, timers."""
    _long_running("work")


@app.command()
def receive() -> None:
    """Fetch messages from the platforms that have to be asked for them."""
    _long_running("receive")


@app.command()
def embed(
    port: Annotated[int, typer.Option(help="Port to listen on.")],
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
) -> None:
    """Serve sentence vectors in the manner of OpenAI's embeddings API."""
    from core.runtime.embedder import serve as serve_embeddings
    from core.runtime.supervision.supervised import exit_with_parent

    exit_with_parent()
    serve_embeddings(host, port)


@app.command()
def migrate() -> None:
    """Bring the database to this release's schema; safe when several do it at once."""
    from core.wiring import commands

    _with_database(commands.migrate)


@app.command()
def prepare() -> None:
    """Migrate; on the first run also import the starter articles and make an admin.

    Prints the admin's one-time sign-in link when it made one.
    """
    from core.wiring import commands

    async def both(settings: Settings) -> str | None:
        await commands.migrate(settings)
        return await commands.first_run(settings)

    link = _with_database(both)
    if link is not None:
        print(link)


@app.command()
def doctor() -> None:
    """Check every component and say how to mend what is wrong."""
    from core.runtime.doctor import examine

    settings = _settings()
    findings = asyncio.run(examine(settings, diagnose=_diagnose))
    width = max(len(finding.component) for finding in findings)
    for finding in findings:
        print(f"{'ok  ' if finding.ok else 'BAD '} {finding.component:<{width}}  {finding.detail}")
        if finding.remedy:
            print(f"     {'':<{width}}  -> {finding.remedy}")
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


@user_app.command("add")
def user_add(
    email: Annotated[str, typer.Option(help="Address the person is known by.")],
    name: Annotated[str, typer.Option(help="Name that others see.")] = "",
    role: Annotated[AgentRole, typer.Option(help="What they may do.")] = "agent",
) -> None:
    """Add an agent or admin and print their one-time sign-in link."""
    from core.wiring import commands

    print(
        _with_database(
            lambda settings: commands.add_user(settings, email=email, name=name, role=role)
        )
    )


@user_app.command("link")
def user_link(
    email: Annotated[str, typer.Option(help="Address the person is known by.")],
) -> None:
    """Print a new one-time sign-in link of somebody who works at the desk."""
    from core.wiring import commands

    print(_with_database(lambda settings: commands.sign_in_link(settings, email=email)))


@token_app.command("create")
def token_create(
    email: Annotated[str, typer.Option(help="Whose token; made if unknown.")],
    role: Annotated[AgentRole, typer.Option(help="What it may do.")] = "agent",
) -> None:
    """Print a new token for the JSON API; it is shown this once."""
    from core.wiring import commands

    print(_with_database(lambda settings: commands.create_token(settings, email=email, role=role)))


@knowledge_app.command("import")
def knowledge_import(
    path: Annotated[Path, typer.Argument(exists=True, help="A folder of Markdown, or JSONL.")],
) -> None:
    """Add or change articles from a folder of Markdown files or a JSONL file."""
    from core.wiring import commands

    report = _with_database(lambda settings: commands.import_knowledge(settings, path))
    print(f"added {report.added}, changed {report.changed}, unchanged {report.unchanged}")
    for refused in report.refused:
        print(f"refused: {refused}", file=sys.stderr)
    if report.refused:
        raise typer.Exit(1)


@knowledge_app.command("evaluate")
def knowledge_evaluate(
    kb: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="Articles, JSONL.")],
    queries: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="Questions, JSONL.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Measure the search on labelled questions, in a scratch schema, with the real thresholds."""
    from core.runtime.embedder_child import embedder_running
    from core.wiring import commands

    async def evaluate(settings: Settings) -> dict[str, float | int]:
        async with embedder_running(settings.embedder_url, settings.home) as url:
            settings = settings.model_copy(update={"embedder_url": url})
            return await commands.evaluate_knowledge(settings, kb=kb, queries=queries)

    figures = _with_database(evaluate)
    if as_json:
        print(json.dumps(figures))
    else:
        width = max(map(len, figures), default=0)
        for name, value in figures.items():
            print(f"{name:<{width}}  {value:g}")


@app.command()
def version() -> None:
    """Print the release."""
    print(metadata.version("ventanilla"))


def _settings() -> Settings:
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


def _with_database(work: Callable[[Settings], Awaitable[T]]) -> T:
    """Return what `work` gives, run with settings that name a database that is up."""

    async def with_database() -> T:
        async with _database(_settings()) as settings:
            return await work(settings)

    return asyncio.run(with_database())


def _long_running(name: Literal["serve", "work", "receive"]) -> None:
    """Run one of the desk's long-lived programs, with a database that is up."""
    from core.runtime.supervision.supervised import wait_for_go

    program = getattr(import_module(_PROGRAM_MODULES[name]), name)
    wait_for_go()
    with asyncio.Runner() as runner:  # the program has a loop of its own
        database = _database(_settings())
        settings = runner.run(database.__aenter__())
        try:
            program(settings)
        finally:
            runner.run(database.__aexit__(None, None, None))


async def _diagnose(settings: Settings) -> list[Diagnosis]:
    from core.wiring import commands

    return list(await commands.diagnose(settings))


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
    print(line, file=sys.stderr)


if __name__ == "__main__":
    main()
