"""The `desk assistant` commands: its model is trained, compared and chosen."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from core.wiring.program import with_database

# Each command imports what it runs when it runs: every other command reads this module, too.

assistant_app = typer.Typer(
    help="The assistant's model: train, compare, use.", no_args_is_help=True
)


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
