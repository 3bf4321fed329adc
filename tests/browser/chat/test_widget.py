"""The widget on another site's page, which opens the chat in a frame."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import (
    BrowserContext,
    Frame,
    Page,
    expect,
)
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route as Path

from tests.browser.chat.visitor import thread_of
from tests.support.serving import served
from tests.unit.webchat.memory import MemoryDesk


@pytest.fixture
async def site(context: BrowserContext, address: str) -> AsyncIterator[Page]:
    """A page of another origin that includes the widget and forbids inline script and style."""

    async def answer(request: Any) -> HTMLResponse:
        script = f'<script src="{address}/chat/widget.js" data-language="es" async></script>'
        policy = f"default-src 'none'; script-src {address}; frame-src {address}"
        return HTMLResponse(
            f"<!doctype html><title>Site</title><h1>Site</h1>{script}",
            headers={"Content-Security-Policy": policy},
        )

    faults: list[str] = []
    async with served(Starlette(routes=[Path("/", answer)]), host="localhost") as other:
        page = await context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda line: faults.append(line.text) if line.type == "error" else None)
        await page.goto(other)
        yield page
        await page.close()
    assert [fault for fault in faults if "favicon" not in fault] == []


async def chat_frame(site: Page) -> Frame:
    async with asyncio.timeout(10):
        while not (found := [frame for frame in site.frames if "/chat?" in frame.url]):
            await asyncio.sleep(0.01)
    return found[0]


async def test_the_widget_opens_the_chat_and_gives_the_focus_back(
    site: Page, desk: MemoryDesk
) -> None:
    await site.wait_for_function("window.Ventanilla")
    # A closed shadow root is out of a test's reach; the keyboard is not.
    await site.keyboard.press("Tab")
    await site.keyboard.press("Enter")
    chat = await chat_frame(site)
    await expect(chat.locator("h1")).to_have_text("Mesa de ayuda")
    await expect(chat.locator("#text")).to_be_focused()
    await chat.locator("#text").fill("Hola")
    await chat.locator("#text").press("Enter")
    thread = await thread_of(desk)
    await chat.locator("#text").press("Escape")
    await expect(chat.locator("#text")).to_be_hidden()  # the page hears of it a moment later
    assert await site.evaluate("document.activeElement.tagName") == "VENTANILLA-CHAT"
    desk.say(thread, "¿En qué puedo ayudar?")
    await site.keyboard.press("Enter")
    await expect(chat.locator(".from-bot .bubble")).to_have_text("¿En qué puedo ayudar?")
    await expect(chat.locator("#text")).to_be_focused()


async def test_the_widget_adds_one_name_to_the_page(site: Page) -> None:
    await site.wait_for_function("window.Ventanilla")
    count = "Object.keys(window).filter((name) => /ventanilla|chat/i.test(name))"
    assert await site.evaluate(count) == ["Ventanilla"]
    assert await site.evaluate("Object.keys(Ventanilla)") == ["open", "close", "toggle"]
