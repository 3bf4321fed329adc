"""Agents choose a picture; platforms are told where it is, and everybody may look at it."""

from __future__ import annotations

import io
import re

import pytest
from PIL import Image

from core.services.writing.pictures import MAX_PICTURE_BYTES
from core.storage.queries.access.agents import agent_named, speaker_of
from tests.integration.console.browser import PASSWORD, Browser
from tests.integration.console.world import Desk
from tests.unit.files.builders import photograph, square


async def ana(desk: Desk) -> Browser:
    agent = await desk.agent("ana@example.org", "Ana")
    await desk.access.passwords.set(agent.id, PASSWORD)
    return await Browser.signed_in(desk, agent.email)


async def choose(browser: Browser, content: bytes) -> int:
    answer = await browser.client.post(
        "/console/picture",
        data={"csrf": browser.csrf},
        files={"picture": ("me.png", content, "image/png")},
    )
    return answer.status_code


async def test_a_chosen_picture_is_seen_by_everybody_until_it_is_taken_off(desk: Desk) -> None:
    browser = await ana(desk)
    assert await choose(browser, square()) == 303
    found = re.search(r'src="(/agents/[^"]+)"', await browser.see("/console/picture"))
    assert found is not None
    async with desk.client() as anybody:
        shown = await anybody.get(found[1])
        with Image.open(io.BytesIO(shown.content)) as seen:
            assert (seen.size, seen.convert("L").getpixel((0, 0))) == ((2, 2), 128)
        assert shown.headers["content-type"] == "image/png"
        assert (await anybody.get(found[1][:-4] + "0000")).status_code == 404
        assert (await browser.send("/console/picture")).status_code == 303
        assert (await anybody.get(found[1])).status_code == 404


async def test_where_a_picture_was_taken_is_told_to_nobody(desk: Desk) -> None:
    browser = await ana(desk)
    assert await choose(browser, photograph(40, 20, turned=6)) == 303
    found = re.search(r'src="(/agents/[^"]+)"', await browser.see("/console/picture"))
    assert found is not None
    async with desk.client() as anybody:
        shown = await anybody.get(found[1])
    assert b"Exif" not in shown.content
    with Image.open(io.BytesIO(shown.content)) as seen:
        assert (seen.size, dict(seen.getexif())) == ((20, 40), {})


@pytest.mark.parametrize(
    "content", [b"GIF or not", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"\0" * 10]
)
async def test_what_is_no_picture_is_refused(desk: Desk, content: bytes) -> None:
    browser = await ana(desk)
    assert await choose(browser, content) == 422


async def test_a_large_picture_is_refused(desk: Desk) -> None:
    browser = await ana(desk)
    assert await choose(browser, square() + b"\0" * MAX_PICTURE_BYTES) == 422


async def test_a_form_from_another_page_changes_nothing(desk: Desk) -> None:
    browser = await ana(desk)
    browser.csrf = "not the page's"
    assert await choose(browser, square()) == 403


async def test_what_an_agent_says_names_their_picture(desk: Desk) -> None:
    browser = await ana(desk)
    await choose(browser, square())
    async with desk.sessions() as session:
        agent = await agent_named(session, "ana@example.org")
        name, picture = await speaker_of(session, agent)
    assert name == "Ana"
    assert picture is not None
    async with desk.client() as anybody:
        assert (await anybody.get(picture)).status_code == 200
