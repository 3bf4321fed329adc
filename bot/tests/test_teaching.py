"""An assistant that serves is taught: asked about its model, and given another one."""

from __future__ import annotations

import json
import shutil
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from assistant_process import Assistant, Reply, _send, assistant_process
from desk_double import TOKEN, KnowledgeServer

from candidate import as_lines, compared, held_back
from lessons import Example, Lessons, chosen, keep, report_file
from training import chosen_lessons, fingerprint, model_in, said_intents

TAUGHT = Lessons(
    name="0123456789abcdef",
    examples=(Example(text="ta very much indeed", intent="thanks", language="en"),),
    held_back=(Example(text="cheers for that", intent="thanks", language="en"),),
)


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


def test_a_model_is_compared_by_what_neither_has_learned(model: Path, tmp_path: Path) -> None:
    found = compared(model, model, TAUGHT)
    assert found["passed"] and not found["better"] and not found["worse"]
    languages: dict[str, dict[str, int]] = found["languages"]
    assert languages["en"]["messages"] > 100 and languages["es"]["messages"] > 100
    for figures in languages.values():
        assert figures["old"] == figures["new"] > 0.9 * figures["messages"]
    assert not report_file(tmp_path, TAUGHT.name).exists()
    (first, *_, last) = as_lines({**found, "model": "new", "against": "old"})
    assert (first, last) == ("model new against old", "passed")


def test_what_is_held_back_has_intents_of_the_assistant() -> None:
    assert {example.intent for example in held_back()} <= set(said_intents())
