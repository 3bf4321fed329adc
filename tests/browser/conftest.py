"""The console over real services, opened in Chromium."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from core.domain.actor import Agent
from core.storage.engine import Sessions
from tests.browser.people import PASSWORD, Opened, agent_called
from tests.integration.console.world import Desk, build_desk
from tests.support.serving import served


@pytest.fixture
async def desk(sessions: Sessions, database_url: str, tmp_path: Path) -> Desk:
    return build_desk(sessions, database_url, tmp_path)


@pytest.fixture
async def address(desk: Desk) -> AsyncIterator[str]:
    """The desk served over HTTP, with its ear on the database."""
    listening = asyncio.create_task(desk.live.run())
    async with served(desk.app) as address:
        yield address
    listening.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await listening


@pytest.fixture
async def ana(desk: Desk) -> Agent:
    return await agent_called(desk, "Ana")


@pytest.fixture
async def opened(address: str, browser: Browser, ana: Agent) -> AsyncIterator[Opened]:
    """Open a page of the console as an agent; complaints of the page fail the test at its end."""
    complaints: list[str] = []
    contexts: dict[str, BrowserContext] = {}

    async def open_page(path: str, agent: Agent = ana, width: int = 1440) -> Page:
        if agent.email not in contexts:
            context = await browser.new_context(
                base_url=address, viewport={"width": width, "height": 800}
            )
            contexts[agent.email] = context
            answer = await context.request.post(
                "/console/sign-in",
                form={"email": agent.email, "password": PASSWORD},
                max_redirects=0,
            )
            assert answer.status == 303
        page = await contexts[agent.email].new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console",
            lambda said: (
                complaints.append(said.text)
                if "Content Security" in said.text or "Uncaught" in said.text
                else None
            ),
        )
        page.on("dialog", lambda dialog: complaints.append(f"dialog: {dialog.message}"))
        await page.goto(path)
        await expect(page.locator("#connection")).to_have_text("Live")
        return page

    yield open_page
    for context in contexts.values():
        await context.close()
    assert complaints == []
