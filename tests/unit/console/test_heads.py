"""Programs that only want to know whether something is there are answered as those who read it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
from fastapi import FastAPI
from starlette.responses import PlainTextResponse, Response, StreamingResponse

import console
from console.heads import Heads


def client(app: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://desk.test")


async def test_the_routes_of_the_desk_answer_head_as_get_without_the_body() -> None:
    app = FastAPI()
    console.include_routes(app)
    async with client(app) as http:
        read, looked = await http.get("/healthz"), await http.head("/healthz")
        assert (looked.status_code, looked.content) == (200, b"")
        assert looked.headers == read.headers
        assert (await http.head("/nowhere")).status_code == 404


async def test_of_a_stream_without_an_end_head_has_one() -> None:
    app = FastAPI()
    app.add_middleware(Heads)

    async def said() -> AsyncIterator[bytes]:
        while True:
            yield b"on and on"
            await asyncio.sleep(0)

    @app.get("/stream")
    async def stream() -> Response:
        return StreamingResponse(said())

    @app.post("/change")
    async def change() -> Response:
        return PlainTextResponse("changed")

    async with client(app) as http:
        answer = await http.head("/stream")
        assert (answer.status_code, answer.content) == (200, b"")
        assert (await http.head("/change")).status_code == 405
        assert (await http.post("/change")).text == "changed"
