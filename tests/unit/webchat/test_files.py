"""Customers follow links to what agents sent; nobody else can."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import uuid4

import httpx
import pytest

from core.domain.conversation import Speaker
from core.ports import TranscriptFile
from tests.unit.webchat.memory import MemoryDesk, application
from tests.unit.webchat.test_requests import Visitor, visit

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
    assert (await http.get(f"/chat/files/{uuid4()}{query}")).status_code == 400
