"""Knows how a serving assistant is taught: a candidate is trained beside it, then takes its place.

Training is a process of its own that gives way to all others. Taking the place needs no restart:
the new model is loaded beside the old one, over the same conversations, and the next turn goes to
it; turns under way end with the model they began with.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from rasa.core.agent import Agent

from lessons import (
    NONE,
    BadLessons,
    Lessons,
    choose,
    chosen,
    is_in_training,
    keep,
    kept,
    name_of,
    parse_lessons,
    report_file,
)
from training import BOT, fingerprint, model_name, said_intents

logger = logging.getLogger(__name__)

Successor = Callable[[Agent, Path], Agent]
"""Returns an agent over another model that shares the stores of the one given."""


class NotTrained(LookupError):
    """There is no model of the wanted set of examples here yet."""


class Teaching:
    """What the desk can ask about models of a serving assistant."""

    def __init__(self, model: Path, folder: Path, successor: Successor) -> None:
        """Serve `model` first. `folder` holds what is taught; several assistants may share it."""
        self._folder = folder
        self._first = self._model = model
        self._successor = successor
        self._lessons = self._recognised(model)
        self._changing = asyncio.Lock()
        self._training: dict[str, asyncio.Task[int]] = {}

    def _recognised(self, model: Path) -> str:
        """Return the set of examples that `model` was made of."""
        for path in self._folder.glob("lessons-*.json"):
            lessons = kept(self._folder, path.stem.removeprefix("lessons-"), intents=said_intents())
            if lessons is not None and self._model_of(lessons).name == model.name:
                return lessons.name
        return NONE

    def _model_of(self, lessons: Lessons) -> Path:
        return self._folder / f"{fingerprint(lessons)}.tar.gz"

    def _found(self, lessons: Lessons) -> Path | None:
        """Return the model of `lessons`, if there is one; the release's own may lie elsewhere."""
        made = self._model_of(lessons)
        if made.is_file():
            return made
        return self._first if not lessons.examples else None

    def told(self, agent: Agent | None) -> dict[str, Any]:
        """Return which model serves, and what can be taught."""
        return {
            "model_id": agent.model_id if agent is not None else None,
            "lessons": self._lessons,
            "intents": said_intents(),
        }

    async def train(self, body: Any) -> dict[str, Any]:
        """Begin the training that `body` orders, once; return how far it is.

        Raises:
            BadLessons: see `parse_lessons`.
        """
        lessons = parse_lessons(body, intents=said_intents())
        name = lessons.name
        task = self._training.get(name)
        if task is not None and task.done():
            del self._training[name]  # asked again after a failure, it is tried again
            if task.result() != 0:
                detail = f"training ended with exit code {task.result()}, see the assistant's log"
                return {"state": "failed", "report": None, "detail": detail}
        elif task is not None or is_in_training(self._folder, name):
            return {"state": "running", "report": None, "detail": ""}
        model, report = self._model_of(lessons), self._report(name)
        if model.is_file() and report is not None and report.get("model") == model_name(model):
            return {"state": "done", "report": report, "detail": ""}
        if any(not other.done() for other in self._training.values()):
            return {"state": "busy", "report": None, "detail": "another model is being trained"}
        keep(self._folder, lessons)
        self._training[name] = asyncio.create_task(self._run(name))
        return {"state": "running", "report": None, "detail": ""}

    async def _run(self, name: str) -> int:
        report_file(self._folder, name).unlink(missing_ok=True)
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(BOT / "main.py"),
            "candidate",
            "--into",
            str(self._folder),
            "--lessons",
            name,
            "--against",
            str(self._model),
            stdin=asyncio.subprocess.PIPE,  # its end tells the process that we are gone
        )
        try:
            return await process.wait()
        finally:
            if process.returncode is None:
                process.kill()

    def _report(self, name: str) -> Any:
        try:
            return json.loads(report_file(self._folder, name).read_text("utf-8"))
        except FileNotFoundError:
            return None

    async def follow(self, agent: Agent) -> Agent:
        """Return the agent to serve where another assistant has changed what counts."""
        name = chosen(self._folder)
        if name == self._lessons:
            return agent
        try:
            return await self.use({"lessons": name}, agent)
        except NotTrained:
            return agent  # of an earlier release: the desk has it made again

    async def use(self, body: Any, agent: Agent) -> Agent:
        """Return the agent over the model of the set that `body` names, to serve from now on.

        Raises:
            BadLessons: the body names none.
            NotTrained: its model must be made first.
        """
        name = name_of(body)
        async with self._changing:
            if name == self._lessons:
                return agent
            lessons = kept(self._folder, name, intents=said_intents())
            model = None if lessons is None else self._found(lessons)
            if model is None:
                raise NotTrained(f"there is no model of {name} here yet")
            loop = asyncio.get_running_loop()
            successor = await loop.run_in_executor(None, self._successor, agent, model)
            choose(self._folder, name)
            self._model, self._lessons = model, name
            logger.info("model %s serves from now on", model_name(model))
            return successor


Answer = tuple[int, Mapping[str, Any]]
_Ask = Callable[[Any], Awaitable[Mapping[str, Any]]]


async def answered(ask: _Ask, body: bytes) -> Answer:
    """Return status and body of the answer to a request of the desk about models."""
    try:
        return 200, await ask(json.loads(body))
    except BadLessons as error:
        return 400, _detail(400, str(error))
    except NotTrained as error:
        return 409, _detail(409, str(error))
    except (ValueError, RecursionError):
        return 400, _detail(400, "the body is not JSON")


def _detail(status: int, detail: str) -> Mapping[str, Any]:
    return {"type": "about:blank", "status": status, "detail": detail}
