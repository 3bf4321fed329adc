"""Measures how right the assistant is on the project's own held-back questions (`make evaluate`).

The starter articles are searched, in a database of its own, with the product's search and
thresholds; the questions stand in `tests/data/held_back.tsv`. Prints a table, and JSON with
`--json`; fails below the bars that docs/assistant.md explains.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.calibrate_knowledge import LocalEmbedder, family, starter_articles
from bench.noise import misspelt, without_accents
from core.domain.knowledge import Outcome
from core.runtime.database.postgres import embedded_postgres
from core.services.knowledge import Knowledge
from core.services.knowledge.evaluation import fill, scratch
from core.services.knowledge.ranking import OFFERED
from core.storage.engine import open_engine

HELD_BACK = Path(__file__).parent.parent / "tests" / "data" / "held_back.tsv"
WRITTEN: Mapping[str, Callable[[str], str]] = {
    "as written": lambda text: text,
    "misspelt": misspelt,
    "no accents": lambda text: without_accents(text),
}

LEAST_RIGHT = 0.90
MOST_WRONG = 0.03
MOST_BETWEEN_LANGUAGES = 0.02
MOST_BY_NOISE = 0.03


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBack:
    """A question and the family of articles that answers it; None where there is none."""

    language: str
    family: str | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What became of the questions of one language, written in one way."""

    asked: int = 0
    right: int = 0  # answered or offered rightly; where nothing answers: not answered
    wrong: int = 0  # answered wrongly
    answered_right: int = 0
    answerable: int = 0

    def figures(self) -> dict[str, float]:
        """Return shares of the questions asked; of the answerable ones for `answered_right`."""
        return {
            "n": self.asked,
            "right": round(self.right / self.asked, 4),
            "answered_wrong": round(self.wrong / self.asked, 4),
            "answered_right": round(self.answered_right / self.answerable, 4),
        }


def held_back(path: Path = HELD_BACK) -> list[HeldBack]:
    """Return the questions of the file."""
    lines = path.read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if line and not line.startswith("#")]
    return [
        HeldBack(language=language, family=None if name == "-" else name, text=text)
        for language, name, text in rows
    ]


async def ask(
    knowledge: Knowledge,
    questions: Sequence[HeldBack],
    families: Mapping[str, str],
    written: Callable[[str], str],
    missed: list[str],
) -> Tally:
    """Put `questions` to the search; note in `missed` what went wrong."""
    right = wrong = answered_right = answerable = 0
    for question in questions:
        text = written(question.text)
        finding = await knowledge.search(text, question.language)
        found = [families[hit.article] for hit in finding.hits[:OFFERED]]
        is_first = bool(found) and found[0] == question.family
        match finding.outcome:
            case Outcome.ANSWER:
                is_right, is_wrong = is_first, not is_first
            case Outcome.OFFER:
                is_right, is_wrong = question.family is None or question.family in found, False
            case Outcome.HAND_OFF:
                is_right, is_wrong = question.family is None, False
        right += is_right
        wrong += is_wrong
        answerable += question.family is not None
        answered_right += is_right and finding.outcome is Outcome.ANSWER
        if not is_right:
            scores = " ".join(
                f"{families[hit.article]}={hit.score:.2f}" for hit in finding.hits[:OFFERED]
            )
            missed.append(f"{finding.outcome:8} {question.family or '-'}: {text}  [{scores}]")
    return Tally(
        asked=len(questions),
        right=right,
        wrong=wrong,
        answered_right=answered_right,
        answerable=answerable,
    )


async def measure(
    *, wrong_answers_per_hundred: float, missed: list[str]
) -> dict[str, dict[str, dict[str, float]]]:
    """Return figures by way of writing and language."""
    articles = starter_articles()
    families = {str(article.id): family(article) for article in articles}
    questions = held_back()
    languages = sorted({question.language for question in questions})
    found: dict[str, dict[str, dict[str, float]]] = {}
    with tempfile.TemporaryDirectory(prefix="evaluate-") as home:
        async with embedded_postgres(Path(home)) as url:
            engine = open_engine(url)
            async with scratch(engine) as sessions:
                knowledge = Knowledge(
                    sessions,
                    LocalEmbedder(),
                    wrong_answers_per_hundred=wrong_answers_per_hundred,
                )
                await fill(sessions, articles)
                while await knowledge.embed_pending():
                    pass
                await knowledge.learn_offers()
                for name, written in WRITTEN.items():
                    found[name] = {}
                    for language in languages:
                        of_it = [one for one in questions if one.language == language]
                        tally = await ask(knowledge, of_it, families, written, missed)
                        found[name][language] = tally.figures()
            await engine.dispose()
    return found


def shortcomings(found: Mapping[str, Mapping[str, Mapping[str, float]]]) -> list[str]:
    """Return what is below the bars, a sentence each."""
    plain = found["as written"]
    below = []
    for language, figures in plain.items():
        if figures["right"] < LEAST_RIGHT:
            below.append(f"{language}: {figures['right']:.1%} right, needs {LEAST_RIGHT:.0%}")
        if figures["answered_wrong"] > MOST_WRONG:
            below.append(
                f"{language}: {figures['answered_wrong']:.1%} answered wrong,"
                f" at most {MOST_WRONG:.0%}"
            )
        for name, noisy in found.items():
            if figures["right"] - noisy[language]["right"] > MOST_BY_NOISE:
                lost = figures["right"] - noisy[language]["right"]
                below.append(f"{language}, {name}: {lost:.1%} lost, at most {MOST_BY_NOISE:.0%}")
    rights = [figures["right"] for figures in plain.values()]
    if max(rights) - min(rights) > MOST_BETWEEN_LANGUAGES:
        below.append(
            f"{max(rights) - min(rights):.1%} between the languages,"
            f" at most {MOST_BETWEEN_LANGUAGES:.0%}"
        )
    return below


def table(found: Mapping[str, Mapping[str, Mapping[str, float]]]) -> str:
    """Return the figures as lines of text."""
    lines = [f"{'written':12}{'language':10}{'asked':>6}{'right':>8}{'answered':>10}{'wrong':>8}"]
    for name, languages in found.items():
        lines += [
            f"{name:12}{language:10}{figures['n']:>6}{figures['right']:>8.1%}"
            f"{figures['answered_right']:>10.1%}{figures['answered_wrong']:>8.1%}"
            for language, figures in languages.items()
        ]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; return 1 below a bar."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--missed", action="store_true", help="print what went wrong")
    parser.add_argument("--wrong-per-hundred", type=float, default=10.0, metavar="N")
    options = parser.parse_args(arguments)
    missed: list[str] = []
    found = asyncio.run(measure(wrong_answers_per_hundred=options.wrong_per_hundred, missed=missed))
    below = shortcomings(found)
    print(json.dumps({"figures": found, "below": below}) if options.json else table(found))
    if options.missed:
        print("\n".join(missed), file=sys.stderr)
    for sentence in below:
        print(f"below the bar: {sentence}", file=sys.stderr)
    return 1 if below else 0


if __name__ == "__main__":
    sys.exit(main())
