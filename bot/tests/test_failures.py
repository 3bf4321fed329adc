"""A turn that fails leaves no trace, says so, and can be tried again."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from copy import copy
from pathlib import Path
from typing import Any

import aiohttp
from desk_double import TOKEN
from rasa.core.run import configure_app
from sanic import Sanic

from inputs.desk import DeskInput
from inputs.processor import ActionsInProcess, DeskAgent

TURN: dict[str, Any] = {
    "turn_id": "turn-1",
    "sender_id": "conversation:0",
    "text": "hello",
    "choice": None,
    "language": "en",
    "context": {},
}
Post = Callable[[], Awaitable[tuple[int, dict[str, Any]]]]


@asynccontextmanager
async def served(agent: DeskAgent | None, channel: DeskInput) -> AsyncIterator[Post]:
    """Serve `channel` on a real socket of this process and yield how to post TURN to it."""
    Sanic.test_mode = True  # allows one application after another
    app = configure_app([channel], enable_api=False)
    app.ctx.agent = agent
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/webhooks/desk/turn"
        server = await app.create_server(sock=listening, return_asyncio_server=True)
        await server.startup()
        await server.start_serving()
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {TOKEN}"}) as session:

            async def post() -> tuple[int, dict[str, Any]]:
                async with session.post(url, data=json.dumps(TURN)) as response:
                    return response.status, json.loads(await response.read())

            yield post
        server.close()


def agent_over(loaded: DeskAgent, channel: DeskInput, store: Any = None) -> DeskAgent:
    agent = DeskAgent(domain=loaded.domain, tracker_store=store)
    agent.processor = copy(loaded.processor)
    agent.processor.tracker_store = agent.tracker_store
    agent.processor.lock_store = agent.lock_store
    agent.processor.action_endpoint = ActionsInProcess(channel.executor)
    return agent


def test_without_a_model_the_answer_is_503() -> None:
    async def scenario() -> None:
        async with served(None, DeskInput(TOKEN)) as post:
            status, problem = await post()
            assert status == 503 and problem["status"] == 503

    asyncio.run(scenario())


def test_a_failing_action_is_a_500_and_the_turn_can_be_repeated(loaded: DeskAgent) -> None:
    channel = DeskInput(TOKEN)
    greet = channel.executor.actions["action_greet"]
    failures = [RuntimeError("out of order")]

    def fails_once(dispatcher: Any, tracker: Any, domain: Any) -> Any:
        if failures:
            raise failures.pop()
        return greet(dispatcher, tracker, domain)

    channel.executor.register_function("action_greet", fails_once)
    agent = agent_over(loaded, channel)

    async def scenario() -> None:
        async with served(agent, channel) as post:
            status, problem = await post()
            assert status == 500 and "no trace" in problem["detail"]
            saved = await agent.tracker_store.retrieve(TURN["sender_id"])
            assert saved is None or not saved.events
            status, reply = await post()
            assert status == 200 and not reply["replayed"]
            assert "automated assistant" in reply["output"][0]["text"]

    asyncio.run(scenario())


def test_an_action_without_end_is_a_500(loaded: DeskAgent) -> None:
    channel = DeskInput(TOKEN)

    def goes_on(dispatcher: Any, tracker: Any, domain: Any) -> list[dict[str, Any]]:
        return [{"event": "followup", "name": "action_greet"}]

    channel.executor.register_function("action_greet", goes_on)
    agent = agent_over(loaded, channel)

    async def scenario() -> None:
        async with served(agent, channel) as post:
            assert (await post())[0] == 500

    asyncio.run(scenario())


def test_a_tracker_store_that_is_away_is_a_500_and_no_conversation_is_forgotten(
    loaded: DeskAgent, tmp_path: Path
) -> None:
    """Rasa would go on with an empty conversation in memory."""
    from rasa.core.tracker_store import SQLTrackerStore

    channel = DeskInput(TOKEN)
    database = tmp_path / "conversations.db"
    agent = agent_over(loaded, channel, SQLTrackerStore(db=str(database)))

    async def scenario() -> None:
        async with served(agent, channel) as post:
            assert (await post())[0] == 200
            agent.tracker_store.engine.dispose()
            away = database.rename(tmp_path / "away.db")
            database.mkdir()
            assert (await post())[0] == 500
            database.rmdir()
            agent.tracker_store.engine.dispose()
            away.rename(database)
            status, reply = await post()
            assert status == 200 and reply["replayed"]

    asyncio.run(scenario())
