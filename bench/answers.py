"""How long a question waits for its answer: the desk's web chat beside bare Rasa."""

from __future__ import annotations

from pathlib import Path

from bench import bare_rasa, chat
from bench.desk import RunningDesk
from bench.questions import distinct_questions
from bench.report import Figure, at_most
from bench.timings import in_ms, median

_WARM_UP = 15
_BLOCK = 10
_TARGET = 2.0


async def compare(desk: RunningDesk, folder: Path, *, bot_token: str, each: int) -> list[Figure]:
    """Ask the desk and bare Rasa `each` questions, block by block in turn."""
    questions = distinct_questions(2 * (each + _WARM_UP))
    by_desk: list[float] = []
    by_rasa: list[float] = []
    async with bare_rasa.bare_rasa(
        folder, model=desk.model, desk_url=f"http://127.0.0.1:{desk.port}", bot_token=bot_token
    ) as rasa:
        for _ in range(_WARM_UP):
            await _ask_desk(desk.port, questions.pop())
            await rasa.ask(questions.pop())
        for start in range(0, each, _BLOCK):
            size = min(_BLOCK, each - start)
            for _ in range(size):
                seconds, is_answer = await _ask_desk(desk.port, questions.pop())
                if is_answer:
                    by_desk.append(seconds)
            for _ in range(size):
                seconds, answer = await rasa.ask(questions.pop())
                if bare_rasa.shows_an_article(answer):
                    by_rasa.append(seconds)
    return [
        Figure(
            what="question → knowledge answer, bare `rasa run` (REST, all in memory)",
            measured=f"{in_ms(by_rasa)} ({len(by_rasa)} answers to {each} questions)",
        ),
        Figure(
            what="question → knowledge answer, the desk's web chat (all stored)",
            measured=f"{in_ms(by_desk)} ({len(by_desk)} answers to {each} questions)",
        ),
        at_most(
            "… the desk's p50 over bare Rasa's", median(by_desk) / median(by_rasa), _TARGET, "x"
        ),
    ]


async def _ask_desk(port: int, question: str) -> tuple[float, bool]:
    async with chat.open_page(port) as page:
        seconds, event = await page.ask(question)
        return seconds, chat.shows_an_article(event)
