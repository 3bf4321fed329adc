"""A desk whose supervisor was killed."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import httpx

from tests.support.running_desk import (
    RunningDesk,
    free_port,
    home_with_model,
    running_desk,
)
from tests.support.visitor import Visitor


def client_of(desk: RunningDesk) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=desk.url, trust_env=False, timeout=30.0)


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
