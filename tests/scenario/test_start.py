"""The first minutes of a desk, and of one whose supervisor was killed."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import httpx

from tests.support.running_desk import (
    RunningDesk,
    desk_command,
    free_port,
    home_with_model,
    running_desk,
)
from tests.support.visitor import Visitor, texts


def client_of(desk: RunningDesk) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=desk.url, trust_env=False, timeout=30.0)


async def test_a_desk_takes_messages_before_it_is_ready_and_answers_them_then(
    trained: Path, tmp_path: Path
) -> None:
    home = home_with_model(tmp_path / "home", trained)
    async with running_desk(home, free_port()) as desk:
        await desk.until_it_takes_messages()
        async with client_of(desk) as http:
            visitors = [await Visitor.arrive(http, language) for language in ("en", "es", "en")]
            words = ("hello", "hola", "thanks")
            asked = [await v.say(text) for v, text in zip(visitors, words, strict=True)]
            assert (await http.get("/healthz")).status_code == 200
            response = await http.get("/readyz")
            assert response.status_code == 503
            state = response.json()
            assert (state["ready"], state["components"]["assistant"]) == (False, "down")
            assert not any(line.startswith("ready ") for line in desk.lines)

            code, _, errors = await desk_command(home, free_port(), "run")
            assert code == 1
            assert "already runs" in errors

            await desk.until_ready()
            for visitor, seq in zip(visitors, asked, strict=True):
                answer = await visitor.answers_after(seq)
                assert [message["from"] for message in answer] == ["bot"]
            assert "Hola" in texts(await visitors[1].messages())

            async def announced() -> bool:
                return f"ready {desk.url}" in desk.lines

            await desk.wait_until(announced, "the desk does not say that it is ready")


async def test_a_killed_supervisor_loses_nothing(trained: Path, tmp_path: Path) -> None:
    home = home_with_model(tmp_path / "home", trained)
    port, name = free_port(), uuid4()
    async with running_desk(home, port) as desk:
        await desk.until_it_takes_messages()
        async with client_of(desk) as http:
            visitor = await Visitor.arrive(http)
            first = await visitor.post("hello", name)
            await visitor.say("How do I connect to the VPN?")
        desk.process.kill()
        await desk.process.wait()
    async with running_desk(home, port) as desk:
        await desk.until_it_takes_messages()
        assert desk.says("took over PostgreSQL")
        async with client_of(desk) as http:
            visitor = Visitor(http, visitor.session, visitor.token)
            again = await visitor.post("hello", name)
            assert (again.status_code, again.json()) == (200, first.json())
            said = [m["text"] for m in await visitor.messages() if m["from"] == "customer"]
            assert said == ["hello", "How do I connect to the VPN?"]
            await desk.until_ready()
            assert await visitor.answers_after(0)
