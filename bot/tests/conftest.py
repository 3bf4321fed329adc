"""Fixtures: one trained model a run, one assistant over it."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from assistant_process import BOT, Assistant, assistant_process
from desk_double import KnowledgeServer, knowledge_server

from main import prepare_environment

if TYPE_CHECKING:
    from inputs.processor import DeskAgent

prepare_environment()  # before anything imports Rasa, as the command does

# Else every process that a test starts would compile all that it imports.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

MODELS = BOT / "models"  # ignored by git; a model is trained again only when an input changed


@pytest.fixture(scope="session")
def model() -> Path:
    done = subprocess.run(
        [sys.executable, "main.py", "train", "--into", str(MODELS)],
        cwd=BOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return Path(done.stdout.splitlines()[-1])


@pytest.fixture(scope="session")
def loaded(model: Path) -> DeskAgent:
    """The model in this process. Do not change it; loading takes seconds."""
    from inputs.processor import DeskAgent

    agent = DeskAgent()
    agent.load_model(model)
    gc.freeze()  # it stays: the garbage collector need not look at it with every test
    return agent


@pytest.fixture(scope="session")
def running_desk() -> Iterator[KnowledgeServer]:
    with knowledge_server() as desk:
        yield desk


@pytest.fixture
def desk(running_desk: KnowledgeServer) -> KnowledgeServer:
    running_desk.statuses.clear()
    running_desk.asked.clear()
    running_desk.was_asked.clear()
    running_desk.raw = None
    return running_desk


@pytest.fixture(scope="session")
def running_assistant(model: Path, running_desk: KnowledgeServer) -> Iterator[Assistant]:
    with assistant_process(model, running_desk.url) as assistant:
        yield assistant


@pytest.fixture
def assistant(running_assistant: Assistant, desk: KnowledgeServer) -> Assistant:
    return running_assistant
