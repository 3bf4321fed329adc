"""Letters in a real browser: addresses are chips, and what the agent chose stays chosen."""

from __future__ import annotations

import pytest
from playwright.async_api import expect
from sqlalchemy import select

from core.domain.actor import Agent
from core.ports import capabilities_of
from core.storage.tables import Conversation
from tests.browser.people import Opened
from tests.integration.console.world import Desk
from tests.integration.letters.world import Post, letter

CARL = "carl@people.example"


@pytest.fixture
async def ticket(desk: Desk, ana: Agent) -> str:
    """The path of the ticket of a letter."""
    post = Post(desk.loopback.account, desk.loopback.platform)
    desk.channels[post.account] = post
    desk.accounts[post.account] = capabilities_of(post)
    await desk.intake.accept(letter(desk, "It does not connect", name="first"))
    async with desk.sessions() as session:
        conversation = (await session.scalars(select(Conversation.id))).one()
    await desk.tickets.take_over(conversation, ana)  # type: ignore[arg-type]
    return "/console/tickets/1001"


async def test_addresses_are_added_and_taken_out(
    desk: Desk,
    opened: Opened,
    ticket: str,
) -> None:
    page = await opened(ticket)
    chips = page.locator("#addressing .chips span")
    await expect(chips).to_have_text(["ada@people.example"])
    await page.get_by_role("button", name="Reply to all").click()
    await page.get_by_label("Copy to", exact=True).fill(CARL)
    await page.keyboard.press(",")
    await expect(chips).to_have_text(["ada@people.example", "bob@people.example", f"{CARL}"])
    await page.get_by_role("button", name="Remove: bob@people.example").click()
    await page.locator("#text").fill("Try again")
    await page.get_by_role("button", name="Send reply").click()
    sent = page.locator(".message.agent .recipient")
    await expect(sent).to_have_text(["ada@people.example", CARL])
    await expect(chips).to_have_text(["ada@people.example"])  # the account's own way again


async def test_what_the_agent_chose_outlives_news_and_reloads(
    desk: Desk,
    opened: Opened,
    ticket: str,
) -> None:
    page = await opened(ticket)
    chips = page.locator("#addressing .chips span")
    await page.get_by_role("button", name="Reply to all").click()
    await desk.intake.accept(letter(desk, "Anybody there?", name="second"))
    await expect(page.locator("#messages").get_by_text("Anybody there?")).to_be_visible()
    await expect(chips).to_have_count(2)
    await page.reload()
    await expect(chips).to_have_count(2)
