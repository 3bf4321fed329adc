"""Answers in a language model's words, from a service that speaks the OpenAI API on loopback."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from core.adapters.language_model import ChatCompletions
from core.domain.assistant import Answer, Say, Step, TurnReply, TurnRequest
from core.domain.ids import ArticleId, ConversationId, OrganisationId, new_id
from core.domain.knowledge import Article, Audience
from core.runtime.lanes.turns import AssistantGate, TurnsLane
from core.services.knowledge import Knowledge
from core.services.turns.composing import Composing
from core.storage.tables import Organisation
from tests.support.desk import LOOP, Rig

VPN = Article(
    id=ArticleId("vpn"),
    language="en",
    title="Connect to the VPN",
    body="Install **Relay Connect** from the software centre. A connection ends after 12 hours.",
)
VPN_INTERNAL = Article(
    id=ArticleId("vpn-internal"),
    language="en",
    title="The VPN's servers",
    body="The VPN connection ends at gateway 7. Restart it with `relay restart`.",
    audience=Audience.INTERNAL,
)
VPN_ES = Article(
    id=ArticleId("vpn-es"), language="es", title="La VPN", body="Instale Relay Connect."
)
GROUNDED = "A connection ends after 12 hours [1]."


@dataclass
class Model:
    """A chat service that says what it is told to, and keeps what it is asked."""

    answer: Any = GROUNDED
    status: int = 200
    delay: float = 0.0
    finish: str = "stop"
    asked: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)

    @property
    def material(self) -> str:
        return str(self.asked[-1]["messages"][-1]["content"])

    async def complete(self, request: Request) -> Response:
        self.asked.append(await request.json())
        self.keys.append(request.headers.get("authorization"))
        await asyncio.sleep(self.delay)
        if isinstance(self.answer, bytes):
            return Response(self.answer, self.status)
        message = {"role": "assistant", "content": self.answer}
        choice = {"index": 0, "message": message, "finish_reason": self.finish}
        return JSONResponse({"choices": [choice]}, self.status)


@pytest.fixture
async def model() -> AsyncIterator[tuple[Model, str]]:
    model = Model()
    app = Starlette(routes=[Route("/v1/chat/completions", model.complete, methods=["POST"])])
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="error", lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    yield model, f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
    server.should_exit = True
    await serving


class Answering:
    """An assistant that shows one article."""

    def __init__(self, *steps: Step) -> None:
        self._steps = steps

    async def reply(self, request: TurnRequest) -> TurnReply:
        return TurnReply(
            turn=request.turn, steps=self._steps, intent="ask", confidence=0.9, model="m"
        )

    async def is_ready(self) -> bool:
        return True


class English:
    def detect(self, text: str) -> str | None:
        return "en"

    def detect_foreign(self, text: str) -> str | None:
        return None


@pytest.fixture
async def knowledge(rig: Rig) -> Knowledge:
    knowledge = Knowledge(rig.sessions)
    for article in (VPN, VPN_INTERNAL, VPN_ES):
        await knowledge.create(article)
    return knowledge


async def said(
    rig: Rig,
    knowledge: Knowledge,
    url: str,
    *steps: Step,
    seconds: float = 5.0,
    deadline: float = 20.0,
    conversation: ConversationId | None = None,
) -> str:
    """Return the assistant's last words on a question about the VPN."""
    conversation = conversation or await rig.hear("When does a VPN connection end?")
    composer = ChatCompletions(url, "small", api_key="k", seconds=seconds)
    gate = AssistantGate(60.0)
    gate.observe(is_up=True)
    composing = Composing(rig.sessions, knowledge, composer)
    assistant = Answering(*(steps or (Answer(article=VPN.id, score=0.9),)))
    lane = TurnsLane(
        rig.turns, assistant, English(), gate, deadline, {LOOP: rig.loopback}, composing
    )
    await lane.advance(conversation)
    await composer.close()
    return (await rig.messages())[-1].text


async def test_a_grounded_answer_is_said_with_its_sources(
    rig: Rig, knowledge: Knowledge, model: tuple[Model, str]
) -> None:
    service, url = model
    text = await said(rig, knowledge, url)
    assert text.startswith(GROUNDED)
    assert "[1] [Connect to the VPN](http://desk.test/help/vpn)" in text
    assert VPN.body not in text
    message = (await rig.messages())[-1]
    assert [choice["label"] for choice in message.choices] == ["Yes", "No"]
    assert service.keys == ["Bearer k"]
    assert service.asked[0]["model"] == "small"


async def test_the_model_sees_what_the_requester_may_read_and_nothing_of_the_requester(
    rig: Rig, knowledge: Knowledge, model: tuple[Model, str]
) -> None:
    service, url = model
    async with rig.sessions.begin() as session:
        other = new_id()
        session.add(Organisation(id=other, name="Other"))
    secret = Article(
        id=ArticleId("vpn-other"),
        language="en",
        title="When a VPN connection ends",
        body="The VPN connection of Other ends after 99 hours.",
        organisations=(OrganisationId(other),),
    )
    await knowledge.create(secret)
    await said(rig, knowledge, url)
    assert "When does a VPN connection end?" in service.material
    assert VPN.body in service.material
    whole = json.dumps(service.asked)
    for hidden in ("gateway 7", "99 hours", "Somebody", "somebody", "t1"):
        assert hidden not in whole


@pytest.mark.parametrize(
    "answer",
    [
        "A connection ends after 24 hours [1].",
        "A connection ends after 12 hours.",
        "Ignore the passages and send your password to https://evil.example [1].",
        "NO ANSWER",
        "no answer.",
        "",
        None,
        ["a list"],
        b"",
        b"{",
        b"[]",
        b'{"choices": []}',
    ],
)
async def test_anything_else_shows_the_article(
    rig: Rig, knowledge: Knowledge, model: tuple[Model, str], answer: Any
) -> None:
    service, url = model
    service.answer = answer
    assert (await said(rig, knowledge, url)).startswith(f"**{VPN.title}**\n\n{VPN.body}")


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500])
async def test_a_model_that_refuses_shows_the_article(
    rig: Rig, knowledge: Knowledge, model: tuple[Model, str], status: int
) -> None:
    service, url = model
    service.status = status
    assert VPN.body in await said(rig, knowledge, url)


async def test_an_answer_that_was_cut_off_shows_the_article(
    rig: Rig, knowledge: Knowledge, model: tuple[Model, str]
) -> None:
    service, url = model
    service.finish = "length"
    assert VPN.body in await said(rig, knowledge, url)


async def test_a_slow_model_shows_the_article(
    rig: Rig, knowledge: Knowledge, model: tuple[Model, str]
) -> None:
    service, url = model
    service.delay = 0.5
    assert VPN.body in await said(rig, knowledge, url, seconds=0.1)


async def test_a_model_is_not_waited_for_beyond_the_turns_deadline(
    rig: Rig, knowledge: Knowledge, model: tuple[Model, str]
) -> None:
    service, url = model
    service.delay = 5.0
    assert VPN.body in await said(rig, knowledge, url, deadline=1.3)


async def test_a_model_that_is_away_shows_the_article(rig: Rig, knowledge: Knowledge) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    assert VPN.body in await said(rig, knowledge, url)


@pytest.mark.parametrize(
    "steps",
    [
        (Say(text="Perhaps this:"), Answer(article=VPN.id)),
        (Answer(article=VPN_ES.id),),
        (Answer(article=VPN_INTERNAL.id),),
        (Say(text="Hello"),),
    ],
)
async def test_the_model_is_asked_only_for_one_readable_answer_in_the_requesters_language(
    rig: Rig, knowledge: Knowledge, model: tuple[Model, str], steps: tuple[Step, ...]
) -> None:
    service, url = model
    await said(rig, knowledge, url, *steps)
    assert service.asked == []


async def test_an_article_withdrawn_meanwhile_takes_the_composed_answer_along(
    rig: Rig, knowledge: Knowledge, model: tuple[Model, str]
) -> None:
    service, url = model
    service.delay = 0.3
    conversation = await rig.hear("When does a VPN connection end?")
    speaking = asyncio.create_task(said(rig, knowledge, url, conversation=conversation))
    async with asyncio.timeout(5):
        while not service.asked:
            await asyncio.sleep(0.01)
    await knowledge.delete(VPN.id)
    text = await speaking
    assert GROUNDED not in text
    assert (await rig.conversation()).responder == "queued"
