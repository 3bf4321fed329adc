"""The `desk knowledge` commands: articles are brought in, and the search is measured."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.wiring.program import with_database

if TYPE_CHECKING:
    from core.settings import Settings

# Each command imports what it runs when it runs: every other command reads this module, too.

knowledge_app = typer.Typer(help="The knowledge base.", no_args_is_help=True)


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
    from core.runtime.minilm import MODEL
    from core.wiring import commands

    async def evaluate(settings: Settings) -> dict[str, float | int]:
        async with embedder_running(settings.embedder_url, settings.home) as url:
            known = {"embedder_url": url}
            if settings.embedder_url is None:  # it is ours
                known["embedder_second_model"] = MODEL
            settings = settings.model_copy(update=known)
            return await commands.evaluate_knowledge(
                settings, kb=kb, queries=queries, wrong_per_hundred=wrong_per_hundred
            )

    figures = with_database(evaluate)
    if as_json:
        print(json.dumps(figures))
    else:
        width = max(map(len, figures), default=0)
        for name, value in figures.items():
            print(f"{name:<{width}}  {value:g}")
