"""An assistant that serves is taught: asked about its model, and given another one."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from assistant_process import BOT, Assistant, Reply, _send, assistant_process
from desk_double import TOKEN, KnowledgeServer

import intent_evaluation as evaluation
from candidate import as_lines, compared, held_back
from lessons import Example, Lessons, choose, chosen, keep
from training import chosen_lessons, fingerprint, model_in, model_name, said_intents

PATIENCE_SECONDS = 300  # a training gives way to everything else

TAUGHT = Lessons(
    name="0123456789abcdef",
    examples=(Example(text="ta very much indeed", intent="thanks", language="en"),),
    held_back=(Example(text="cheers for that", intent="thanks", language="en"),),
)

THANKS = ("ta very much indeed", "ta ever so much", "well ta for that")

FEW_EXAMPLES = """
version: "3.1"
nlu:
  - intent: greet
    examples: |
      - hello
      - hi
      - good morning
      - hola
      - buenos días
  - intent: thanks
    examples: |
      - thank you
      - thanks a lot
      - gracias
      - muchas gracias
  - intent: ask_question
    examples: |
      - how do I print
      - the vpn does not connect
      - where is my payslip
      - cómo reservo una sala
      - la impresora no imprime
"""
FEW_HELD_BACK = """
en:
  greet: [hello there]
  ask_question: [how do I book a room]
es:
  thanks: [mil gracias]
  ask_question: [la vpn no se conecta]
"""


def asked(assistant: Assistant, method: str, path: str, body: Any = None) -> Reply:
    request = urllib.request.Request(
        f"{assistant.url}/webhooks/desk/{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {TOKEN}"},
        method=method,
    )
    return _send(request)


@pytest.fixture
def folder(model: Path, tmp_path: Path) -> Path:
    """A folder with the release's model, and a copy of it in place of what would be trained."""
    shutil.copy(model, tmp_path / model.name)
    keep(tmp_path, TAUGHT)
    shutil.copy(model, tmp_path / f"{fingerprint(TAUGHT)}.tar.gz")
    return tmp_path


def test_another_model_takes_over_between_two_turns_and_the_conversation_goes_on(
    model: Path, folder: Path, desk: KnowledgeServer
) -> None:
    with assistant_process(folder / model.name, desk.url) as assistant:
        told = asked(assistant, "GET", "model").body
        assert (told["lessons"], told["model_id"]) == ("none", assistant.health().body["model_id"])
        assert "thanks" in told["intents"] and "form_answer" not in told["intents"]

        untrained = asked(assistant, "PUT", "model", {"lessons": "f" * 16})
        assert untrained.status == 409
        assert asked(assistant, "PUT", "model", {"lessons": "../x"}).status == 400
        assert asked(assistant, "PUT", "training", {"lessons": "none", "examples": 1}).status == 400

        talk = assistant.talk()
        assert "Hello" in talk.say("hello").said
        with ThreadPoolExecutor(1) as pool:  # turns are answered while the other one is loaded
            changing = pool.submit(asked, assistant, "PUT", "model", {"lessons": TAUGHT.name})
            while not changing.done():
                assert assistant.talk().say("hello").status == 200
            assert changing.result().body["lessons"] == TAUGHT.name
        assert "Hello again" in talk.say("hello").said  # it knows what was said before
        assert chosen(folder) == TAUGHT.name
        assert model_in(folder, chosen_lessons(folder)).name == f"{fingerprint(TAUGHT)}.tar.gz"

        choose(folder, "none")  # as another assistant that shares the folder does
        _until(lambda: asked(assistant, "GET", "model").body["lessons"] == "none")
        assert "Hello again" in talk.say("hello").said


@pytest.fixture
def small_program(tmp_path: Path) -> Path:
    """The assistant's program with few examples, so that it is trained within seconds."""
    program = tmp_path / "project" / BOT.name
    others = shutil.ignore_patterns(".*", "__pycache__", "models", "tests")
    shutil.copytree(BOT, program, ignore=others)
    shutil.copy(BOT.parent / "config.yml", program.parent)
    for place, text in (("nlu/few.yml", FEW_EXAMPLES), ("held_back/few.yml", FEW_HELD_BACK)):
        file = program.parent / "nlu_data" / place
        file.parent.mkdir(parents=True)
        file.write_text(text, encoding="utf-8")
    return program


def test_a_set_is_trained_beside_the_turns_compared_and_then_served(
    small_program: Path, desk: KnowledgeServer
) -> None:
    models = small_program.parent / "models"
    made = subprocess.run(
        [sys.executable, "main.py", "train", "--into", str(models)],
        cwd=small_program,
        check=True,
        capture_output=True,
        text=True,
    )
    release = Path(made.stdout.splitlines()[-1])
    rows = [{"text": text, "intent": "thanks", "language": "en"} for text in THANKS]
    order = {"lessons": TAUGHT.name, "examples": rows, "held_back": rows[:1]}
    with assistant_process(release, desk.url, program=small_program) as assistant:
        before = assistant.talk().say(THANKS[0]).said
        assert asked(assistant, "PUT", "training", order).body["state"] == "running"
        other = {"lessons": "f" * 16, "examples": [], "held_back": []}
        assert asked(assistant, "PUT", "training", other).body["state"] == "busy"
        assert "Hello" in assistant.talk().say("hello").said
        report = _trained(assistant, order)["report"]
        assert asked(assistant, "GET", "model").body["lessons"] == "none"  # until it is told to
        assert report["passed"]
        assert (report["examples"], report["against"]) == (3, model_name(release))
        assert report["taught"] == {"messages": 1, "old": 0, "new": 1}
        compared_with = {name: row["messages"] for name, row in report["languages"].items()}
        assert compared_with == {"en": 2, "es": 2}

        served = asked(assistant, "PUT", "model", {"lessons": TAUGHT.name})
        assert (served.status, served.body["lessons"]) == (200, TAUGHT.name)
        after = assistant.talk().say(THANKS[0]).said
        assert after != before and after == assistant.talk().say("thank you").said

        trained_at = release.stat().st_mtime_ns
        nothing = {"lessons": "none", "examples": [], "held_back": []}
        assert _trained(assistant, nothing)["report"]["model"] == model_name(release)
        assert release.stat().st_mtime_ns == trained_at  # it was there already


def _trained(assistant: Assistant, order: dict[str, Any]) -> dict[str, Any]:
    """Order a training and return what is said of it once it is no longer running."""
    told: dict[str, Any] = {}

    def is_over() -> bool:
        told.update(asked(assistant, "PUT", "training", order).body)
        return bool(told["state"] != "running")

    _until(is_over)
    assert told["state"] == "done", told
    return told


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.2)


@pytest.mark.filterwarnings("ignore")  # Rasa warns of an entity-less model of few examples
def test_a_model_that_has_learned_little_does_not_pass(model: Path, tmp_path: Path) -> None:
    known = [
        ("hello", "greet"),
        ("hi", "greet"),
        ("good morning", "greet"),
        ("thanks", "thanks"),
        ("thank you", "thanks"),
        ("gracias", "thanks"),
        ("how do I print", "ask_question"),
        ("vpn does not connect", "ask_question"),
        ("where is my payslip", "ask_question"),
    ]
    examples = [evaluation.Example(text, intent) for text, intent in known]
    little = evaluation.trained_on(BOT.parent / "config.yml", examples, tmp_path)
    found = compared(model, Path(little), TAUGHT)
    assert not found["passed"]
    assert {"language:en", "language:es", "alarm_missed"} <= set(found["reasons"])
    languages: dict[str, dict[str, int]] = found["languages"]
    for figures in languages.values():
        assert figures["messages"] > 100
        assert figures["old"] > 0.9 * figures["messages"] > figures["new"]
    lines = as_lines({**found, "model": "new", "against": "old"})
    assert lines[0] == "model new against old"
    assert lines[-1].startswith("not passed: language:en")
    alone = as_lines({**found, "model": "first", "against": "first"})
    assert alone[0] == "model first; there was none before: the next is compared with it"


def test_what_is_held_back_has_intents_of_the_assistant() -> None:
    assert {example.intent for example in held_back()} <= set(said_intents())
