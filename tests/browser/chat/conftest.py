"""The chat page in a browser, over a desk kept in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import (
    Browser,
    BrowserContext,
    Page,
    expect,
)

from tests.support.serving import served
from tests.unit.webchat.memory import MemoryDesk, application


@pytest.fixture
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    context = await browser.new_context(locale="en-GB", reduced_motion="reduce")
    context.set_default_timeout(10_000)
    yield context
    await context.close()


@pytest.fixture
def desk() -> MemoryDesk:
    return MemoryDesk()


@pytest.fixture
async def address(desk: MemoryDesk) -> AsyncIterator[str]:
    async with served(application(desk)) as address:
        yield address


@pytest.fixture
async def page(context: BrowserContext, address: str) -> AsyncIterator[Page]:
    """The chat page; the test fails if it breaks its own security policy or a script fails."""
    faults: list[str] = []
    page = await context.new_page()
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on(
        "console",
        lambda line: faults.append(line.text) if "Content Security" in line.text else None,
    )
    await page.goto(f"{address}/chat")
    await expect(page.locator("#welcome")).to_be_visible()
    yield page
    assert faults == []
