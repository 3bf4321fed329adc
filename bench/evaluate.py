"""Measures how right the assistant is on what is held back, and fails below the bars.

    make evaluate [ARGS="--missed --wrong-per-hundred 5 --json FILE"]

Questions are put to the search, messages to the assistant's model, and both together as a turn has
them: each as written, misspelt, and without accents. Prints tables, with `--missed` what went
wrong, and writes JSON. docs/assistant.md explains the bars.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import answers_right, understood_right
from bench.answers_right import Found, starter_knowledge
from bench.held_back import PLAIN, WRITTEN, Message, Question, messages, questions
from bench.understood_right import QUESTION, Understood, understood
from core.domain.knowledge import Outcome

LEAST_RIGHT = 0.90
MOST_WRONG = 0.03
MOST_BETWEEN_LANGUAGES = 0.02
MOST_BY_NOISE = 0.03
LEAST_UNDERSTOOD = 0.92
MOST_ALARMS_MISSED = 1
LEAST_SEARCHED = 0.95
MOST_IN_OTHER_LANGUAGE = 0.02

TOLERANCES = (1.0, 2.0, 3.0, 5.0, 10.0)
_JSON = Path(__file__).parent.parent / "build" / "evaluate.json"

Figures = Mapping[str, Mapping[str, Mapping[str, float]]]
"""By way of writing, language, and name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A held-back question written in some way: what it was taken for, and what it found."""

    understood: Understood
    found: Found


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A held-back message written in some way; `found` where it was searched for."""

    understood: Understood
    found: Found | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """All that was asked and said, by way of writing."""

    asked: Mapping[str, Sequence[Asked]]
    said: Mapping[str, Sequence[Said]]


async def measure(folder: Path) -> Measured:
    """Put everything to the assistant and to the search."""
    asked, said = questions(), messages()
    texts = {name: [written(one.text) for one in asked] for name, written in WRITTEN.items()}
    rows = [
        Message(language=one.language, intent=QUESTION, text=text)
        for name in WRITTEN
        for one, text in zip(asked, texts[name], strict=True)
    ]
    rows += [
        Message(language=one.language, intent=one.intent, text=written(one.text))
        for written in WRITTEN.values()
        for one in said
    ]
    heard = iter(await asyncio.to_thread(understood, rows, folder))
    async with starter_knowledge() as search:
        asked_all = {
            name: [
                Asked(understood=next(heard), found=await search.ask(one, text))
                for one, text in zip(asked, texts[name], strict=True)
            ]
            for name in WRITTEN
        }
        said_all: dict[str, list[Said]] = {}
        for name in WRITTEN:
            said_all[name] = []
            for message in said:
                one = next(heard)
                found = None
                if one.is_searched and message.intent != QUESTION:
                    nothing = Question(language=message.language, family=None, text=message.text)
                    found = await search.ask(nothing, one.message.text)
                said_all[name].append(Said(understood=one, found=found))
    return Measured(asked=asked_all, said=said_all)


def search_figures(measured: Measured, wrong_per_hundred: float) -> Figures:
    """Return what the search makes of the questions."""
    return {
        name: {
            language: answers_right.figures(
                [one.found for one in asked if one.found.question.language == language],
                wrong_per_hundred=wrong_per_hundred,
            )
            for language in sorted({one.found.question.language for one in asked})
        }
        for name, asked in measured.asked.items()
    }


def message_figures(measured: Measured) -> Figures:
    """Return what the assistant takes the messages for."""
    return {
        name: {
            language: understood_right.figures(
                [one.understood for one in said if one.understood.message.language == language]
            )
            for language in sorted({one.understood.message.language for one in said})
        }
        for name, said in measured.said.items()
    }


def turn_figures(measured: Measured, wrong_per_hundred: float) -> Mapping[str, Mapping[str, float]]:
    """Return what becomes of questions and messages in a whole turn, by way of writing."""
    return {
        name: _turns(measured.asked[name], measured.said[name], wrong_per_hundred)
        for name in WRITTEN
    }


def _turns(
    asked: Sequence[Asked], said: Sequence[Said], wrong_per_hundred: float
) -> dict[str, float]:
    searched = [one.found for one in asked if one.understood.is_searched]
    found = answers_right.figures(searched, wrong_per_hundred=wrong_per_hundred)
    lost = [one for one in asked if one.found.question.family is None]
    others = [one for one in said if one.understood.message.intent != QUESTION]
    shown = sum(
        one.found is not None and one.found.outcome(wrong_per_hundred) is Outcome.ANSWER
        for one in others
    )
    return {
        "questions": len(asked),
        "questions_right": round(found["right"] * len(searched) / len(asked), 4),
        "questions_taken_for_else": len(asked) - len(searched),
        "out_of_scope": len(lost),
        "out_of_scope_right": sum(
            one.understood.is_searched
            and one.found.outcome(wrong_per_hundred) is not Outcome.ANSWER
            for one in lost
        ),
        "messages": len(others),
        "messages_right": sum(one.understood.is_right for one in others),
        "messages_shown_an_article": shown,
        "answers": found["answered"] + shown,
        "answers_wrong": found["answered_wrong"] + shown,
    }


def shortcomings(
    search: Figures,
    heard: Figures,
    turns: Mapping[str, Mapping[str, float]],
    *,
    wrong_per_hundred: float,
) -> list[str]:
    """Return what is below the bars, a sentence each."""
    below = [*_of_search(search), *_of_messages(heard)]
    for name, found in turns.items():
        if found["answers_wrong"] * 100 > wrong_per_hundred * found["answers"]:
            below.append(
                f"{name}: {found['answers_wrong']} of {found['answers']} answers wrong,"
                f" at most {wrong_per_hundred:g} in 100"
            )
    return below


def _of_search(search: Figures) -> list[str]:
    below = []
    for language, found in search[PLAIN].items():
        if found["right"] < LEAST_RIGHT:
            below.append(f"{language}: {found['right']:.1%} right, needs {LEAST_RIGHT:.0%}")
        if found["answered_wrong"] > MOST_WRONG * found["n"]:
            below.append(
                f"{language}: {found['answered_wrong']} of {found['n']} answered wrong,"
                f" at most {MOST_WRONG:.0%}"
            )
    return [*below, *_lost_by_noise(search, "questions"), *_between_languages(search, "questions")]


def _of_messages(heard: Figures) -> list[str]:
    below = []
    for language, found in heard[PLAIN].items():
        if found["right"] < LEAST_UNDERSTOOD:
            below.append(
                f"{language}: {found['right']:.1%} understood, needs {LEAST_UNDERSTOOD:.0%}"
            )
        if found["alarms_missed"] > MOST_ALARMS_MISSED:
            below.append(
                f"{language}: {found['alarms_missed']} alarms missed, at most {MOST_ALARMS_MISSED}"
            )
        if found["questions_searched"] < LEAST_SEARCHED * found["questions"]:
            below.append(
                f"{language}: {found['questions_searched']} of {found['questions']} questions"
                f" searched for, needs {LEAST_SEARCHED:.0%}"
            )
        if found["language_wrong"] > MOST_IN_OTHER_LANGUAGE * found["n"]:
            below.append(
                f"{language}: {found['language_wrong']} of {found['n']} taken for another language,"
                f" at most {MOST_IN_OTHER_LANGUAGE:.0%}"
            )
    return [*below, *_lost_by_noise(heard, "messages"), *_between_languages(heard, "messages")]


def _lost_by_noise(figures: Figures, what: str) -> list[str]:
    """Return what misspelling costs too much of."""
    return [
        f"{what}, {language}, {name}: {plain['right'] - found[language]['right']:.1%} lost,"
        f" at most {MOST_BY_NOISE:.0%}"
        for language, plain in figures[PLAIN].items()
        for name, found in figures.items()
        if plain["right"] - found[language]["right"] > MOST_BY_NOISE
    ]


def _between_languages(figures: Figures, what: str) -> list[str]:
    rights = [found["right"] for found in figures[PLAIN].values()]
    gap = max(rights) - min(rights)
    if gap <= MOST_BETWEEN_LANGUAGES:
        return []
    return [f"{what}: {gap:.1%} between the languages, at most {MOST_BETWEEN_LANGUAGES:.0%}"]


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return rows as lines of text, in columns."""
    lines = [list(columns), *([_cell(one) for one in row] for row in rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(columns))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if place < 2 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    )


def _cell(value: object) -> str:
    return f"{value:.1%}" if isinstance(value, float) else str(value)


_SEARCH = {
    "right": "right",
    "answered": "answered",
    "answered_wrong": "wrong",
    "wrong_of_answers": "of answers",
    "offered_right": "offered",
    "offered_wrong": "badly",
    "handed_off": "nothing",
    "unanswerable": "no answer",
    "unanswerable_answered": "answered",
}
_MESSAGES = {
    "n": "said",
    "right": "understood",
    "alarms": "alarms",
    "alarms_missed": "missed",
    "false_alarms": "false",
    "reason_right": "reason right",
    "questions": "questions",
    "questions_searched": "searched",
    "language_right": "language",
    "language_wrong": "wrong",
}
_TURNS = {
    "questions": "questions",
    "questions_right": "right",
    "questions_taken_for_else": "misled",
    "out_of_scope": "out of scope",
    "out_of_scope_right": "right",
    "messages": "messages",
    "messages_right": "right",
    "messages_shown_an_article": "article",
    "answers": "answers",
    "answers_wrong": "wrong",
}


def _tables(result: Mapping[str, Any]) -> str:
    search, heard = result["search"], result["messages"]
    parts = [
        f"Questions to the search, at most {result['wrong_per_hundred']:g} wrong in 100",
        _by_language(search, _SEARCH),
        "\nAs written, by tolerance",
        table(
            ["wrong in 100", "language", *_SEARCH.values()],
            [
                [wrong, language, *(found[name] for name in _SEARCH)]
                for wrong, languages in result["by_tolerance"].items()
                for language, found in languages.items()
            ],
        ),
        "\nMessages to the assistant",
        _by_language(heard, _MESSAGES),
        "\nWhole turns, languages together",
        table(
            ["written", "", *_TURNS.values()],
            [
                [name, "", *(found[one] for one in _TURNS)]
                for name, found in result["turns"].items()
            ],
        ),
    ]
    return "\n".join(parts)


def _by_language(figures: Figures, names: Mapping[str, str]) -> str:
    return table(
        ["written", "language", *names.values()],
        [
            [written, language, *(found[name] for name in names)]
            for written, languages in figures.items()
            for language, found in languages.items()
        ],
    )


def _missed(measured: Measured, wrong_per_hundred: float) -> list[str]:
    """Return a line for each thing that went wrong."""
    lines = []
    for name in WRITTEN:
        for one in measured.asked[name]:
            outcome = one.found.outcome(wrong_per_hundred)
            is_right = answers_right.is_right(one.found, outcome)
            if not one.understood.is_searched:
                lines.append(f"{name}: question taken for {_heard(one.understood)}")
            elif not is_right:
                lines.append(f"{name}: {one.found.line(outcome)}")
        lines += [
            f"{name}: {one.understood.message.intent} taken for {_heard(one.understood)}"
            for one in measured.said[name]
            if not one.understood.is_right
        ]
    return lines


def _heard(one: Understood) -> str:
    return f"{one.intent} ({one.confidence:.2f}): {one.message.text}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, write; return 1 below a bar."""
    parser = argparse.ArgumentParser(prog="make evaluate")
    parser.add_argument("--json", type=Path, default=_JSON, metavar="FILE", help=f"default {_JSON}")
    parser.add_argument("--missed", action="store_true", help="print what went wrong")
    parser.add_argument("--wrong-per-hundred", type=float, default=10.0, metavar="N")
    options = parser.parse_args(arguments)
    wrong: float = options.wrong_per_hundred
    with tempfile.TemporaryDirectory(prefix="understood-") as folder:
        try:
            measured = asyncio.run(measure(Path(folder)))
        except subprocess.CalledProcessError:
            print("the assistant's model could not be asked", file=sys.stderr)
            return 1
    search, heard = search_figures(measured, wrong), message_figures(measured)
    turns = turn_figures(measured, wrong)
    below = shortcomings(search, heard, turns, wrong_per_hundred=wrong)
    result = {
        "wrong_per_hundred": wrong,
        "search": search,
        "by_tolerance": {f"{one:g}": search_figures(measured, one)[PLAIN] for one in TOLERANCES},
        "messages": heard,
        "turns": turns,
        "below": below,
    }
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(result, indent=1), "utf-8")
    print(_tables(result))
    print(f"\nas JSON: {options.json}")
    if options.missed:
        print("\n".join(_missed(measured, wrong)), file=sys.stderr)
    for sentence in below:
        print(f"below the bar: {sentence}", file=sys.stderr)
    return 1 if below else 0


if __name__ == "__main__":
    sys.exit(main())
