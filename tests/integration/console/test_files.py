"""Files in the console and the API: shown or saved without harm, handed in, and sent."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from core.domain.content import Body, FileRef
from core.domain.events import Author, MessagePosted
from core.domain.files import FileState
from core.domain.ids import Address, ConversationId, EventKey, RemoteId, ThreadKey, new_id
from core.storage.tables import Attachment, Message, Upload
from tests.integration.console.api import Api
from tests.integration.console.browser import Browser, signed_in
from tests.integration.console.world import Desk
from tests.unit.files.builders import PAGE, PDF, WINDOWS_PROGRAM, png


async def arrived(
    desk: Desk,
    content: bytes = b"",
    *,
    name: str = "a.png",
    media_type: str = "image/png",
    state: FileState = FileState.FETCHED,
    detail: str | None = None,
    html: str | None = None,
    content_id: str | None = None,
) -> tuple[ConversationId, UUID]:
    """Let a message with a file arrive, which is kept already; return conversation and file."""
    remote = new_id().hex
    await desk.intake.accept(
        MessagePosted(
            account=desk.loopback.account,
            key=EventKey(remote),
            thread=ThreadKey("files"),
            author=Author(address=Address("ada"), name="Ada"),
            at=datetime.now(UTC),
            body=Body(
                text="See this",
                html=html,
                files=(FileRef(name=name, media_type="x/y", remote=remote, content_id=content_id),),
            ),
            remote_ids=(RemoteId(remote),),
        )
    )
    await desk.blobs.put(f"files/{remote}", content)
    async with desk.sessions.begin() as session:
        row = (await session.scalars(select(Attachment).where(Attachment.remote == remote))).one()
        row.status, row.detail, row.media_type = state, detail, media_type
        row.size_bytes = len(content)
        row.blob_key = f"files/{remote}" if state == FileState.FETCHED else None
        message = await session.get_one(Message, row.message_id)
        return ConversationId(message.conversation_id), row.id


async def number_of(desk: Desk, conversation: ConversationId, browser: Browser) -> str:
    answer = await browser.send(f"/console/conversations/{conversation}/take-over")
    return answer.headers["location"].partition("?")[0]


async def test_a_picture_is_shown_and_can_be_saved(desk: Desk) -> None:
    _, file = await arrived(desk, png(), name="Foto de año.png")
    browser = await signed_in(desk)
    shown = await browser.client.get(f"/console/files/{file}")
    assert shown.content == png()
    assert shown.headers["content-type"] == "image/png"
    assert shown.headers["content-disposition"] == (
        "inline; filename=\"Foto de a_o.png\"; filename*=UTF-8''Foto%20de%20a%C3%B1o.png"
    )
    saved = await browser.client.get(f"/console/files/{file}?download=true")
    assert saved.headers["content-disposition"].startswith("attachment;")


@pytest.mark.parametrize(
    ("media_type", "sent_as"),
    [
        ("text/html", "application/octet-stream"),
        ("image/svg+xml", "application/octet-stream"),
        ("application/pdf", "application/pdf"),
        ("text/plain", "text/plain"),
    ],
)
async def test_what_a_browser_might_run_is_only_for_saving(
    desk: Desk, media_type: str, sent_as: str
) -> None:
    _, file = await arrived(desk, PAGE, name='a"\r\nX: y.html', media_type=media_type)
    browser = await signed_in(desk)
    answer = await browser.client.get(f"/console/files/{file}")
    assert answer.headers["content-type"] == sent_as
    assert answer.headers["content-disposition"].startswith('attachment; filename="a_X_ y.html"')
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]


async def test_files_are_for_agents_only(desk: Desk, api: Api) -> None:
    _, file = await arrived(desk, png())
    async with desk.client() as stranger:
        assert (await stranger.get(f"/console/files/{file}")).status_code == 303
        assert (await stranger.get(f"/api/v1/files/{file}")).status_code == 401
        assert (await stranger.post("/console/files", content=b"a")).status_code == 303
        sent = await stranger.post("/api/v1/files", files={"file": ("a.txt", b"a")})
        assert sent.status_code == 401


@pytest.mark.parametrize(
    ("state", "detail", "shown"),
    [
        (FileState.WAITING, "waits for the virus scanner", "Being fetched…"),
        (FileState.REFUSED, "infected: Eicar", "Refused: a virus (Eicar)"),
        (FileState.FAILED, "the file is gone", "Could not be fetched: the file is gone"),
    ],
)
async def test_a_file_that_is_not_there_is_explained_and_not_given(
    desk: Desk, state: FileState, detail: str, shown: str
) -> None:
    conversation, file = await arrived(desk, state=state, detail=detail)
    browser = await signed_in(desk)
    page = await browser.see(f"/console/conversations/{conversation}")
    assert shown in page
    assert f"/console/files/{file}" not in page
    await browser.see(f"/console/files/{file}", 404)


async def test_an_agent_sends_files_with_an_answer(desk: Desk) -> None:
    desk.lets_send_files(most=2)
    conversation, _ = await arrived(desk, png())
    browser = await signed_in(desk)
    ticket = await number_of(desk, conversation, browser)
    files = [await handed_in(browser, PDF, "guía.pdf"), await handed_in(browser, b"a", "a.txt")]
    answer = await browser.client.post(
        f"{ticket}/say", data={"csrf": browser.csrf, "text": "Here", "file": files}
    )
    assert answer.status_code == 303, answer.text
    page = await browser.see(ticket)
    assert "guía.pdf" in page
    async with desk.sessions() as session:
        sent = await session.scalars(
            select(Attachment).where(Attachment.name != "a.png").order_by(Attachment.position)
        )
        assert [(row.name, row.media_type, row.status) for row in sent] == [
            ("guía.pdf", "application/pdf", FileState.FETCHED),
            ("a.txt", "text/plain", FileState.FETCHED),
        ]


async def handed_in(browser: Browser, content: bytes, name: str) -> str:
    answer = await put_forward(browser, content, name)
    assert answer.status_code == 201, answer.text
    said: dict[str, Any] = answer.json()
    assert said["size"] == len(content)
    return str(said["id"])


async def put_forward(browser: Browser, content: bytes, name: str) -> httpx.Response:
    return await browser.client.post(
        "/console/files",
        content=content,
        headers={"X-CSRF-Token": browser.csrf, "X-File-Name": quote(name)},
    )


@pytest.mark.parametrize(
    ("content", "name", "status", "said"),
    [
        (WINDOWS_PROGRAM, "tool.exe", 422, "Programs and scripts cannot be sent"),
        (WINDOWS_PROGRAM, "scan.pdf", 422, "The file is not what its name says"),
        (b"", "a.txt", 422, "The file is empty"),
        (b"a" * 2_000_001, "a.txt", 413, "The file is too large"),
    ],
)
async def test_a_file_that_cannot_be_sent_is_refused_with_the_reason(
    desk: Desk, content: bytes, name: str, status: int, said: str
) -> None:
    browser = await signed_in(desk)
    answer = await put_forward(browser, content, name)
    assert (answer.status_code, answer.json()["error"]) == (status, said)
    async with desk.sessions() as session:
        assert (await session.scalars(select(Upload))).all() == []


async def test_a_page_of_another_site_hands_in_nothing(desk: Desk) -> None:
    browser = await signed_in(desk)
    answer = await browser.client.post("/console/files", content=b"a")
    assert answer.status_code == 403


async def test_more_files_than_the_channel_takes_are_refused(desk: Desk) -> None:
    desk.lets_send_files(most=1)
    conversation, _ = await arrived(desk, png())
    browser = await signed_in(desk)
    ticket = await number_of(desk, conversation, browser)
    files = [await handed_in(browser, b"a", "a.txt"), await handed_in(browser, b"b", "b.txt")]
    form = {"csrf": browser.csrf, "text": "Here", "file": files}
    answer = await browser.client.post(f"{ticket}/say", data=form)
    assert answer.status_code == 422
    assert "These are more files than the channel takes in one message" in answer.text
    noted = await browser.client.post(f"{ticket}/say", data={**form, "mode": "note", "text": ""})
    assert noted.status_code == 303, noted.text


async def test_an_agents_files_are_nobody_elses(desk: Desk, api: Api) -> None:
    desk.lets_send_files(most=2)
    conversation, _ = await arrived(desk, png())
    ana = await signed_in(desk)
    ticket = await number_of(desk, conversation, ana)
    file = await handed_in(ana, b"a", "a.txt")
    eva = await signed_in(desk, "Eva")
    answer = await eva.send(f"{ticket}/say", text="Mine", file=file)
    assert answer.status_code == 404
    assert "A file is not there any more: attach it again" in answer.text


async def test_programs_hand_in_send_and_read_files(desk: Desk, api: Api) -> None:
    desk.lets_send_files(most=2)
    conversation, _ = await arrived(desk, png())
    browser = await signed_in(desk)
    ticket = (await number_of(desk, conversation, browser)).rpartition("/")[2]
    client = await api()
    form = {"file": ("guide.pdf", PDF, "text/plain")}
    handed = await client.post("/api/v1/files", files=form)
    assert handed.status_code == 201, handed.text
    assert handed.json()["media_type"] == "application/pdf"
    body = {"files": [handed.json()["id"]]}
    said = await client.post(f"/api/v1/tickets/{ticket}/replies", json=body)
    assert said.status_code == 201, said.text
    (file,) = said.json()["files"]
    assert (file["name"], file["state"]) == ("guide.pdf", "fetched")
    read = await client.get(f"/api/v1/files/{file['id']}")
    assert read.content == PDF
    assert read.headers["content-disposition"].startswith("attachment;")


@pytest.mark.parametrize(
    ("body", "status"),
    [({}, 422), ({"text": "a", "files": ["x"]}, 422), ({"files": [str(new_id())]}, 404)],
)
async def test_odd_replies_are_refused(
    desk: Desk, api: Api, body: dict[str, Any], status: int
) -> None:
    desk.lets_send_files(most=2)
    conversation, _ = await arrived(desk, png())
    browser = await signed_in(desk)
    ticket = (await number_of(desk, conversation, browser)).rpartition("/")[2]
    client = await api()
    answer = await client.post(f"/api/v1/tickets/{ticket}/replies", json=body)
    assert answer.status_code == status, answer.text


LETTER = (
    "<p onclick='x()'>Hi <a href='https://bank.example/'>x</a><a href='data:text/html,x'>y</a></p>"
    "<script>alert(1)</script><img src='https://track.example/p.png'><img src='cid:logo'>"
    "<iframe src='https://example.org'></iframe><form action='/console'><input></form>"
)


async def letter(desk: Desk, browser: Browser, query: str = "") -> httpx.Response:
    _, file = await arrived(desk, png(), html=LETTER, content_id="logo")
    async with desk.sessions() as session:
        message = (await session.get_one(Attachment, file)).message_id
    return await browser.client.get(f"/console/messages/{message}/letter{query}")


async def test_a_letter_shows_without_doing_anything(desk: Desk) -> None:
    browser = await signed_in(desk)
    shown = await letter(desk, browser)
    policy = shown.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "sandbox allow-popups" in policy
    assert "img-src data:;" in policy
    for gone in ("<script", "onclick", "<iframe", "<form", "<input", "track.example", "data:text"):
        assert gone not in shown.text, gone
    assert "data:image/png;base64," in shown.text
    assert 'rel="noopener noreferrer nofollow"' in shown.text


async def test_pictures_from_elsewhere_show_when_the_agent_says_so(desk: Desk) -> None:
    browser = await signed_in(desk)
    shown = await letter(desk, browser, "?pictures=true")
    assert "https://track.example/p.png" in shown.text
    assert "img-src data: https: http:;" in shown.headers["content-security-policy"]


async def test_the_workspace_offers_a_letter_in_a_frame_that_can_do_nothing(desk: Desk) -> None:
    conversation, _ = await arrived(desk, png(), html=LETTER)
    browser = await signed_in(desk)
    page = await browser.see(f"/console/conversations/{conversation}")
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page
    assert "Pictures from elsewhere are not shown" in page
    assert "track.example" not in page
