"""The assistant as the desk runs it: a process of its own, spoken to over HTTP."""

from __future__ import annotations

import json
import os
import random
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from desk_double import TOKEN

BOT = Path(__file__).resolve().parent.parent
READY_SECONDS = 90
TICKETS = [
    {
        "number": 1042,
        "status": "open",
        "subject": "Broken chair",
        "created_at": "2026-01-01T08:00:00Z",
        "updated_at": "2026-01-02T09:00:00Z",
    }
]


@dataclass
class Reply:
    status: int
    body: dict[str, Any]

    @property
    def said(self) -> str:
        return "\n".join(o["text"] for o in self.body["output"] if o["type"] == "say")

    @property
    def choices(self) -> list[dict[str, Any]]:
        return [c for o in self.body["output"] if o["type"] == "say" for c in o["choices"]]

    @property
    def commands(self) -> list[str]:
        return [o["name"] for o in self.body["output"] if o["type"] == "command"]

    def args(self, command: str) -> dict[str, Any]:
        for output in self.body["output"]:
            if output["type"] == "command" and output["name"] == command:
                args: dict[str, Any] = output["args"]
                return args
        raise AssertionError(f"no {command} in {self.body['output']}")


@dataclass
class Assistant:
    url: str
    process: subprocess.Popen[bytes]

    def post(self, body: bytes, *, token: str | None = TOKEN, path: str = "turn") -> Reply:
        request = urllib.request.Request(f"{self.url}/webhooks/desk/{path}", data=body)
        if token is not None:
            request.add_header("Authorization", f"Bearer {token}")
        return _send(request)

    def health(self) -> Reply:
        return _send(urllib.request.Request(f"{self.url}/webhooks/desk/health"))

    def talk(self, language: str = "en", **context: Any) -> Conversation:
        return Conversation(self, f"{uuid4()}:0", language, {"tickets": TICKETS, **context})


@dataclass
class Conversation:
    assistant: Assistant
    sender_id: str
    language: str
    context: Mapping[str, Any]

    def say(self, text: str, *, turn_id: str | None = None) -> Reply:
        return self._turn(text, None, turn_id)

    def press(self, choice: Mapping[str, Any], *, turn_id: str | None = None) -> Reply:
        chosen = {"intent": choice["intent"], "entities": choice.get("entities", {})}
        return self._turn(choice.get("label", "a button"), chosen, turn_id)

    def _turn(self, text: str, choice: Mapping[str, Any] | None, turn_id: str | None) -> Reply:
        body = {
            "turn_id": turn_id or str(uuid4()),
            "sender_id": self.sender_id,
            "text": text,
            "choice": choice,
            "language": self.language,
            "context": self.context,
        }
        reply = self.assistant.post(json.dumps(body).encode())
        assert reply.status == 200, reply.body
        return reply


@contextmanager
def assistant_process(
    model: Path, desk_url: str, *, ready: bool = True, program: Path = BOT, **environment: str
) -> Iterator[Assistant]:
    """Run the assistant in the folder `program` until the block ends."""
    port = _free_port()
    process = subprocess.Popen(
        [sys.executable, "main.py", "serve", "--model", str(model), "--port", str(port)],
        cwd=program,
        env={**os.environ, "BOT_TOKEN": TOKEN, "DESK_URL": desk_url, **environment},
        stdin=subprocess.PIPE,
    )
    assistant = Assistant(f"http://127.0.0.1:{port}", process)
    try:
        if ready:
            _wait_until_ready(assistant)
        yield assistant
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(timeout=30)
        if process.stdin is not None:
            process.stdin.close()


def _wait_until_ready(assistant: Assistant) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        assert assistant.process.poll() is None, "the assistant stopped while it started"
        try:
            if assistant.health().status == 200:
                return
        except OSError:
            pass  # not listening yet
        time.sleep(0.1)
    raise AssertionError(f"the assistant was not ready after {READY_SECONDS} s")


def _send(request: urllib.request.Request) -> Reply:
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return Reply(response.status, json.load(response))
    except urllib.error.HTTPError as error:
        with error:
            return Reply(error.code, json.load(error))


def _free_port() -> int:
    """Return a port below those of outgoing connections, which could take it before it is used."""
    for port in random.sample(range(20_000, 32_768), 100):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError("no port is free")
