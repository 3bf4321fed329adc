"""The `desk` command: what can be asked of the desk from a terminal."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar
from uuid import UUID

import typer

from core.domain.actor import Scope
from core.domain.diagnosis import Diagnosis
from core.domain.errors import InvalidInput
from core.wiring import program
from core.wiring.mail_commands import mail_app
from core.wiring.program import errors_as_lines, read_settings, with_database

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
channel_app = typer.Typer(help="Channels to platforms.", no_args_is_help=True)
app.add_typer(user_app, name="user")
app.add_typer(token_app, name="token")
app.add_typer(knowledge_app, name="knowledge")
app.add_typer(mail_app, name="mail")
app.add_typer(channel_app, name="channel")
assistant_app = typer.Typer(
    help="The assistant's model: train, compare, use.", no_args_is_help=True
)
app.add_typer(assistant_app, name="assistant")
seed_app = typer.Typer(help="Examples to try the desk with.", no_args_is_help=True)
app.add_typer(seed_app, name="seed")

T = TypeVar("T")
ReportBy = Literal["channel", "team", "agent", "category", "priority", "reason", "hour", "weekday"]
AgentRole = Literal["agent", "lead", "admin", "auditor"]


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
    command = [sys.executable, "-OO", "-P", "-m", "core.runtime.supervision.supervisor"]
    os.execve(sys.executable, command, {**os.environ, **plan.to_environment()})  # noqa: S606


def _check_declared_accounts() -> None:
    """Say now what is wrong with accounts in the environment, before any process begins."""
    from core.settings import environment

    variables = environment()
    if any(name.startswith("DESK_") and "__" in name for name in variables):
        from core.wiring.environment import declared_accounts
        from core.wiring.kinds import Kinds

        declared_accounts(variables, Kinds())


@app.command()
def serve() -> None:
    """Serve chat, console and API over HTTP."""
    program.long_running("serve")


@app.command()
def work() -> None:
    """Do the work that messages make: turns of the assistant, deliveries, timers."""
    program.long_running("work")


@app.command()
def receive() -> None:
    """Fetch messages from the platforms that have to be asked for them."""
    program.long_running("receive")


@app.command()
def embed(
    port: Annotated[int, typer.Option(help="Port to listen on.")],
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
) -> None:
    """Serve sentence vectors in the manner of OpenAI's embeddings API."""
    program.embed(host, port)


@app.command()
def migrate() -> None:
    """Bring the database to this release's schema; safe when several do it at once."""
    from core.wiring import commands

    with_database(commands.migrate)


@app.command()
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


@app.command()
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


@user_app.command("add")
def user_add(
    email: Annotated[str, typer.Option(help="Address the person is known by.")],
    name: Annotated[str, typer.Option(help="Name that others see.")] = "",
    role: Annotated[AgentRole, typer.Option(help="What they may do.")] = "agent",
) -> None:
    """Add somebody who works at the desk and print their one-time sign-in link."""
    from core.wiring import commands

    print(
        with_database(
            lambda settings: commands.add_user(settings, email=email, name=name, role=role)
        )
    )


@user_app.command("link")
def user_link(
    email: Annotated[str, typer.Option(help="Address the person is known by.")],
) -> None:
    """Print a new one-time sign-in link of somebody who works at the desk."""
    from core.wiring import commands

    print(with_database(lambda settings: commands.sign_in_link(settings, email=email)))


@token_app.command("create")
def token_create(
    email: Annotated[str, typer.Option(help="Whose token; made if unknown.")],
    role: Annotated[AgentRole, typer.Option(help="What it may do.")] = "agent",
    name: Annotated[str, typer.Option(help="What it is for, in your words.")] = "",
    scope: Annotated[
        list[Scope] | None,
        typer.Option(help="What it may be used for; without it, all. May be given several times."),
    ] = None,
    days: Annotated[
        int | None, typer.Option(help="How long it lasts; without it, until it is revoked.")
    ] = None,
) -> None:
    """Print a new token for the JSON API; it is shown this once."""
    from core.services.tokens import TokenTerms
    from core.wiring import commands

    terms = TokenTerms(name=name, scopes=scope or list(Scope), days=days)
    print(
        with_database(
            lambda settings: commands.create_token(settings, email=email, role=role, terms=terms)
        )
    )


@token_app.command("list")
def token_list() -> None:
    """List the tokens: id, whose, role, what for, last use and end."""
    from core.wiring import commands

    for token in with_database(commands.all_tokens):
        used = token.last_used_at.date().isoformat() if token.last_used_at else "never used"
        end = f"until {token.expires_at.date().isoformat()}" if token.expires_at else "no end"
        state = "revoked" if token.revoked_at else end
        print(token.id, token.email, token.role, ",".join(token.scopes), used, state, token.name)


@token_app.command("revoke")
def token_revoke(
    token: Annotated[UUID, typer.Argument(help="Its id, as `desk token list` shows it.")],
) -> None:
    """Let a token not be valid any more."""
    from core.wiring import commands

    with_database(lambda settings: commands.revoke_token(settings, token))


@knowledge_app.command("import")
def knowledge_import(
    path: Annotated[Path, typer.Argument(exists=True, help="A folder of Markdown, or JSONL.")],
) -> None:
    """Add or change articles from a folder of Markdown files or a JSONL file."""
    from core.wiring import commands

    report = with_database(lambda settings: commands.import_knowledge(settings, path))
    print(f"added {report.added}, changed {report.changed}, unchanged {report.unchanged}")
    for refused in report.refused:
        print(f"refused: {refused}", file=sys.stderr)
    if report.refused:
        raise typer.Exit(1)


@knowledge_app.command("evaluate")
def knowledge_evaluate(
    kb: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="Articles, JSONL.")],
    queries: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="Questions, JSONL.")],
    wrong_per_hundred: Annotated[
        float | None,
        typer.Option(
            min=0.1, max=99.9, help="Wrong answers accepted in 100; without it, the desk's setting."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Measure the search on labelled questions, in a scratch schema, with the real thresholds."""
    from core.runtime.embedder_child import embedder_running
    from core.wiring import commands

    async def evaluate(settings: Settings) -> dict[str, float | int]:
        if wrong_per_hundred is not None:
            settings = settings.model_copy(update={"wrong_answers_per_hundred": wrong_per_hundred})
        async with embedder_running(settings.embedder_url, settings.home) as url:
            settings = settings.model_copy(update={"embedder_url": url})
            return await commands.evaluate_knowledge(settings, kb=kb, queries=queries)

    figures = with_database(evaluate)
    if as_json:
        print(json.dumps(figures))
    else:
        width = max(map(len, figures), default=0)
        for name, value in figures.items():
            print(f"{name:<{width}}  {value:g}")


@assistant_app.command("train")
def assistant_train(
    by: Annotated[
        str | None, typer.Option(help="E-mail address of the admin who asks for it.")
    ] = None,
    waits: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Wait until it is judged.")
    ] = True,
    goes_live: Annotated[
        bool, typer.Option("--use/--keep", help="Let it serve once it has passed.")
    ] = True,
) -> None:
    """Make a model of the approved examples and compare it; the running desk does the work.

    Exit status 1 where it did not pass.
    """
    from core.wiring import model_commands

    made = with_database(
        lambda settings: model_commands.train(
            settings, by=by, waits=waits, goes_live=goes_live, say=_aside
        )
    )
    print("\n".join(model_commands.as_lines([made])))
    if waits and not model_commands.has_passed(made):
        raise typer.Exit(1)


@assistant_app.command("versions")
def assistant_versions() -> None:
    """List the models: number, state, examples, right answers before and now, who, when."""
    from core.wiring import model_commands

    print("\n".join(model_commands.as_lines(with_database(model_commands.versions))))


@assistant_app.command("use")
def assistant_use(
    number: Annotated[int, typer.Argument(help="As `desk assistant versions` shows it.")],
    by: Annotated[
        str | None, typer.Option(help="E-mail address of the admin who decides it.")
    ] = None,
) -> None:
    """Let a model serve, an earlier one or one that did not pass; 0 is the release as it comes.

    A running desk changes over without losing a message; another one does when it is started.
    """
    from core.wiring import model_commands

    print(with_database(lambda settings: model_commands.use(settings, number, by=by)))


def _aside(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


@channel_app.command("parse")
def channel_parse(
    kind: Annotated[str, typer.Argument(help="Whose payloads: slack, telegram or email.")],
    path: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="Payloads as they came, one a line.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object a line.")] = False,
) -> None:
    """Show what the desk makes of a platform's payloads; needs no database and stores nothing."""
    from core.wiring.payloads import readings

    for number, found in enumerate(readings(kind, path), start=1):
        if as_json:
            print(json.dumps(found))
        else:
            ((outcome, said),) = found.items()
            words = said if isinstance(said, str) else ", ".join(f"{e['type']}" for e in said)
            print(f"{number}: {outcome}: {words}".encode("ascii", "backslashreplace").decode())


@channel_app.command("simulate")
def channel_simulate(
    account: Annotated[
        str, typer.Option(help="An account of the desk, or a kind: slack, telegram or email.")
    ],
    messages: Annotated[int, typer.Option(min=1, help="How many messages people write.")],
    conversations: Annotated[int, typer.Option(min=1, help="How many people write them.")] = 200,
    faults: Annotated[
        str,
        typer.Option(
            help="Between commas: duplicate, reorder, 429, cut, crash; of mail greylist, loop."
        ),
    ] = "",
    inlet: Annotated[
        str | None,
        typer.Option(help="slack: socket or events; telegram: polling or webhook; email: lmtp."),
    ] = None,
    rate: Annotated[
        float, typer.Option(min=0.1, help="Messages a second, of all people together.")
    ] = 25.0,
    seed: Annotated[
        int | None, typer.Option(help="Makes the same choices again; crashes hit as they may.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Rehearse: drive the running desk through a simulated platform and count what came of it.

    Nothing is sent to a real platform, and nothing of it stays. Exit status 1 where a message was
    lost, doubled or out of order.
    """
    from channels.simulator.rehearsal.drive import Trouble
    from core.wiring.rehearsal import Plan, check, rehearse

    words = [word.strip() for word in faults.split(",") if word.strip()]
    known = list(Trouble)
    if unknown := [word for word in words if word not in known]:
        raise InvalidInput(f"no such fault: {', '.join(unknown)} (there are {', '.join(known)})")
    plan = Plan(
        account=account,
        messages=messages,
        conversations=min(conversations, messages),
        troubles=frozenset(map(Trouble, words)),
        inlet=inlet,
        per_second=rate,
        seed=seed,
    )
    check(read_settings(), plan)
    report = with_database(
        lambda settings: rehearse(
            settings, plan, lambda line: print(line, file=sys.stderr, flush=True)
        )
    )
    if as_json:
        print(json.dumps(report.as_json()))
    else:
        print("\n".join(report.as_lines()))
    if not report.is_good:
        raise typer.Exit(1)


@app.command()
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


@app.command()
def version() -> None:
    """Print the release."""
    print(metadata.version("ventanilla"))


async def _diagnose(settings: Settings) -> list[Diagnosis]:
    from core.wiring import commands

    return list(await commands.diagnose(settings))


if __name__ == "__main__":
    main()
