"""An assistant on loopback that can be taught: the wire format of `bot/inputs/teaching.py`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

TOKEN = "the assistant's token"


def report(*, passed: bool = True) -> dict[str, Any]:
    """Return what is said of a candidate."""
    figures = {"messages": 100, "old": 96, "new": 97 if passed else 90}
    return {
        "passed": passed,
        "reasons": [] if passed else ["language:en"],
        "languages": {"en": figures, "es": figures},
        "taught": {"messages": 0, "old": 0, "new": 0},
        "better": [],
        "worse": [],
        "model": "0123456789abcdef",
        "against": "fedcba9876543210",
        "examples": 1,
        "training_seconds": 60.0,
        "comparing_seconds": 9.0,
    }


@dataclass
class TeachableDouble:
    """What it serves, and what it is asked."""

    url: str = ""
    serves: str = "none"
    trained: set[str] = field(default_factory=lambda: {"none"})
    ordered: dict[str, Any] = field(default_factory=dict)  # sets of examples, by name
    answer: dict[str, Any] | None = None  # to an order; None: it is done and has passed
    status: int = 200  # of every answer
    training_status: int = 200  # of answers to orders

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/webhooks/desk/model", self._told, methods=["GET"]),
                Route("/webhooks/desk/model", self._use, methods=["PUT"]),
                Route("/webhooks/desk/training", self._train, methods=["PUT"]),
            ]
        )

    def _model(self) -> dict[str, Any]:
        return {"model_id": "m", "lessons": self.serves, "intents": ["ask_question", "thanks"]}

    def _refused(self, request: Request) -> Response | None:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return JSONResponse({"detail": "the token is wrong"}, 401)
        return None if self.status == 200 else JSONResponse({"detail": "no"}, self.status)

    async def _told(self, request: Request) -> Response:
        return self._refused(request) or JSONResponse(self._model())

    async def _use(self, request: Request) -> Response:
        name = (await request.json())["lessons"]
        if refused := self._refused(request):
            return refused
        if name not in self.trained:
            return JSONResponse({"detail": "not trained"}, 409)
        self.serves = name
        return JSONResponse(self._model())

    async def _train(self, request: Request) -> Response:
        order = await request.json()
        if refused := self._refused(request):
            return refused
        if self.training_status != 200:
            return JSONResponse({"detail": "no"}, self.training_status)
        self.ordered[order["lessons"]] = order
        if self.answer is not None:
            return JSONResponse(self.answer)
        self.trained.add(order["lessons"])
        return JSONResponse({"state": "done", "report": report(), "detail": ""})


@asynccontextmanager
async def teachable() -> AsyncIterator[TeachableDouble]:
    """Run one while the block runs."""
    double = TeachableDouble()
    server = uvicorn.Server(
        uvicorn.Config(double.app(), host="127.0.0.1", port=0, log_level="warning", lifespan="off")
    )
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0)
    double.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    yield double
    server.should_exit = True
    await serving
