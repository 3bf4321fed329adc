"""The `desk channel` commands: payloads are read, and platforms rehearsed."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from core.domain.errors import InvalidInput
from core.wiring.program import read_settings, with_database

# Each command imports what it runs when it runs: every other command reads this module, too.

channel_app = typer.Typer(help="Channels to platforms.", no_args_is_help=True)


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
    conversations: Annotated[int, typer.Option(min=1, help="In how many conversations.")] = 200,
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

    People write, alone and in threads, groups and topics, edit, delete, send files and press
    buttons, as far as the platform has that. Nothing is sent to a real platform, and nothing of it
    stays. Exit status 1 where something was lost, doubled, out of order or not meant for the desk.
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
