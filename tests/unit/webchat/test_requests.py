"""The chat's HTTP interface, request by request, without a network."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import httpx
import pytest

from channels.webchat import ids
from channels.webchat.channel import WebChat
from channels.webchat.endpoints import MAX_BODY_BYTES
from core.domain.channel import Outbound
from core.domain.content import Body
from core.domain.conversation import Speaker
from core.domain.events import MessagePosted
from core.domain.ids import ConversationId, MessageId, new_id
from core.ports import Channel, HandlesRequests
from tests.unit.webchat.memory import ACCOUNT, KEY, MemoryDesk, application
from tests.unit.webchat.visitor import Visitor, visit


@pytest.fixture
def desk() -> MemoryDesk:
    return MemoryDesk()


@pytest.fixture
async def http(desk: MemoryDesk) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(application(desk))
    async with httpx.AsyncClient(transport=transport, base_url="http://desk") as client:
        yield client


@pytest.fixture
async def visitor(http: httpx.AsyncClient) -> Visitor:
    return await visit(http)


def test_the_channel_keeps_the_promises_of_its_ports() -> None:
    chat = WebChat(ACCOUNT, KEY)
    assert isinstance(chat, Channel)
    assert isinstance(chat, HandlesRequests)
    assert chat.capabilities.reads_store


async def test_a_delivery_is_named_by_its_message() -> None:
    message = MessageId(new_id())
    receipt = await WebChat(ACCOUNT, KEY).deliver(
        Outbound(
            message=message,
            account=ACCOUNT,
            conversation=ConversationId(new_id()),
            thread=ids.thread_key(uuid4()),
            speaker=Speaker.BOT,
            body=Body(text="Hello"),
        )
    )
    assert receipt.remote_ids == (str(message),)


async def test_receiving_returns_at_once(desk: MemoryDesk) -> None:
    await WebChat(ACCOUNT, KEY).receive(desk)
    assert desk.events == []


async def test_a_message_is_accepted_once_and_answered_alike(
    visitor: Visitor, desk: MemoryDesk
) -> None:
    client_id = str(uuid4())
    first = await visitor.send("Hello", client_id)
    again = await visitor.send("Hello", client_id)
    assert (first.status_code, again.status_code) == (202, 200)
    assert first.json() == again.json() == {"id": client_id, "seq": 1}
    assert len(desk.events) == 1


async def test_another_text_under_a_used_id_is_a_conflict(visitor: Visitor) -> None:
    client_id = str(uuid4())
    await visitor.send("Hello", client_id)
    assert (await visitor.send("Goodbye", client_id)).status_code == 409
    assert [message["text"] for message in await visitor.messages()] == ["Hello"]


async def test_one_id_in_two_sessions_is_two_messages(http: httpx.AsyncClient) -> None:
    client_id = str(uuid4())
    for text in ("one", "two"):
        visitor = await visit(http)
        assert (await visitor.send(text, client_id)).status_code == 202
        assert [message["text"] for message in await visitor.messages()] == [text]


async def test_nothing_is_acknowledged_while_storage_is_away(
    visitor: Visitor, desk: MemoryDesk
) -> None:
    desk.is_down = True
    assert (await visitor.send("Hello")).status_code == 503
    assert (await visitor.press(uuid4())).status_code == 503
    for path in ("/chat/messages", "/chat/events"):
        assert (await visitor.http.get(path, headers=visitor.headers)).status_code == 503


async def test_a_choice_is_pressed_once(visitor: Visitor, desk: MemoryDesk) -> None:
    question = desk.say(visitor.thread, "Did this help?", choices=["Yes", "No"])
    client_id = str(uuid4())
    first = await visitor.press(question.choices[0].id, client_id)
    again = await visitor.press(question.choices[0].id, client_id)
    other = await visitor.press(question.choices[1].id, client_id)
    assert (first.status_code, again.status_code, other.status_code) == (202, 200, 409)
    assert first.json() == again.json() == {"id": client_id, "seq": 2}
    asked, said = await visitor.messages()
    assert asked["chosen"] == str(question.choices[0].id)
    assert (said["from"], said["text"]) == ("customer", "Yes")


async def test_a_question_is_answered_once(visitor: Visitor, desk: MemoryDesk) -> None:
    question = desk.say(visitor.thread, "Did this help?", choices=["Yes", "No"])
    assert (await visitor.press(question.choices[0].id)).status_code == 202
    for choice in question.choices:
        assert (await visitor.press(choice.id)).status_code == 409
    assert len(await visitor.messages()) == 2


async def test_an_unknown_or_foreign_choice_is_not_found(
    http: httpx.AsyncClient, visitor: Visitor, desk: MemoryDesk
) -> None:
    other = await visit(http)
    foreign = desk.say(other.thread, "Did this help?", choices=["Yes"]).choices[0].id
    for choice in (foreign, uuid4(), "yes", ""):
        client_id = str(uuid4())
        for _ in range(2):
            assert (await visitor.press(choice, client_id)).status_code == 404


async def test_messages_are_read_from_a_sequence_number_on(
    visitor: Visitor, desk: MemoryDesk
) -> None:
    for number in range(450):
        desk.say(visitor.thread, str(number))
    assert [message["seq"] for message in await visitor.messages()] == list(range(1, 451))
    assert [message["seq"] for message in await visitor.messages(448)] == [449, 450]
    assert await visitor.messages(2**63 - 1) == []


async def test_a_very_long_thread_is_read_in_parts(visitor: Visitor, desk: MemoryDesk) -> None:
    for number in range(2_001):
        desk.say(visitor.thread, str(number))
    first = (await visitor.http.get("/chat/messages", headers=visitor.headers)).json()
    assert (len(first["messages"]), first["more"]) == (2_000, True)
    assert len(await visitor.messages(first["messages"][-1]["seq"])) == 1


@pytest.mark.parametrize("after", ["-1", "x", "1.5", "9" * 40])
@pytest.mark.parametrize("path", ["/chat/messages", "/chat/events"])
async def test_a_wrong_position_is_refused(visitor: Visitor, path: str, after: str) -> None:
    response = await visitor.http.get(path, params={"after": after}, headers=visitor.headers)
    assert response.status_code == 422


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", "Bearer x", "Basic eDp5", "Bearer " + "A" * 72]
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/chat/messages"),
        ("POST", "/chat/choices"),
        ("GET", "/chat/messages"),
        ("GET", "/chat/events"),
    ],
)
async def test_without_a_token_of_ours_nothing_is_open(
    http: httpx.AsyncClient, method: str, path: str, header: str | None
) -> None:
    headers = {} if header is None else {"Authorization": header}
    assert (await http.request(method, path, headers=headers)).status_code == 401


async def test_an_expired_token_is_refused(desk: MemoryDesk) -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    transport = httpx.ASGITransport(application(desk, WebChat(ACCOUNT, KEY, clock=lambda: now)))
    async with httpx.AsyncClient(transport=transport, base_url="http://desk") as client:
        visitor = await visit(client)
        assert (await visitor.send("Hello")).status_code == 202
        now += timedelta(days=400)
        assert (await visitor.send("Hello")).status_code == 401


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"{",
        b"\xff\xfe\x00",
        b"[" * 50_000,
        rb'{"id": "6f1c2c6e-45a1-4b1e-8f5e-0a6d2b5d7c11", "text": "\ud83d"}',
        b'{"id": "6f1c2c6e-45a1-4b1e-8f5e-0a6d2b5d7c11", "text": "  "}',
        b'{"id": "6f1c2c6e-45a1-4b1e-8f5e-0a6d2b5d7c11", "text": {"a": 1}}',
        b'{"id": 1, "text": "Hello", "choice": "x"}',
    ],
)
@pytest.mark.parametrize("path", ["/chat/messages", "/chat/choices"])
async def test_a_wrong_body_is_a_problem_of_the_caller(
    visitor: Visitor, desk: MemoryDesk, path: str, content: bytes
) -> None:
    response = await visitor.http.post(path, content=content, headers=visitor.headers)
    assert response.status_code == 422
    assert desk.events == []


async def test_a_body_is_not_read_past_the_limit(visitor: Visitor, desk: MemoryDesk) -> None:
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 16_384
            yield b" " * 16_384

    for path in ("/chat/messages", "/chat/choices", "/chat/sessions"):
        read = 0
        response = await visitor.http.post(path, content=endless(), headers=visitor.headers)
        assert response.status_code == 413
        assert read <= MAX_BODY_BYTES + 2 * 16_384
        response = await visitor.http.post(
            path, content=b" " * (MAX_BODY_BYTES + 1), headers=visitor.headers
        )
        assert response.status_code == 413
    assert desk.events == []


async def test_a_text_over_the_limit_is_too_large(visitor: Visitor) -> None:
    assert (await visitor.send("a" * 200_001)).status_code == 413


async def test_nul_is_taken_out_of_a_text(visitor: Visitor) -> None:
    assert (await visitor.send("a\0b")).status_code == 202
    assert (await visitor.messages())[0]["text"] == "ab"


@pytest.mark.parametrize(
    ("content", "accept", "language"),
    [
        (b'{"language": "es"}', "en", "es"),
        (b"{}", "es-ES", "es"),
        (b"", "es-ES", "es"),
        (b"", "", "en"),
        (b'{"language": "fr-CA"}', "", "fr"),
    ],
)
async def test_a_session_keeps_the_language_of_its_page(
    http: httpx.AsyncClient, desk: MemoryDesk, content: bytes, accept: str, language: str
) -> None:
    headers = {"Accept-Language": accept}
    opened = await http.post("/chat/sessions", content=content, headers=headers)
    visitor = Visitor(http, **opened.json())
    await visitor.send("Hola")
    assert desk.events[-1].author.language == language


@pytest.mark.parametrize("content", [b"[]", b"x", b'{"language": 1}', b'{"language": "e\\u0000"}'])
async def test_a_wrong_session_request_is_refused(http: httpx.AsyncClient, content: bytes) -> None:
    assert (await http.post("/chat/sessions", content=content)).status_code == 422


async def test_the_event_keeps_the_request_as_it_came(visitor: Visitor, desk: MemoryDesk) -> None:
    raw = json.dumps({"id": str(uuid4()), "text": " Hi ", "later": True}).encode()
    await visitor.http.post("/chat/messages", content=raw, headers=visitor.headers)
    (event,) = desk.events
    assert isinstance(event, MessagePosted)
    assert (event.raw, event.body.text, UUID(event.thread)) == (raw, "Hi", UUID(visitor.session))


async def test_answers_are_not_kept_by_caches(visitor: Visitor) -> None:
    for response in (
        await visitor.http.post("/chat/sessions"),
        await visitor.send("Hello"),
        await visitor.http.get("/chat/messages", headers=visitor.headers),
    ):
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["x-content-type-options"] == "nosniff"
