"""What agents write before it leaves: drafts, and what colleagues say and write meanwhile."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from core.domain.actor import Role
from core.domain.ids import ConversationId
from core.services.writing.drafts import Drafts
from core.storage.engine import Sessions
from core.storage.queries.files import forget_uploads
from core.storage.tables import (
    Draft,
    Message,
    Upload,
)
from tests.integration.console.browser import PASSWORD, Browser
from tests.integration.console.world import Desk, build_desk
from tests.integration.console.writing import (
    TEN_SECONDS,
    TICKET,
    drafts,
    held,
    signed_in,
    typed,
)


@pytest.fixture
def desk(sessions: Sessions, database_url: str, tmp_path: Path) -> Desk:
    """A desk on which replies can be taken back for ten seconds."""
    return build_desk(sessions, database_url, tmp_path, take_back_seconds=10)


async def test_drafts_of_replies_and_notes_are_apart_and_end_with_what_was_sent(
    desk: Desk,
) -> None:
    conversation = await desk.queued()
    browser = await signed_in(desk)
    await browser.see(TICKET)
    assert await typed(browser, conversation, "reply", text="Dear") == 204
    assert await typed(browser, conversation, "note", text="He is new") == 204
    assert await typed(browser, conversation, "reply", text="Dear Ada", seen=2) == 204
    elsewhere = await Browser.signed_in(desk, "ana@example.org")
    kept = await drafts(elsewhere, conversation)
    assert (kept["reply"]["text"], kept["note"]["text"]) == ("Dear Ada", "He is new")
    assert kept["reply"]["seen"] == 2
    assert "Dear Ada</textarea>" in await elsewhere.see(TICKET)
    assert await drafts(await signed_in(desk, "Bea"), conversation) == {}
    await browser.send(f"{TICKET}/say", text="Dear Ada, restart it.")
    assert list(await drafts(browser, conversation)) == ["note"]
    await browser.send(f"{TICKET}/say", mode="note", text="He is new")
    assert await drafts(browser, conversation) == {}


async def test_a_draft_keeps_its_files_and_its_addresses(desk: Desk) -> None:
    conversation = await desk.queued()
    browser = await signed_in(desk)
    await browser.see(TICKET)
    handed_in = await browser.client.post(
        "/console/files",
        content=b"a",
        headers={"X-CSRF-Token": browser.csrf, "X-File-Name": "a.txt"},
    )
    file = handed_in.json()["id"]
    envelope = {"to": ["ada@example.org"], "cc": ["half@"], "bcc": [], "subject": "About"}
    assert await typed(browser, conversation, "reply", files=[file], envelope=envelope) == 204
    async with desk.sessions.begin() as session:
        await session.execute(update(Upload).values(created_at=desk.clock() - timedelta(days=9)))
        await forget_uploads(session, desk.clock() - timedelta(days=1))
    kept = (await drafts(browser, conversation))["reply"]
    assert kept["files"] == [{"id": file, "name": "a.txt", "size": 1}]
    assert kept["envelope"] == envelope
    assert await typed(browser, conversation, "reply", text="", files=[]) == 204
    assert await drafts(browser, conversation) == {}
    async with desk.sessions.begin() as session:
        await forget_uploads(session, desk.clock() - timedelta(days=1))
        assert (await session.scalars(select(Upload.id))).all() == []


async def test_a_draft_that_cannot_be_kept_is_refused(desk: Desk) -> None:
    conversation = await desk.queued()
    browser = await signed_in(desk)
    await browser.see(TICKET)
    wrong: Sequence[dict[str, Any]] = (
        {"text": "a\x00"},
        {"files": ["nonsense"]},
        {"files": ["0197a1d2-0000-7000-8000-000000000000"] * 21},
        {"envelope": {"to": ["a" * 1001]}},
        {"seen": -1},
    )
    assert [await typed(browser, conversation, "reply", **one) for one in wrong] == [422] * 5
    assert await typed(browser, conversation, "reply", text="a" * 20_001) == 413
    assert await typed(browser, conversation, "song", text="a") == 422
    assert await drafts(browser, conversation) == {}


async def test_drafts_that_nobody_went_on_with_are_forgotten(desk: Desk) -> None:
    conversation = await desk.queued()
    browser = await signed_in(desk)
    await browser.see(TICKET)
    await typed(browser, conversation, "reply", text="once")
    keeper = Drafts(desk.sessions, desk.clock)
    for days, left in ((89, ["once"]), (2, [])):
        desk.clock.advance(timedelta(days=days))
        await keeper.forget_old()
        async with desk.sessions() as session:
            assert (await session.scalars(select(Draft.text))).all() == left


async def says(browser: Browser, words: str, **more: str) -> Any:
    return await browser.send(f"{TICKET}/say", htmx=True, form={"text": words, **more})


async def test_who_answers_after_a_colleague_did_is_asked_first(desk: Desk) -> None:
    await desk.queued()
    ana, bea = await signed_in(desk), await signed_in(desk, "Bea")
    assert (await says(bea, "Hello, I am Bea.", seen="2")).status_code == 200
    asked = await says(ana, "Hello, I am Ana.", seen="2", then="pending")
    assert asked.status_code == 409
    assert "Bea is answering right now." in asked.text
    assert "hx-trigger" not in asked.headers
    desk.clock.advance(TEN_SECONDS)
    await desk.held.send_due()
    asked = await says(ana, "Hello, I am Ana.", seen="2", then="pending")
    assert "Bea answered" in asked.text
    found = re.search(r'name="anyway" value="([^"]+)"', asked.text)
    assert found is not None
    assert (await says(ana, "Hello, I am Ana.", seen="2", anyway=found[1])).status_code == 200
    (waiting,) = await held(desk)
    assert (waiting.text, waiting.then) == ("Hello, I am Ana.", "pending")


async def test_the_same_words_from_a_second_window_are_asked_about(desk: Desk) -> None:
    await desk.queued()
    ana = await signed_in(desk)
    assert (await says(ana, "Restart it.", seen="2")).status_code == 200
    again = await says(ana, "Restart it.\n", seen="2")
    assert again.status_code == 409
    assert "You have sent these words already." in again.text
    desk.clock.advance(TEN_SECONDS)
    await desk.held.send_due()
    for words in ("Restart it.", "Restart it.\n"):
        again = await says(ana, words, seen="2")
        assert (again.status_code, "You have sent these words" in again.text) == (409, True)
    assert (await says(ana, "Did it help?", seen="2")).status_code == 200


async def test_only_answers_of_others_that_came_later_are_asked_about(desk: Desk) -> None:
    await desk.queued()
    ana, bea = await signed_in(desk), await signed_in(desk, "Bea")
    await bea.send("/console/preferences/take-back", seconds="0")
    await says(bea, "one", seen="2")
    await bea.send(f"{TICKET}/say", htmx=True, mode="note", text="between us")
    await desk.says("And now?")
    async with desk.sessions() as session:
        answered = await session.scalar(select(Message.seq).where(Message.text == "one"))
    assert answered is not None
    assert (await says(ana, "read it", seen=str(answered))).status_code == 200
    assert (await says(ana, "my own are mine", seen=str(answered))).status_code == 200
    assert (await says(bea, "without a script that says so")).status_code == 200


async def test_without_scripts_the_words_are_kept_while_one_reads_the_colleagues(
    desk: Desk,
) -> None:
    conversation = await desk.queued()
    ana, bea = await signed_in(desk), await signed_in(desk, "Bea")
    await bea.send("/console/preferences/take-back", seconds="0")
    await says(bea, "one", seen="2")
    answer = await ana.send(f"{TICKET}/say", text="two", seen="2")
    assert answer.status_code == 303
    page = await ana.see(answer.headers["location"])
    assert "two</textarea>" in page
    seen = (await drafts(ana, conversation))["reply"]["seen"]
    assert f'name="seen" id="seen" value="{seen}"' in page
    await ana.send(f"{TICKET}/say", text="two", seen=str(seen))
    assert [reply.text for reply in await held(desk)] == ["two"]


async def visitors(browser: Browser, conversation: ConversationId, typing: str = "") -> str:
    answer = await browser.send(
        f"/console/conversations/{conversation}/visit", htmx=True, typing=typing
    )
    assert answer.status_code == 200, answer.text
    return " ".join(re.sub("<[^>]+>", " ", answer.text).split())


async def test_colleagues_see_who_else_looks_at_a_ticket_and_who_writes(desk: Desk) -> None:
    conversation = await desk.queued()
    ana, bea = await signed_in(desk), await signed_in(desk, "Bea")
    await ana.see(TICKET)
    await bea.see(TICKET)
    assert await visitors(ana, conversation) == ""
    assert await visitors(bea, conversation, "reply") == "A Ana is looking at this"
    assert await visitors(ana, conversation) == "B Bea is writing a reply…"
    await visitors(bea, conversation, "note")
    assert await visitors(ana, conversation) == "B Bea is writing a note…"
    desk.clock.advance(timedelta(seconds=11))
    assert await visitors(ana, conversation) == "B Bea is looking at this"
    desk.clock.advance(timedelta(seconds=40))
    assert await visitors(ana, conversation) == ""
    await visitors(bea, conversation)
    await bea.send(f"/console/conversations/{conversation}/leave")
    assert await visitors(ana, conversation) == ""
    auditor = await desk.agent("nora@example.org", "Nora", Role.AUDITOR)
    await desk.access.passwords.set(auditor.id, PASSWORD)
    nora = await Browser.signed_in(desk, auditor.email)
    for seen in (await nora.see(TICKET), await nora.see(f"{TICKET}/live")):
        assert 'id="messages"' in seen
        for part in ("visitors", "composer", "addressing", "places"):
            assert f'id="{part}"' not in seen
    refused = await bea.send(f"/console/conversations/{conversation}/visit", typing="song")
    assert refused.status_code == 422
    nowhere = "0197a1d2-0000-7000-8000-000000000000"
    assert (await bea.send(f"/console/conversations/{nowhere}/visit")).status_code == 404
