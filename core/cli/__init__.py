"""The `desk` command: what can be asked of the desk from a terminal.

Here are the commands that run the desk; what is done with people, knowledge, the assistant,
channels and mail has a module each.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from importlib import metadata
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from core.cli.assistant import assistant_app
from core.cli.channels import channel_app
from core.cli.knowledge import knowledge_app
from core.cli.mail import mail_app
from core.cli.people import token_app, user_app
from core.domain.diagnosis import Diagnosis
from core.wiring import program
from core.wiring.program import errors_as_lines, read_settings, with_database

if TYPE_CHECKING:
    from core.settings import Settings

# Each command imports what it runs when it runs: `desk run` must stay small, and start at once.

_PROCESSES = "The processes that `run` starts and watches"
_UPKEEP = "Set up, check, report"
_SUBJECTS = "By subject"

app = typer.Typer(
    help="Ventanilla, an omnichannel service desk. `desk run` is all that one machine needs.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(user_app, name="user", rich_help_panel=_SUBJECTS)
app.add_typer(token_app, name="token", rich_help_panel=_SUBJECTS)
app.add_typer(knowledge_app, name="knowledge", rich_help_panel=_SUBJECTS)
app.add_typer(mail_app, name="mail", rich_help_panel=_SUBJECTS)
app.add_typer(channel_app, name="channel", rich_help_panel=_SUBJECTS)
app.add_typer(assistant_app, name="assistant", rich_help_panel=_SUBJECTS)
seed_app = typer.Typer(help="Examples to try the desk with.", no_args_is_help=True)
app.add_typer(seed_app, name="seed", rich_help_panel=_SUBJECTS)

ReportBy = Literal["channel", "team", "agent", "category", "priority", "reason", "hour", "weekday"]


def main() -> None:
    """Run the command; errors made on purpose become one line, not a traceback."""
    with errors_as_lines():
        app()


@app.command()
def run() -> None:
    """Run the whole desk in this terminal: database, web, worker, assistant. Ctrl-C stops it."""
    started = time.monotonic()
    from core.runtime.machine.home import Home
    from core.runtime.supervision.run_plan import RunPlan

    settings = read_settings()
    _check_declared_accounts()
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
    )
    # The same process, without what was needed to read the settings: it will live long.
    without = ("-OO", "-X", "no_debug_ranges")  # as its children: docstrings, columns of code
    command = [sys.executable, *without, "-P", "-m", "core.runtime.supervision.supervisor"]
    os.execve(sys.executable, command, {**os.environ, **plan.to_environment()})  # noqa: S606


def _check_declared_accounts() -> None:
    """Say now what is wrong with accounts in the environment, before any process begins."""
    from core.settings import environment

    variables = environment()
    if any(name.startswith("DESK_") and "__" in name for name in variables):
        from core.wiring.environment import declared_accounts
        from core.wiring.kinds import Kinds

        declared_accounts(variables, Kinds())


@app.command(rich_help_panel=_PROCESSES)
def serve() -> None:
    """Serve chat, console and API over HTTP."""
    program.long_running("serve")


@app.command(rich_help_panel=_PROCESSES)
def work() -> None:
    """Do the work that messages make: turns of the assistant, deliveries, timers."""
    program.long_running("work")


@app.command(rich_help_panel=_PROCESSES)
def receive() -> None:
    """Fetch messages from the platforms that have to be asked for them."""
    program.long_running("receive")


@app.command(rich_help_panel=_PROCESSES)
def embed(
    port: Annotated[int, typer.Option(help="Port to listen on.")],
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
) -> None:
    """Serve sentence vectors in the manner of OpenAI's embeddings API."""
    program.embed(host, port)


@app.command(rich_help_panel=_UPKEEP)
def migrate() -> None:
    """Bring the database to this release's schema; safe when several do it at once."""
    from core.wiring import commands

    with_database(commands.migrate)


@app.command(rich_help_panel=_UPKEEP)
def prepare() -> None:
    """Migrate; on the first run also import the starter articles and make an admin.

    Prints the admin's one-time sign-in link when it made one.
    """
    from core.wiring import commands

    async def both(settings: Settings) -> str | None:
        await commands.migrate(settings)
        return await commands.first_run(settings)

    link = with_database(both)
    if link is not None:
        print(link)


@app.command(rich_help_panel=_UPKEEP)
def doctor() -> None:
    """Check every component and say how to mend what is wrong."""
    from core.runtime.doctor import examine

    settings = read_settings()
    findings = asyncio.run(examine(settings, diagnose=_diagnose))
    width = max(len(finding.component) for finding in findings)
    for finding in findings:
        print(f"{'ok  ' if finding.ok else 'BAD '} {finding.component:<{width}}  {finding.detail}")
        if finding.remedy:
            print(f"     {'':<{width}}  -> {finding.remedy}")
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


@seed_app.command("demo")
def seed_demo(
    days: Annotated[
        int, typer.Option(min=1, max=365, help="How many days of tickets there are.")
    ] = 60,
) -> None:
    """Fill an empty desk with a believable organisation: people, rules, two months of tickets."""
    from core.wiring.demo.command import seed

    for line in with_database(lambda settings: seed(settings, days=days)):
        print(line)


@app.command(rich_help_panel=_UPKEEP)
def report(
    first: Annotated[
        str | None, typer.Option("--from", help="The first day, as 2030-12-01.")
    ] = None,
    last: Annotated[str | None, typer.Option("--to", help="The last day; default today.")] = None,
    by: Annotated[ReportBy, typer.Option(help="What lines are told apart by.")] = "channel",
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Print the figures of a period; without one, of the last thirty days."""
    from core.domain.figures import Dimension
    from core.services.figures.documents import document
    from core.wiring.figures import as_lines, report_for

    found = with_database(
        lambda settings: report_for(settings, first=first, last=last, by=Dimension(by))
    )
    print(document(found).model_dump_json(indent=2) if as_json else "\n".join(as_lines(found)))


@app.command(rich_help_panel=_UPKEEP)
def version() -> None:
    """Print the release."""
    print(metadata.version("ventanilla"))


async def _diagnose(settings: Settings) -> list[Diagnosis]:
    from core.wiring import commands

    return list(await commands.diagnose(settings))
