"""Choosing several tickets with keys and the mouse, and doing one thing with them."""

from __future__ import annotations

from playwright.async_api import expect

from tests.browser.people import Opened
from tests.integration.console.world import Desk


async def test_several_tickets_are_chosen_tagged_and_untagged_again(
    desk: Desk,
    opened: Opened,
) -> None:
    for n in range(4):
        await desk.queued(f"number {n}", thread=f"t{n}", who=f"u{n}")
    page = await opened("/console/queue?tab=unassigned")
    await page.keyboard.press("j")
    await page.keyboard.press("x")
    await expect(page.locator("#bulk-bar")).to_contain_text("1 chosen")
    await page.locator("input.choose").nth(2).click(modifiers=["Shift"])
    await expect(page.locator("#bulk-bar")).to_contain_text("3 chosen")
    await desk.queued("number 4", thread="t4", who="u4")  # the list is shown anew
    await expect(page.locator("a.row")).to_have_count(5)
    await expect(page.locator("#bulk-bar")).to_contain_text("3 chosen")

    await page.locator("#bulk-bar summary", has_text="Tag").click()
    await page.locator("#bulk-tag").fill("VPN")
    await page.keyboard.press("Enter")
    await expect(page.locator("#notice")).to_contain_text("Done: 3")
    await expect(page.locator("#bulk-bar")).to_be_hidden()
    await expect(page.locator("a.row")).to_have_count(5)  # nobody was assigned anything
    client = page.context.request
    assert "999+" not in await (await client.get("/console/queue/count")).text()
    await page.locator("#notice button", has_text="Undo").click()
    await expect(page.locator("#notice")).to_contain_text("Done: 3")
    await expect(page.locator("#notice button", has_text="Undo")).to_have_count(0)
