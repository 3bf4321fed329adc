"""Every error becomes a problem document with the right status and nothing it should not tell."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI, HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message

from console.problems import MAX_BODY_BYTES, install, problem_of
from core.domain import errors
from core.domain.errors import DeskError
from core.storage.engine import open_engine, sessions_of
from tests.integration.console.world import build_desk

SECRET = "postgresql://user:password@host/database"


def application(error: Exception) -> FastAPI:
    app = FastAPI()
    install(app)

    async def fail(_: Request) -> Response:
        raise error

    async def read(request: Request) -> Response:
        return Response(str(len(await request.body())))

    app.router.routes += [Route("/fail", fail), Route("/read", read, methods=["POST"])]
    return app


def client(app: FastAPI) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://desk.test")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.IllegalTransition("ticket", "closed", "a reply"), 409),
        (errors.NotFound("x"), 404),
        (errors.Conflict("x"), 409),
        (errors.InvalidInput("x"), 422),
        (errors.TooLarge("x"), 413),
        (errors.Unauthenticated("x"), 401),
        (errors.Forbidden("x"), 403),
        (errors.TooManyAttempts(7), 429),
        (errors.Busy(3), 503),
        (errors.StorageUnavailable(SECRET), 503),
        (errors.UnknownPayload("x"), 400),
        (errors.AssistantLoading(SECRET), 503),
        (errors.AssistantFailed(SECRET), 503),
        (errors.EmbedderUnavailable(SECRET), 503),
        (errors.Throttled(3), 503),
        (errors.Rejected("x"), 502),
        (errors.DeskError("x"), 400),
        (HTTPException(418, "x"), 418),
        (RuntimeError(SECRET), 500),
    ],
)
async def test_an_error_has_its_status_and_keeps_its_secrets(error: Exception, status: int) -> None:
    async with client(application(error)) as asking:
        answer = await asking.get("/fail")
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status
    assert answer.json()["title"]
    assert SECRET not in answer.text
    assert "Traceback" not in answer.text


@pytest.mark.parametrize("path", ["/console/files", "/api/v1/files", "/chat/files"])
async def test_files_are_larger_than_other_bodies_wherever_they_are_handed_in(path: str) -> None:
    app = FastAPI()
    install(app, max_file_bytes=3 * MAX_BODY_BYTES)

    async def read(request: Request) -> Response:
        return Response(str(len(await request.body())))

    app.router.routes.append(Route(path, read, methods=["POST"]))
    async with client(app) as asking:
        taken = await asking.post(path, content=b"x" * 2 * MAX_BODY_BYTES)
        refused = await asking.post(path, content=b"x" * 4 * MAX_BODY_BYTES)
    assert (taken.status_code, refused.status_code) == (200, 413)


def test_no_error_of_the_desk_is_forgotten() -> None:
    """Each class, also one added later, has a status of its own meaning."""

    def kinds(kind: type[DeskError]) -> set[type[DeskError]]:
        return {kind}.union(*(kinds(below) for below in kind.__subclasses__()))

    for kind in kinds(DeskError) - {DeskError}:
        error = kind.__new__(kind)
        Exception.__init__(error, "x")
        error.__dict__["retry_after"] = 1.0
        assert problem_of(error).status != 500
        is_ours = kind.__module__ == errors.__name__
        assert not is_ours or problem_of(error).status != 400 or kind is errors.UnknownPayload


async def test_waiting_is_told_in_seconds() -> None:
    async with client(application(errors.TooManyAttempts(6.6))) as asking:
        assert (await asking.get("/fail")).headers["retry-after"] == "7"
    async with client(application(errors.StorageUnavailable("x"))) as asking:
        assert int((await asking.get("/fail")).headers["retry-after"]) > 0


async def test_a_body_of_any_kind_has_a_limit() -> None:
    async with client(application(RuntimeError())) as asking:
        fits = await asking.post("/read", content=b"x" * MAX_BODY_BYTES)
        assert fits.text == str(MAX_BODY_BYTES)
        declared = await asking.post("/read", content=b"x" * (MAX_BODY_BYTES + 1))
        assert declared.status_code == 413

        async def pieces() -> object:
            for _ in range(20):
                yield b"x" * 100_000

        assert (await asking.post("/read", content=pieces())).status_code == 413  # type: ignore[arg-type]


async def test_who_leaves_before_all_was_sent_is_no_error_of_ours() -> None:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/read",
        "query_string": b"",
        "headers": [],
    }
    await application(RuntimeError())(scope, receive, send)
    assert sent[0]["status"] == 400


async def test_without_a_database_the_desk_says_so(tmp_path: Path) -> None:
    url = "postgresql://postgres@127.0.0.1:1/desk"  # nobody listens on this port
    engine = open_engine(url)
    desk = build_desk(sessions_of(engine), url, tmp_path)
    async with desk.client(Authorization="Bearer x") as asking:
        for path in ("/api/v1/tickets", "/console/events"):
            answer = await asking.get(path)
            assert answer.status_code == 503
            assert answer.headers["content-type"] == "application/problem+json"
            assert "retry-after" in answer.headers
        page = await asking.get("/console/queue")
        assert page.status_code == 503
        assert "cannot reach its database" in page.text
        assert (await asking.get("/healthz")).status_code == 200
    await engine.dispose()
