"""`main.py` as the desk runs it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from assistant_process import BOT, assistant_process
from desk_double import KnowledgeServer

STOP_SECONDS = 3  # after that whoever started it kills it; a quiet machine needs half a second


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "main.py", *arguments],
        cwd=BOT,
        env={name: value for name, value in os.environ.items() if name != "BOT_TOKEN"}
        | environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_trained_model_is_found_without_rasa(model: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "main.py", "train", "--into", str(model.parent)],
        cwd=BOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"{model}\n"
    assert "tensorflow" not in done.stderr and "rasa" not in done.stderr


def test_serving_without_a_token_is_refused(model: Path) -> None:
    done = run("serve", "--model", str(model))
    assert done.returncode != 0 and "BOT_TOKEN" in done.stderr


def test_serving_without_a_model_is_refused(tmp_path: Path) -> None:
    done = run("serve", "--model", str(tmp_path / "none.tar.gz"), BOT_TOKEN="t")
    assert done.returncode != 0 and "no model" in done.stderr


def test_a_supervised_assistant_goes_when_its_starter_goes(
    model: Path, desk: KnowledgeServer
) -> None:
    with assistant_process(model, desk.url, ready=False, DESK_SUPERVISED="1") as assistant:
        assert assistant.process.stdin is not None
        assistant.process.stdin.close()
        assistant.process.wait(timeout=20)


def test_sigterm_stops_it_at_once_also_within_a_turn(model: Path, desk: KnowledgeServer) -> None:
    desk.statuses = [503] * 20
    with assistant_process(model, desk.url) as assistant, ThreadPoolExecutor(1) as pool:
        turn = pool.submit(assistant.talk().say, "vpn")
        assert desk.was_asked.wait(timeout=30)
        assistant.process.send_signal(signal.SIGTERM)
        assert assistant.process.wait(timeout=STOP_SECONDS) == 0
        assert isinstance(turn.exception(timeout=30), OSError)  # the desk asks again
