"""Customers follow links to what agents sent, nobody else can; and send files of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import uuid4

import httpx
import pytest

from channels.webchat.channel import WebChat
from core.domain.content import FileRef
from core.domain.conversation import Speaker
from core.domain.errors import Rejected
from core.domain.events import MessagePosted
from core.ports import FetchesFiles, TranscriptFile
from tests.unit.webchat.memory import ACCOUNT, KEY, MemoryDeposit, MemoryDesk, application
from tests.unit.webchat.visitor import Visitor, visit

GUIDE = b"%PDF-1.7 a guide"


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


async def sent(desk: MemoryDesk, visitor: Visitor, media_type: str = "application/pdf") -> str:
    """Let an agent send a file; return the link that the visitor is shown."""
    file = TranscriptFile(id=uuid4(), name="guía.pdf", media_type=media_type, size_bytes=len(GUIDE))
    desk.files[file.id] = GUIDE
    desk.say(visitor.thread, "", speaker=Speaker.AGENT, name="Ana", files=[file])
    (message,) = await visitor.messages()
    (shown,) = message["files"]
    assert shown["name"] == "guía.pdf"
    assert shown["size"] == len(GUIDE)
    return str(shown["url"])


async def test_a_link_gives_the_file_without_a_token(desk: MemoryDesk, visitor: Visitor) -> None:
    answer = await visitor.http.get(await sent(desk, visitor))
    assert (answer.status_code, answer.content) == (200, GUIDE)
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"].startswith('attachment; filename="gu_a.pdf"')
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_a_picture_is_shown(desk: MemoryDesk, visitor: Visitor) -> None:
    answer = await visitor.http.get(await sent(desk, visitor, "image/png"))
    assert answer.headers["content-disposition"].startswith("inline")


async def test_a_page_is_saved_and_never_run(desk: MemoryDesk, visitor: Visitor) -> None:
    answer = await visitor.http.get(await sent(desk, visitor, "text/html"))
    assert answer.headers["content-type"] == "application/octet-stream"
    assert "sandbox" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("part", ["session", "until", "seal"])
async def test_a_link_that_was_changed_is_refused(
    desk: MemoryDesk, visitor: Visitor, part: str
) -> None:
    link = httpx.URL(await sent(desk, visitor))
    other = {"session": str(uuid4()), "until": "99999999999", "seal": "x"}[part]
    answer = await visitor.http.get(link.copy_set_param(part, other))
    assert answer.status_code == 401


async def test_another_visitors_session_does_not_open_it(
    desk: MemoryDesk, visitor: Visitor, http: httpx.AsyncClient
) -> None:
    theirs = httpx.URL(await sent(desk, visitor))
    mine = httpx.URL(await sent(desk, await visit(http)))
    answer = await http.get(mine.copy_with(path=theirs.path))
    assert answer.status_code == 401


@pytest.mark.parametrize("query", ["", "?session=x&until=1&seal=a", "?until=-1"])
async def test_what_is_no_link_of_ours_is_refused(http: httpx.AsyncClient, query: str) -> None:
    assert (await http.get(f"/chat/files/{uuid4()}{query}")).status_code == 422


@pytest.fixture
def deposit() -> MemoryDeposit:
    return MemoryDeposit()


@pytest.fixture
async def sender(desk: MemoryDesk, deposit: MemoryDeposit) -> AsyncIterator[Visitor]:
    app = application(desk, WebChat(ACCOUNT, KEY, deposit=deposit))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://desk"
    ) as client:
        yield await visit(client)


async def leave(sender: Visitor, content: bytes, name: str = "foto.png") -> httpx.Response:
    return await sender.http.post(
        "/chat/files",
        params={"name": name},
        content=content,
        headers=sender.headers | {"Content-Type": "image/png"},
    )


async def send(sender: Visitor, *files: str, text: str = "") -> httpx.Response:
    body = {"id": str(uuid4()), "text": text, "files": files}
    return await sender.http.post("/chat/messages", json=body, headers=sender.headers)


async def test_a_file_is_left_and_then_named_by_its_message(
    sender: Visitor, desk: MemoryDesk, deposit: MemoryDeposit
) -> None:
    answer = await leave(sender, GUIDE, "captura ñ.png")
    assert answer.status_code == 201
    left = answer.json()
    assert (left["name"], left["media_type"], left["size"]) == (
        "captura ñ.png",
        "image/png",
        len(GUIDE),
    )
    assert (await send(sender, left["file"])).status_code == 202
    (event,) = desk.events
    assert isinstance(event, MessagePosted)
    (file,) = event.body.files
    assert deposit.left[file.remote] == GUIDE
    (message,) = await sender.messages()
    (shown,) = message["files"]
    assert (shown["name"], shown["url"]) == ("captura ñ.png", None)


async def test_a_text_that_is_too_long_for_a_message_goes_along_whole(
    sender: Visitor, visitor: Visitor, deposit: MemoryDeposit
) -> None:
    long = "ñ" * 50_000
    body = {"id": str(uuid4()), "text": long}
    for status in (202, 200):
        answer = await sender.http.post("/chat/messages", json=body, headers=sender.headers)
        assert answer.status_code == status
    (message,) = await sender.messages()
    assert message["text"] == "ñ" * 19_999 + "…"
    assert [file["name"] for file in message["files"]] == ["message.txt"]
    assert deposit.left["files/0"] == long.encode()
    assert (await visitor.send(long)).status_code == 202  # the desk that takes no files cuts it


async def test_the_channel_gives_what_was_left(deposit: MemoryDeposit) -> None:
    chat = WebChat(ACCOUNT, KEY, deposit=deposit)
    assert isinstance(chat, FetchesFiles)
    deposit.left["k"] = GUIDE
    file = FileRef(name="a", media_type="text/plain", remote="k")
    assert [piece async for piece in chat.fetch(file)] == [GUIDE]
    with pytest.raises(Rejected):
        _ = [piece async for piece in chat.fetch(replace(file, remote="other"))]
    with pytest.raises(Rejected):
        _ = [piece async for piece in WebChat(ACCOUNT, KEY).fetch(file)]


async def test_a_receipt_is_worth_nothing_to_another_visitor(sender: Visitor) -> None:
    receipt = (await leave(sender, GUIDE)).json()["file"]
    other = await visit(sender.http)
    assert (await send(other, receipt)).status_code == 404


async def test_files_that_are_not_taken_are_refused_with_the_reason(
    sender: Visitor, deposit: MemoryDeposit
) -> None:
    assert (await leave(sender, b"x" * (deposit.max_bytes + 1))).status_code == 413
    refused = await leave(sender, b"MZ", "a.exe")
    assert (refused.status_code, refused.json()["detail"]) == (
        422,
        "programs and scripts cannot be sent",
    )
    assert (await leave(sender, GUIDE, "")).status_code == 422
    assert (await leave(sender, GUIDE, "x" * 256)).status_code == 422
    assert deposit.left == {}


async def test_a_body_of_unknown_length_is_read_no_further_than_it_may_be(
    sender: Visitor,
) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(1_000):
            yield b"x" * 1_000

    answer = await sender.http.post(
        "/chat/files", params={"name": "a"}, content=endless(), headers=sender.headers
    )
    assert answer.status_code == 413


async def test_only_visitors_leave_files(sender: Visitor) -> None:
    answer = await sender.http.post("/chat/files", params={"name": "a"}, content=GUIDE)
    assert answer.status_code == 401


async def test_where_the_desk_takes_no_files_there_is_no_way_to_leave_one(
    visitor: Visitor, http: httpx.AsyncClient
) -> None:
    assert (await leave(visitor, GUIDE)).status_code == 404
    assert 'id="attach"' not in (await http.get("/chat")).text
