"""Agents at the console in a browser: who they are, and how their pages are opened."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from playwright.async_api import Page

from core.domain.actor import Agent
from tests.integration.console.world import Desk

PASSWORD = "correct horse battery"

Opened = Callable[..., Awaitable[Page]]
"""Opens a page of the console by its path; `agent` and `width` may be given."""


async def agent_called(desk: Desk, name: str) -> Agent:
    agent = await desk.agent(f"{name.lower()}@example.org", name)
    await desk.access.passwords.set(agent.id, PASSWORD)
    return agent
