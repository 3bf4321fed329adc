"""Somebody who writes on the chat page, and what the desk hears of it."""

from __future__ import annotations

import asyncio

from playwright.async_api import (
    Page,
    expect,
)

from core.domain.events import MessagePosted
from core.domain.ids import ThreadKey
from tests.unit.webchat.memory import MemoryDesk


async def write(page: Page, text: str) -> None:
    await page.locator("#text").fill(text)
    await page.locator("#text").press("Enter")


async def thread_of(desk: MemoryDesk, count: int = 1) -> ThreadKey:
    """Return the only thread, once `count` events have come in."""
    async with asyncio.timeout(10):
        while len(desk.events) < count:
            await asyncio.sleep(0.01)
    (thread,) = {event.thread for event in desk.events}
    return thread


async def converse(page: Page, desk: MemoryDesk, *choices: str) -> ThreadKey:
    """Write a first message, let the desk answer, and return the thread."""
    await write(page, "Hello")
    thread = await thread_of(desk)
    desk.say(thread, "How can I help?", choices=choices)
    await expect(page.locator(".from-bot .bubble")).to_have_text("How can I help?")
    return thread


def texts(desk: MemoryDesk) -> list[str]:
    return [event.body.text for event in desk.events if isinstance(event, MessagePosted)]
