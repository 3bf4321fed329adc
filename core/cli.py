"""The `desk` command: what can be asked of the desk from a terminal."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib import metadata
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from core.domain.errors import DeskError
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
def migrate() -> None:
    """Bring the database to this release's schema; safe when several do it at once."""
    from core import wiring

    _with_database(wiring.migrate)


@app.command("first-run")
def first_run() -> None:
    """Make the first admin and import the starter articles; print the admin's sign-in link."""
    from core import wiring

    link = _with_database(wiring.first_run)
    if link is not None:
        print(link)


@user_app.command("add")
def user_add(
    email: Annotated[str, typer.Option(help="Address the person is known by.")],
    name: Annotated[str, typer.Option(help="Name that others see.")] = "",
    role: Annotated[str, typer.Option(help="agent or admin.")] = "agent",
) -> None:
    """Add an agent or admin and print their one-time sign-in link."""
    from core import wiring

    print(
        _with_database(
            lambda settings: wiring.add_user(settings, email=email, name=name, role=role)
        )
    )


@token_app.command("create")
def token_create(
    email: Annotated[str, typer.Option(help="Whose token; made if unknown.")],
    role: Annotated[str, typer.Option(help="agent or admin.")] = "agent",
) -> None:
    """Print a new token for the JSON API; it is shown this once."""
    from core import wiring

    print(_with_database(lambda settings: wiring.create_token(settings, email=email, role=role)))


@knowledge_app.command("import")
def knowledge_import(
    path: Annotated[Path, typer.Argument(exists=True, help="A folder of Markdown, or JSONL.")],
) -> None:
    """Add or change articles from a folder of Markdown files or a JSONL file."""
    from core import wiring

    report = _with_database(lambda settings: wiring.import_knowledge(settings, path))
    print(f"added {report.added}, changed {report.changed}, unchanged {report.unchanged}")
    for refused in report.refused:
        print(f"refused: {refused}", file=sys.stderr)
    if report.refused:
        raise typer.Exit(1)


@app.command()
def version() -> None:
    """Print the release."""
    print(metadata.version("ventanilla"))


def _with_database(work: Callable[[Settings], Awaitable[T]]) -> T:
    """Return what `work` gives, run with settings that name a database that is up."""

    async def run() -> T:
        async with _database(Settings()) as settings:
            return await work(settings)

    return asyncio.run(run())


@asynccontextmanager
async def _database(settings: Settings) -> AsyncIterator[Settings]:
    """Yield `settings` with a database address; the embedded server runs meanwhile if needed."""
    if settings.database_url is not None:
        yield settings
        return
    from pydantic import SecretStr

    from core.runtime.postgres import embedded_postgres

    async with embedded_postgres(settings.home, say=_say) as url:
        yield settings.model_copy(update={"database_url": SecretStr(url)})


def _say(line: str) -> None:
    """Tell the person at the terminal, beside the command's own output."""
    print(line, file=sys.stderr)
