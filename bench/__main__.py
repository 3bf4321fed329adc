"""`make bench`: which measurements are run, in which order, and what is printed."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from bench import answers, lists, reports, rules, search
from bench.channels import mail, slack
from bench.desk import RunningDesk, running_desk
from bench.footprint import DESK, Memory, is_measurable, memory_by_role
from bench.intake import Intake
from bench.machine import describe
from bench.report import Figure, at_most, table
from bench.stored import Server
from core.runtime.database.postgres import embedded_postgres
from core.settings import Settings

_ACCEPTED_SECONDS = 5.0
_ANSWERED_SECONDS = 30.0
_DESK_MB = 300.0
_ASSISTANT_MB = 900.0
_MAIL_ROUNDS = 3
_FEWEST_TICKETS = 1_000  # of fewer, none may be of a kind that is looked for
_REST_SECONDS = 5.0  # after the first answer, before memory is read
_IDLE_SECONDS = 15.0  # once the embedder has no more to do, before it is read again

_PARTS = ("desk", "intake", "growth", "search", "reports", "lists", "rules", "slack", "mail")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "--only",
        choices=_PARTS,
        action="append",
        help="desk: starts, memory, answers; intake: messages per second; growth: their cost with "
        "many stored; search: the knowledge search; reports: figures; lists: the "
        "queue, the search and tickets' pages; rules: a thousand of them; "
        "slack: beside Rasa's Slack channel; mail: beside django-helpdesk, on a real Dovecot. May "
        "be repeated; default: all",
    )
    parser.add_argument("--home", type=Path, help="keep the desk's home here, to train only once")
    parser.add_argument(
        "--keep",
        action="store_true",
        help="leave the database of `lists` and `reports` in --home; use that of an earlier run",
    )
    parser.add_argument("--questions", type=int, default=180, help="to each that is compared")
    parser.add_argument("--messages", type=int, default=10_000, help="in a measurement of intake")
    parser.add_argument("--rounds", type=int, default=5, help="of few against many stored")
    parser.add_argument("--stored", type=int, default=200_000, help="messages that are many")
    parser.add_argument("--passages", type=int, default=100_000, help="in the knowledge search")
    parser.add_argument(
        "--tickets",
        type=int,
        default=1_000_000,
        help=f"of a year, in reports and lists; {_FEWEST_TICKETS:,} at least",
    )
    parser.add_argument(
        "--pages",
        type=_expression,
        default=re.compile(""),
        help="of `lists` and `reports` only those in whose name this regular expression is found",
    )
    parser.add_argument("--kills", type=int, default=10, help="of each on Slack")
    parser.add_argument("--seconds", type=float, default=20.0, help="of 100 Slack events/s")
    parser.add_argument("--mails", type=int, default=500, help="in a round of the mail intake")
    parser.add_argument("--kb", type=Path, help="articles of an evaluation of retrieval (JSONL)")
    parser.add_argument("--queries", type=Path, help="its questions (JSONL)")
    arguments = parser.parse_args()
    if arguments.tickets < _FEWEST_TICKETS:
        parser.error(f"argument --tickets: {_FEWEST_TICKETS:,} at least")
    return arguments


def _expression(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise argparse.ArgumentTypeError(f"no regular expression: {error}") from None


async def _measure(arguments: argparse.Namespace, home: Path) -> list[Figure]:
    wanted = arguments.only or _PARTS
    figures: list[Figure] = []
    if "desk" in wanted:
        figures += await _desk(home, arguments)
    if "slack" in wanted:
        figures += await slack.measure(
            home,
            messages=arguments.questions,
            seconds=arguments.seconds,
            kills=arguments.kills,
            say=_say,
        )
    if "mail" in wanted:
        figures += await mail.measure(home, mails=arguments.mails, rounds=_MAIL_ROUNDS, say=_say)
    async with AsyncExitStack() as stack:
        if {"intake", "growth", "search", "reports", "lists", "rules"} & set(wanted):
            server = Server(await stack.enter_async_context(embedded_postgres(home, say=_say)))
            figures += await _on_server(server, wanted, home, arguments)
    if arguments.kb and arguments.queries:
        figures += _retrieval(home, arguments.kb, arguments.queries)
    return figures


async def _desk(home: Path, arguments: argparse.Namespace) -> list[Figure]:
    """Start the desk twice; measure the second start, its memory, and how fast it answers."""
    _say("first start: the assistant is trained, if it is not")
    async with running_desk(home):
        pass
    _say("second start")
    async with running_desk(home) as desk:
        figures = [
            at_most(
                "second start → messages accepted", desk.accepted_seconds, _ACCEPTED_SECONDS, "s"
            ),
            at_most(
                "second start → assistant answering", desk.answered_seconds, _ANSWERED_SECONDS, "s"
            ),
        ]
        await asyncio.sleep(_REST_SECONDS)
        figures += _memory(desk, f"{_REST_SECONDS:.0f} s after the first answer")
        _say("waiting until everything is indexed and the base has asked itself its questions")
        began = time.monotonic()
        await desk.has_learned()
        await asyncio.sleep(_IDLE_SECONDS)
        later = time.monotonic() - began
        figures += _memory(desk, f"{later:.0f} s later, the embedder at rest")
        folder = home / "bench"
        folder.mkdir(exist_ok=True)
        _say("questions to the desk and to bare Rasa")
        token = Settings(home=home).shared_bot_token
        figures += await answers.compare(desk, folder, bot_token=token, each=arguments.questions)
        _say("intake on the whole desk")
        intake = Intake(home, Server(desk.record.database_url))
        figures.append(await intake.on_running_desk(desk.port, messages=arguments.messages // 4))
    return figures


def _memory(desk: RunningDesk, when: str) -> list[Figure]:
    of_the_desk = f"memory of the desk (RSS), {when}"
    if not is_measurable():
        return [Figure(what=of_the_desk, target=f"≤ {_DESK_MB:.0f} MB", measured="no /proc")]
    found = memory_by_role(desk.supervisor)
    own = sum((found.get(role, Memory()) for role in DESK), Memory())
    parts = ", ".join(f"{role} {found[role]}" for role in DESK if role in found)
    return [
        at_most(of_the_desk, own.rss / 1e6, _DESK_MB, "MB", note=f": {parts}"),
        Figure(what="… the same as PSS, shared pages counted once", measured=_mb(own.pss)),
        at_most(
            "memory of the assistant (RSS)",
            found["assistant"].rss / 1e6,
            _ASSISTANT_MB,
            "MB",
            note=f"; PSS {_mb(found['assistant'].pss)}",
        ),
        Figure(what="memory of PostgreSQL", measured=str(found.get("PostgreSQL", Memory()))),
    ]


async def _on_server(
    server: Server, wanted: Sequence[str], home: Path, arguments: argparse.Namespace
) -> list[Figure]:
    figures: list[Figure] = []
    intake = Intake(home, server)
    if "intake" in wanted:
        _say("intake")
        durability = await server.settings("fsync", "synchronous_commit", "full_page_writes")
        figures += await intake.rate(messages=arguments.messages)
        said = ", ".join(f"{name} {value}" for name, value in durability.items())
        figures.append(Figure(what="… PostgreSQL meanwhile", measured=said))
    if "growth" in wanted:
        _say(f"cost of a message with {arguments.stored:,} stored")
        figures += await intake.growth(
            rounds=arguments.rounds, block=arguments.messages // 10, many=arguments.stored
        )
    if {"intake", "growth"} & set(wanted):
        figures.append(intake.checked())
    if "search" in wanted:
        _say(f"knowledge search among {arguments.passages:,} passages")
        figures += await search.measure(server, passages=arguments.passages)
    if "reports" in wanted:
        _say(f"reports among {arguments.tickets:,} tickets")
        figures += await reports.measure(
            server,
            home,
            tickets=arguments.tickets,
            keep=arguments.keep,
            only=arguments.pages,
            say=_say,
        )
    if "lists" in wanted:
        _say(f"lists and the search among {arguments.tickets:,} tickets")
        figures += await lists.measure(
            server,
            home,
            tickets=arguments.tickets,
            keep=arguments.keep,
            only=arguments.pages,
            say=_say,
        )
    if "rules" in wanted:
        _say("a thousand rules")
        figures += await rules.measure(server)
    return figures


def _retrieval(home: Path, kb: Path, queries: Path) -> list[Figure]:
    """Return what `desk knowledge evaluate` says of someone's own articles and questions."""
    _say(f"retrieval on {kb}")
    command = [sys.executable, "-m", "core.cli", "knowledge", "evaluate", "--json"]
    said = subprocess.run(
        [*command, "--kb", str(kb), "--queries", str(queries)],
        env={**os.environ, "DESK_HOME": str(home)},
        check=True,
        stdout=subprocess.PIPE,
    )
    figures = json.loads(said.stdout)
    return [
        Figure(what=f"retrieval: {name}", measured=f"{value:g}") for name, value in figures.items()
    ]


def _mb(amount: float) -> str:
    return f"{amount / 1e6:.0f} MB"


def _say(line: str) -> None:
    """Tell the person at the terminal, beside the report."""
    print(f"bench: {line}", file=sys.stderr, flush=True)


def main() -> None:
    """Measure and print the report."""
    arguments = _arguments()
    lines = describe(" ".join(["python -m bench", *sys.argv[1:]]))
    with tempfile.TemporaryDirectory(prefix="desk-bench-", ignore_cleanup_errors=True) as scratch:
        home = (arguments.home or Path(scratch)).resolve()
        figures = asyncio.run(_measure(arguments, home))
    print("\n".join([*lines, "", table(figures)]))


if __name__ == "__main__":
    main()
